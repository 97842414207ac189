"""Weeks of training rows: which have changed, and writing them anew. A week begins on Monday, UTC, and goes by `sent_at`."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.examples import build_example, example_format, split_point

# A Monday. Outcomes sent before it belong to no partition; `outcome_labels` counts them.
FIRST_WEEK = date(2018, 1, 1)

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


@dataclass(frozen=True)
class Changes:
    """Weeks with changes that `cursor` (None: ever) had not seen, and the cursor that has seen them."""

    weeks: list[date]
    cursor: str

    @property
    def fingerprint(self) -> str:
        """A short name of the cursor, for run keys."""
        return hashlib.sha256(self.cursor.encode()).hexdigest()[:12]


def monday(moment: datetime | date) -> date:
    """The Monday (UTC) of the week."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


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


def changed_weeks(connection: psycopg.Connection[TupleRow], cursor: str | None) -> Changes:
    """The weeks whose outcomes changed in a transaction that the cursor's snapshot could not see.

    The cursor is a snapshot of the server, not a time: a transaction that was open when the last one was taken is reported by the
    first call after its commit, whenever that is, and nothing is reported twice. A cursor of another server starts over.
    """
    row = connection.execute(statement("current_snapshot")).fetchone()
    assert row is not None
    server, snapshot = row
    seen = json.loads(cursor) if cursor else {}
    known = seen.get("snapshot") if seen.get("server") == server else None
    weeks = [found[0] for found in connection.execute(statement("changed_weeks"), {"seen": known, "now": snapshot}).fetchall()]
    return Changes(weeks, json.dumps({"server": server, "snapshot": snapshot}))


def stale_weeks(connection: psycopg.Connection[TupleRow], *, outcome_note: bool = False) -> list[date]:
    """The weeks whose training rows are missing, older than their outcomes, or of another format or formula."""
    return [
        found[0]
        for found in connection.execute(
            statement("stale_weeks"), {"example_format": example_format(outcome_note=outcome_note)}
        ).fetchall()
    ]


def contiguous(weeks: list[date]) -> list[tuple[date, date]]:
    """Sorted Mondays as ranges (first, last) without gaps."""
    ranges: list[tuple[date, date]] = []
    for week in sorted(weeks):
        if ranges and week - ranges[-1][1] == timedelta(days=7):
            ranges[-1] = (ranges[-1][0], week)
        else:
            ranges.append((week, week))
    return ranges
