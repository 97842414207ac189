"""Imports history: streams rows into the ledger and `outcome_labels` in chunks, each one transaction. A second run doubles nothing."""

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import orjson
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.import_files import SourceRow, open_source
from flywheel_dagster.outcomes.import_rows import Staged, stage

_CHUNK = 5_000


@dataclass(frozen=True)
class Imported:
    """What became of the rows of a file: new snapshots, ones that were known already, and rows that were refused."""

    rows: int
    recorded: int
    repeated: int
    rejected: int
    rejects: Path | None


def import_outcomes(
    connection: psycopg.Connection[TupleRow],
    path: Path,
    *,
    organization_id: str | None = None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    chunk: int = _CHUNK,
) -> Imported:
    """Import a CSV, JSONL or Parquet file in bounded memory; `organization_id` fills rows that name none.

    Refused rows go to `rejects` (by default NAME.rejects.csv beside the input) with line number and reason. While one chunk is
    written, the next is read. Raises InputError when the file can't be read at all, or the rejects can't be written.
    """
    source = open_source(path, defaults=frozenset({"organization_id"} if organization_id else ()))
    rows = recorded = 0
    with _Rejects(rejects or path.with_name(f"{path.stem}.rejects.csv")) as refused, ThreadPoolExecutor(1) as writer:
        connection.execute(statement("import_stage"))
        connection.commit()
        stream = source.rows()
        writing: Future[int] | None = None
        while True:
            read = list(islice(stream, chunk))
            rows += len(read)
            staged = list(_staged(read, organization_id, refused))
            if writing is not None:
                recorded += writing.result()
                progress(source.done(), source.total)
            if not read:
                break
            writing = writer.submit(_write, connection, staged, refused)
        return Imported(rows, recorded, rows - recorded - refused.count, refused.count, refused.path if refused.count else None)


def _staged(rows: list[SourceRow], organization_id: str | None, refused: "_Rejects") -> Iterator[tuple[SourceRow, Staged]]:
    for row in rows:
        if row.problem:
            refused.add(row, row.problem)
            continue
        if organization_id and not row.values.get("organization_id"):
            row.values["organization_id"] = organization_id
        try:
            yield row, stage(row.values)
        except ValueError as error:
            refused.add(row, str(error))


def _write(connection: psycopg.Connection[TupleRow], rows: list[tuple[SourceRow, Staged]], refused: "_Rejects") -> int:
    """One chunk, one transaction. A row that only the database refuses is found by halving, and the others are kept."""
    if not rows:
        return 0
    try:
        with connection.transaction():
            return _load(connection, [staged for _, staged in rows])
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if len(rows) == 1:
            refused.add(rows[0][0], error.diag.message_primary or "refused by the database")
            return 0
        middle = len(rows) // 2
        return _write(connection, rows[:middle], refused) + _write(connection, rows[middle:], refused)


def _load(connection: psycopg.Connection[TupleRow], rows: list[Staged]) -> int:
    with connection.cursor() as cursor:
        with cursor.copy("copy import_stage from stdin (format text)") as copy:
            for row in rows:
                copy.write_row(_columns(row))
        new = [found[0] for found in cursor.execute(statement("import_ledger")).fetchall()]
        if new:
            inserted = cursor.execute(statement("import_outcomes"), {"new": new}).rowcount
            if inserted < len(set(new)):  # some were known before: what is new about them folds in
                cursor.execute("select fold_outcomes(%s)", (new,))
        cursor.execute("truncate import_stage")
        return len(new)


def _columns(row: Staged) -> tuple[Any, ...]:
    m = row.message
    return (
        m.id, _text(m.organization_id), _text(m.campaign_id), _text(m.lead_id), m.channel, _text(m.subject_line), _text(m.message_body),
        _text(m.framework), _text(m.tone), orjson.dumps(m.agent_decisions).decode() if m.agent_decisions else "{}", m.experiment_arm,
        m.sent_at, _text(m.lead_industry), _text(m.lead_role), _text(m.company_size), m.icp_score,
        row.event_key, row.as_of, row.facts.decode(),
    )  # fmt: skip


def _text(value: str | None) -> str | None:
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class _Rejects:
    """The refused rows, as CSV: line, reason, row. The file is made with the first of them; an old one does not stay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{self.path} can't be replaced: {error.strerror}; name another file with --rejects") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def add(self, row: SourceRow, reason: str) -> None:
        if self._file is None:
            try:
                self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
            except OSError as error:
                raise InputError(f"{self.path} can't be written: {error.strerror}; name another file with --rejects") from error
            csv.writer(self._file).writerow(("line", "reason", "row"))
        self.count += 1
        shown = (
            orjson.dumps(row.values, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
            if _encodable(row.values)
            else repr(row.values)
        )
        csv.writer(self._file).writerow((row.line, reason, shown))
        self._file.flush()


def _encodable(values: dict[str, Any]) -> bool:
    try:
        orjson.dumps(values, default=str)
    except orjson.JSONEncodeError:
        return False
    return True
