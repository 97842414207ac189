"""Weeks of training rows: which are stale, and writing them anew. What a week is stands in `outcomes/weeks.py`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Lock, connect, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.examples import Example, build_examples, built_by, split_point
from flywheel_dagster.datasets.near_duplicates import sketch
from flywheel_dagster.datasets.privacy.known import KnownSenders, Person
from flywheel_dagster.workers import in_processes

_BATCH = 250  # rows in hand: texts are counted together, and may be of 100 kB
_REMEMBERED = 20_000  # texts of a week whose bands were written, so that a template's aren't made a thousand times
_WORTH_A_PROCESS = 5_000  # rows; fewer are built sooner than a process starts


@dataclass
class ScoredWeek:
    """What one week came to: of all outcomes `sent`, the rows that are ready for training, by label, and how many make an example.

    `rejected` says why others don't, `replaced` counts the placeholders that were put in for personal data.
    """

    week: date
    sent: int = 0
    rows: int = 0
    tokens: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    quality: float = 0.0

    @property
    def examples(self) -> int:
        """Rows that make an example."""
        return self.rows - self.rejected.total()

    @property
    def mean_quality(self) -> float:
        """0..1, over all rows."""
        return round(self.quality / self.rows, 4) if self.rows else 0.0

    def add(self, row: Mapping[str, Any], example: Example) -> None:
        """Count a row and what was made of it."""
        self.rows += 1
        self.labels[row["training_label"]] += 1
        self.quality += row["quality_score"]
        self.tokens += example.tokens or 0
        self.replaced.update(example.replaced)
        if example.rejected:
            self.rejected[example.rejected] += 1


def score_weeks(
    connection: psycopg.Connection[TupleRow],
    first: date,
    last: date,
    *,
    outcome_note: bool = False,
    processes: int = 1,
    progress: Callable[[ScoredWeek], None] = lambda _: None,
) -> list[ScoredWeek]:
    """Write the weeks from Monday `first` to Monday `last` anew, each in a transaction of its own, several side by side.

    More `processes` than one connect to the same address; few rows stay in this one. Raises WorkerError when a process is killed; the weeks
    that were done stay done.
    """
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    processes = min(processes, len(weeks), _rows(connection, first, last) // _WORTH_A_PROCESS)
    scored = []
    if processes > 1:
        url = make_conninfo(connection.info.dsn, password=connection.info.password or None)
        found = in_processes(_Scoring(url, outcome_note), weeks, processes)
    else:
        found = (score_week(connection, week, outcome_note=outcome_note) for week in weeks)
    for week in found:
        scored.append(week)
        progress(week)
    return scored


def score_week(connection: psycopg.Connection[TupleRow], week: date, *, outcome_note: bool = False) -> ScoredWeek:
    """Write the rows of one week anew, in one transaction over exactly that week; a re-run gives the same rows.

    Memory stays flat: rows stream through a cursor. Two processes on one week wait for each other.
    """
    with held_lock(connection, Lock.WEEK, week.toordinal()), one_snapshot(connection):
        return _Rewriting(connection, week, outcome_note=outcome_note).rewrite()


def stale_weeks(connection: psycopg.Connection[TupleRow], *, outcome_note: bool = False) -> list[date]:
    """The weeks whose training rows are missing, older than their outcomes, or of another format or formula."""
    asked = {"built_by": built_by(outcome_note=outcome_note)}
    return [found[0] for found in connection.execute(statement("stale_weeks"), asked).fetchall()]


@dataclass(frozen=True)
class _Scoring:
    """What a process needs to know to score weeks."""

    url: str
    outcome_note: bool

    @contextmanager
    def ready(self) -> Iterator[Callable[[date], ScoredWeek]]:
        with connect(self.url) as connection:
            yield lambda week: score_week(connection, week, outcome_note=self.outcome_note)


class _Rewriting:
    """One week's transaction."""

    def __init__(self, connection: psycopg.Connection[TupleRow], week: date, *, outcome_note: bool) -> None:
        self._connection, self._week, self._outcome_note = connection, week, outcome_note
        self._senders: dict[str, KnownSenders | None] = {}
        self._written: dict[int, None] = {}

    def rewrite(self) -> ScoredWeek:
        scored = ScoredWeek(self._week)
        execute = self._connection.execute
        execute("delete from scored_training_rows where week = %s", (self._week,))
        execute("delete from message_bands where week = %s", (self._week,))
        execute(statement("create_arriving_bands"))
        with self._connection.cursor("outcomes_of_week", row_factory=dict_row) as outcomes:
            outcomes.execute(statement("outcomes_of_week"), {"week": self._week})
            while batch := outcomes.fetchmany(_BATCH):
                self._write(batch, scored)
        execute(statement("keep_arriving_bands"))
        sent = execute(statement("outcomes_sent_in_week"), {"week": self._week}).fetchone()
        assert sent is not None
        scored.sent = sent[0]
        marked = {"week": self._week, "rows": scored.rows, "built_by": built_by(outcome_note=self._outcome_note)}
        execute(statement("mark_week_scored"), marked)
        return scored

    def _write(self, batch: list[dict[str, Any]], scored: ScoredWeek) -> None:
        self._learn({row["organization_id"] for row in batch})
        fresh = []
        with self._connection.cursor().copy(statement("copy_scored_training_rows")) as copy:
            examples = build_examples(batch, self._senders, with_outcome_note=self._outcome_note)
            for row, example in zip(batch, examples, strict=True):
                copy.write_row(self._values(row, example))
                scored.add(row, example)
                if example.key is not None and example.key not in self._written:
                    self._written[example.key] = None
                    fresh.append((self._week, example.key, *sketch(example.words)))
        with self._connection.cursor().copy(statement("copy_arriving_bands")) as copy:
            for values in fresh:
                copy.write_row(values)
        for key in list(islice(self._written, max(0, len(self._written) - _REMEMBERED))):
            del self._written[key]

    def _values(self, row: Mapping[str, Any], example: Example) -> tuple[Any, ...]:
        return (
            row["id"],
            self._week,
            row["organization_id"],
            row["lead_id"],
            row["channel"],
            row["lead_industry"],
            row["lead_role"],
            row["sent_at"],
            row["delivered"],
            row["silent"],
            row["quality_score"],
            row["training_label"],
            row["training_weight"],
            row["deal_closed"],
            split_point(row["organization_id"], row["lead_id"]),
            example.key,
            example.tokens,
            example.line,
            example.rejected,
        )

    def _learn(self, ids: set[str]) -> None:
        """What is replaced in the messages of organisations not met before in this week."""
        if not (unknown := ids - self._senders.keys()):
            return
        for id_, name, off, senders in self._connection.execute(statement("organizations_privacy"), {"ids": sorted(unknown)}):
            self._senders[id_] = None if off else KnownSenders([Person(*sender) for sender in senders], name)


def _rows(connection: psycopg.Connection[TupleRow], first: date, last: date) -> int:
    found = connection.execute(statement("count_outcomes_of_weeks"), {"first": first, "last": last, "enough": 10**5}).fetchone()
    connection.commit()
    assert found is not None
    return int(found[0])
