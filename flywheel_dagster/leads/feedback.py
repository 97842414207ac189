"""Takes the sales team's list of closed leads: a file of leads and what became of them, for leads that were scored before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.columns import Columns
from flywheel_dagster.leads.tables import LeadTable, Row, open_table
from flywheel_dagster.leads.writing import words_of
from flywheel_dagster.outcomes.import_rejects import Rejects

Connection = psycopg.Connection[TupleRow]
_CHUNK = 1_000  # rows of a transaction
_IDS = ("lead_id", "id", "lead")
_LABELS = ("outcome", "actual_outcome", "converted", "status")
_TIMES = ("date", "told_at", "closed_at", "time")


@dataclass(frozen=True)
class Taken:
    """What became of the rows: new words, words that were known already, rows that were refused."""

    rows: int
    heard: int
    repeated: int
    rejected: int
    rejects: Path | None


def take_feedback(
    connection: Connection,
    path: Path,
    organization_id: str,
    *,
    id: str | None = None,
    label: str | None = None,
    time: str | None = None,
    told_by: str | None = None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Taken:
    """Take a CSV file with the columns lead_id, outcome and maybe date (or those that are named). A second run changes nothing.

    A day counts with its last moment, a row without a time counts now. Rows of leads that were never scored, and rows that can't be read, go to
    `rejects` (by default NAME.rejects.csv beside the file). Raises InputError for a file or columns that can't be used.
    """
    table = open_table(path)
    columns = _columns(table, id, label, time)
    now, size = datetime.now(UTC), table.size
    rows = heard = 0
    with Rejects(rejects or path.with_name(f"{path.stem}.rejects.csv")) as refused:
        for chunk in _chunks(table.rows(lambda at: progress(min(at, size), size))):
            rows += len(chunk)
            said = []
            for row in chunk:
                try:
                    said.append((row, _word(columns, row, now)))
                except ValueError as error:
                    refused.add((row.line, str(error), row.texts))
            heard += _tell(connection, organization_id, said, told_by, refused)
        return Taken(rows, heard, rows - heard - refused.count, refused.count, refused.path if refused.count else None)


Word = tuple[str, bool | None, datetime | None]


def _word(columns: Columns, row: Row, now: datetime) -> Word:
    if row.problem:
        raise ValueError(row.problem)
    if (outcome := columns.outcome_of(row.texts)) is None:
        raise ValueError(f"{columns.label}: nothing is said; say whether the lead converted")
    return columns.id_of(row.texts), outcome, columns.time_of(row.texts, now=now)


def _tell(
    connection: Connection, organization_id: str, said: Sequence[tuple[Row, Word]], told_by: str | None, refused: Rejects
) -> int:
    if not said:
        return 0
    values = words_of(organization_id, [word for _, word in said], source="file", told_by=told_by)
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        told = cursor.execute(statement("tell_leads"), values).fetchall()
    for (row, _), word in zip(said, told, strict=True):
        if not word["known"]:
            refused.add((row.line, "no lead with this id was ever scored; score or import it first", row.texts))
    return sum(word["heard"] for word in told)


def _columns(table: LeadTable, id: str | None, label: str | None, time: str | None) -> Columns:
    found = {
        "--id": id or _first(table, _IDS),
        "--label": label or _first(table, _LABELS),
        "--time": time or _first(table, _TIMES),
    }
    for option, usual in (("--id", _IDS), ("--label", _LABELS)):
        if found[option] is None:
            raise InputError(f"{table.path.name} has none of the columns {', '.join(usual)}; name the column by {option}")
    table.require(*(name for name in found.values() if name is not None))
    return Columns(found["--id"], found["--label"], found["--time"], {}, ())


def _first(table: LeadTable, usual: Sequence[str]) -> str | None:
    by_name = {name.casefold().replace(" ", "_"): name for name in table.columns}
    return next((by_name[name] for name in usual if name in by_name), None)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk
