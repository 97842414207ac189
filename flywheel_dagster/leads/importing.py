"""Imports tables of leads: each row is scored, kept as the lead's features of that time, and its outcome told. A second run brings nothing new."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.columns import Columns
from flywheel_dagster.leads.scores import Scorer, scorer_of
from flywheel_dagster.leads.tables import LeadTable, Row, open_table
from flywheel_dagster.leads.writing import Lead, scorings, words_of
from flywheel_dagster.outcomes.import_rejects import Rejects
from flywheel_dagster.settings import Settings

if TYPE_CHECKING:
    from flywheel_dagster.leads.learning.leakage import Leak

Connection = psycopg.Connection[TupleRow]
_CHUNK = 1_000  # rows of a transaction
_LOOKED_AT = 20_000  # rows with an outcome, for fields that know it


@dataclass(frozen=True)
class Imported:
    """What became of the rows: new scorings, outcomes that are new, rows that were known already, rows that were refused.

    `leaks` are fields that predict the outcome too well to have been known before it.
    """

    rows: int
    scored: int
    told: int
    repeated: int
    rejected: int
    rejects: Path | None
    version: str
    leaks: list["Leak"]


def import_leads(
    connection: Connection,
    path: Path,
    organization_id: str,
    columns: Callable[[LeadTable], Columns],
    *,
    settings: Settings,
    late: bool = False,
    told_by: str | None = None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Import a CSV table; `columns` says what its columns are, from its header.

    The features count as known before the outcome, unless they are `late`. Refused rows go to `rejects` (by default NAME.rejects.csv beside the
    table) with line and reason. Raises InputError for a table or columns that can't be used.
    """
    table = open_table(path)
    import_ = _Import(connection, organization_id, columns(table), scorer_of(connection, organization_id, settings), late, told_by)
    with Rejects(rejects or path.with_name(f"{path.stem}.rejects.csv")) as refused:
        import_.run(table, refused, progress)
        return Imported(
            import_.rows, import_.scored, import_.told, import_.rows - refused.count - import_.scored, refused.count,
            refused.path if refused.count else None, import_.scorer.version, import_.leaks(),
        )  # fmt: skip


@dataclass
class _Import:
    connection: Connection
    organization_id: str
    columns: Columns
    scorer: Scorer
    late: bool
    told_by: str | None
    rows: int = 0
    scored: int = 0
    told: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _looked_at: list[Lead] = field(default_factory=list)

    def run(self, table: LeadTable, refused: Rejects, progress: Callable[[int, int], None]) -> None:
        now, size = self._now(), table.size
        rows = table.rows(lambda at: progress(min(at, size), size))
        for chunk in _chunks(rows, _CHUNK):
            self.rows += len(chunk)
            leads = []
            for row in chunk:
                try:
                    leads.append((row, self._lead(row, now)))
                except ValueError as error:
                    refused.add((row.line, str(error), row.texts))
            self._look_at(lead for _, lead in leads)
            self._write(leads, refused)

    def leaks(self) -> "list[Leak]":
        """Fields that seem to know the outcome, among the first rows that have one."""
        from flywheel_dagster.leads.learning.leakage import leaking_fields
        from flywheel_dagster.leads.learning.table import TrainingTable

        told = self._looked_at
        groups = [hashlib.md5(repr(sorted(lead.features.items())).encode(), usedforsecurity=False).hexdigest() for lead in told]
        converted = np.array([lead.outcome for lead in told], dtype=np.bool_)
        table = TrainingTable([lead.features for lead in told], converted, groups, None, [lead.lead_id for lead in told])
        try:
            return leaking_fields(table)
        except InputError:  # too few to tell
            return []

    def _lead(self, row: Row, now: datetime) -> Lead:
        if row.problem:
            raise ValueError(row.problem)
        at = self.columns.time_of(row.texts, now=now) or now
        return Lead(self._id(row), self.columns.features_of(row.texts), self.columns.outcome_of(row.texts), at)

    def _id(self, row: Row) -> str:
        """As the table has it; else from what the row says, so that the same table gives the same ids: equal rows are told apart by their number."""
        if self.columns.id is not None:
            return self.columns.id_of(row.texts)
        content = hashlib.sha256(repr(sorted(row.texts.items())).encode("utf-8", "replace")).hexdigest()[:20]
        self._seen[content] += 1
        return f"row-{content}-{self._seen[content]}"

    def _look_at(self, leads: Iterable[Lead]) -> None:
        told = (lead for lead in leads if lead.outcome is not None)
        self._looked_at += islice(told, max(0, _LOOKED_AT - len(self._looked_at)))

    def _write(self, leads: Sequence[tuple[Row, Lead]], refused: Rejects) -> None:
        """One transaction. A row that only the database refuses (an erased lead) is found by halving, and the others are kept."""
        if not leads:
            return
        try:
            with self.connection.transaction():
                scored, told = self._store([lead for _, lead in leads])
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(leads) == 1:
                row, _ = leads[0]
                refused.add((row.line, error.diag.message_primary or "refused by the database", row.texts))
                return
            middle = len(leads) // 2
            self._write(leads[:middle], refused)
            self._write(leads[middle:], refused)
        else:
            self.scored += scored
            self.told += told

    def _store(self, leads: Sequence[Lead]) -> tuple[int, int]:
        scores = self.scorer.score([lead.features for lead in leads], explained=False)
        values = scorings(self.organization_id, leads, scores, self.scorer.version, source="import", late=self.late)
        timed = self.columns.time is not None
        said = [(lead.lead_id, lead.outcome, lead.scored_at if timed else None) for lead in leads if lead.outcome is not None]
        with self.connection.cursor(row_factory=dict_row) as cursor:
            written = cursor.execute(statement("write_lead_scores"), values).fetchone()
            assert written is not None
            words = words_of(self.organization_id, said, source="import", told_by=self.told_by)
            heard = cursor.execute(statement("tell_leads"), words).fetchall() if said else []
        return written["written"], sum(word["heard"] for word in heard)

    def _now(self) -> datetime:
        row = self.connection.execute("select now()").fetchone()
        self.connection.commit()
        assert row is not None
        return row[0].astimezone(UTC)  # type: ignore[no-any-return]


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk
