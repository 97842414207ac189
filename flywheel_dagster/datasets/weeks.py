"""Weeks of training rows: which are stale, and writing them anew. What a week is stands in `outcomes/weeks.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.examples import build_example, example_format, split_point

_BATCH = 2_000


@dataclass(frozen=True)
class ScoredWeek:
    """What one week came to: rows by label, and how many of them make an example."""

    week: date
    rows: int
    examples: int
    labels: dict[str, int]
    rejected: dict[str, int]
    mean_quality: float


def score_week(connection: psycopg.Connection[TupleRow], week: date, *, outcome_note: bool = False) -> ScoredWeek:
    """Write the rows of one week anew, in one transaction over exactly that week; a re-run gives the same rows.

    Memory stays flat: rows stream through a cursor. Two processes on one week wait for each other.
    """
    start = datetime.combine(week, time(), UTC)
    with held_lock(connection, Lock.WEEK, week.toordinal()), one_snapshot(connection):
        return _rewrite(connection, week, start, with_outcome_note=outcome_note)


def _rewrite(connection: psycopg.Connection[TupleRow], week: date, start: datetime, *, with_outcome_note: bool) -> ScoredWeek:
    labels: dict[str, int] = {}
    rejected: dict[str, int] = {}
    rows = 0
    quality = 0.0
    connection.execute("delete from scored_training_rows where week = %s", (week,))
    with connection.cursor("outcomes_of_week", row_factory=dict_row) as outcomes:
        outcomes.execute(statement("outcomes_of_week"), {"start": start, "end": start + timedelta(days=7)})
        while batch := outcomes.fetchmany(_BATCH):
            with connection.cursor().copy(statement("copy_scored_training_rows")) as copy:
                for row in batch:
                    example = build_example(row, with_outcome_note=with_outcome_note)
                    copy.write_row(
                        (
                            row["id"],
                            week,
                            row["organization_id"],
                            row["lead_id"],
                            row["channel"],
                            row["sent_at"],
                            row["quality_score"],
                            row["training_label"],
                            row["training_weight"],
                            row["deal_closed"],
                            split_point(row["organization_id"], row["lead_id"]),
                            example.line,
                            example.rejected,
                        )
                    )
                    labels[row["training_label"]] = labels.get(row["training_label"], 0) + 1
                    quality += row["quality_score"]
                    if example.rejected:
                        rejected[example.rejected] = rejected.get(example.rejected, 0) + 1
            rows += len(batch)
    connection.execute(
        statement("mark_week_scored"),
        {"week": week, "rows": rows, "example_format": example_format(outcome_note=with_outcome_note)},
    )
    return ScoredWeek(week, rows, rows - sum(rejected.values()), labels, rejected, round(quality / rows, 4) if rows else 0.0)


def score_weeks(
    connection: psycopg.Connection[TupleRow],
    first: date,
    last: date,
    *,
    outcome_note: bool = False,
    progress: Callable[[ScoredWeek], None] = lambda _: None,
) -> list[ScoredWeek]:
    """Write the weeks from Monday `first` to Monday `last` anew, each in a transaction of its own."""
    scored = []
    for number in range((last - first).days // 7 + 1):
        scored.append(score_week(connection, first + timedelta(weeks=number), outcome_note=outcome_note))
        progress(scored[-1])
    return scored


def stale_weeks(connection: psycopg.Connection[TupleRow], *, outcome_note: bool = False) -> list[date]:
    """The weeks whose training rows are missing, older than their outcomes, or of another format or formula."""
    return [
        found[0]
        for found in connection.execute(
            statement("stale_weeks"), {"example_format": example_format(outcome_note=outcome_note)}
        ).fetchall()
    ]
