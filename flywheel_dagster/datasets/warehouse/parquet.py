"""One week from PostgreSQL to a Parquet file, in flat memory: COPY as CSV, which DuckDB reads. Where the file goes is a destination's."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import duckdb
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.warehouse.schema import WEEK, Column, Schema

_LINES = 500  # to write at once
_PART_BYTES = 4 * 2**20  # DuckDB keeps what it read of a CSV file until its end, so a week comes in small files
_LINE_BYTES = 2_000_000  # DuckDB's own limit of a line, raised where a row is longer
_ROW_GROUP = 10_000  # rows, fewer where they are long: reader and writer hold a group at a time
_ROW_GROUP_BYTES = 16 * 2**20
_WORK = "flywheel-warehouse-"


@dataclass(frozen=True)
class WeekFile:
    """A week's Parquet file, and how many rows and bytes it has."""

    path: Path
    rows: int
    bytes: int


@contextmanager
def working_folder() -> Iterator[Path]:
    """A private temporary folder. What a killed process left in one is removed after a day: it may hold personal data."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_WORK}*"):
        try:
            left = time.time() - folder.stat().st_mtime > 86_400
        except FileNotFoundError:
            continue
        if left:
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_WORK) as folder_name:
        yield Path(folder_name)


def write_week(
    connection: psycopg.Connection[TupleRow], schema: Schema, week: date, folder: Path, *, week_in_file: bool
) -> WeekFile:
    """Write the training-ready outcomes sent in the week, by sent_at and id, into `folder`; the same rows give the same bytes."""
    query = sql.SQL(statement("copy_warehouse_week")).format(
        columns=sql.SQL(", ").join(sql.Identifier(column.name) for column in schema.columns),
        week=sql.Literal(week),
    )
    spool = _Spool(folder)
    with spool, connection.cursor().copy(query) as copy:
        rows = iter(copy)
        while lines := list(islice(rows, _LINES)):
            spool.write([bytes(line) for line in lines])
    path = folder / "outcomes.parquet"
    _convert(spool, schema.columns, path, week if week_in_file else None)
    return WeekFile(path, spool.rows, path.stat().st_size)


class _Spool:
    """CSV files of a few megabytes each. PostgreSQL sends a row at a time, so no row stands in two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: list[Path] = []
        self.rows = 0
        self.bytes = 0
        self.longest = 0
        self._size = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> "_Spool":
        self._next()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, lines: Sequence[bytes]) -> None:
        if self._size > _PART_BYTES:
            self._next()
        assert self._file is not None
        block = b"".join(lines)
        self._file.write(block)
        self._size += len(block)
        self.bytes += len(block)
        self.rows += len(lines)
        self.longest = max(self.longest, *map(len, lines))

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
        self.parts.append(self.folder / f"{len(self.parts):06}.csv")
        self._file = self.parts[-1].open("xb")
        self._size = 0


def _convert(spool: _Spool, columns: Sequence[Column], path: Path, week: date | None) -> None:
    partition = f", date '{week.isoformat()}' as {WEEK.name}" if week else ""
    longest = max(_LINE_BYTES, spool.longest + 1)
    group = max(2_048, min(_ROW_GROUP, _ROW_GROUP_BYTES * spool.rows // max(1, spool.bytes)))
    # One thread: the order of rows, and so the bytes, don't depend on the machine.
    with duckdb.connect(":memory:", config={"threads": 1, "temp_directory": str(spool.folder)}) as converter:
        converter.execute("set timezone = 'UTC'")
        converter.execute(
            f"""
            copy (
              select *{partition}
              from read_csv(
                $parts, columns = $columns, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"',
                new_line = '\\n', allow_quoted_nulls = false, parallel = false, max_line_size = {longest}, buffer_size = {4 * longest}
              )
            ) to '{path.as_posix().replace("'", "''")}' (format parquet, compression zstd, row_group_size {group})
            """,  # noqa: S608  # numbers, a date and our own path
            {"parts": [str(part) for part in spool.parts], "columns": {column.name: column.type for column in columns}},
        )
