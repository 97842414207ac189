"""Reads files of past outcomes, CSV, JSONL or Parquet, row by row in flat memory. What a row means is in `import_rows.py`."""

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import orjson

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.import_rows import COLUMNS, REQUIRED

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True)
class SourceRow:
    """One row as the file has it: its line (for Parquet its row number, from 1) and its values, or why it can't be read."""

    line: int
    values: dict[str, Any]
    problem: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """An opened file: `rows()` streams it, `total` is its size in the unit in which `done()` counts."""

    path: Path
    rows: Callable[[], Iterator[SourceRow]]
    total: int
    done: Callable[[], int]


def open_source(path: Path, *, defaults: frozenset[str] = frozenset()) -> SourceFile:
    """Choose a reader by the file's ending and check its columns; `defaults` names columns that the caller fills in.

    Raises InputError for a missing file, an unknown ending, or columns that are missing or unknown (CSV and Parquet have a header).
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; give a .csv, .jsonl or .parquet file of past outcomes")
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(f"{path.name} ends in {path.suffix or 'nothing'}; rename it to .csv, .jsonl or .parquet, whichever it is")
    try:
        return {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[kind](path, defaults)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; check its permissions") from error


def _text(path: Path, newline: str | None = None) -> TextIO:
    # Broken bytes become surrogates here and U+FFFD in the database: a row is kept, not lost, for one bad byte.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def _csv(path: Path, defaults: frozenset[str]) -> SourceFile:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with _text(path, newline="") as file:
        header = next(csv.reader(file), None)
    if not header:
        raise InputError(f"{path.name} is empty; its first line names the columns: {', '.join(REQUIRED)}, …")
    _check_columns(path, header, defaults)
    position = [0]

    def rows() -> Iterator[SourceRow]:
        with _text(path, newline="") as file:
            lines = csv.reader(_counted(file, position))
            next(lines)
            width = len(header)
            start = lines.line_num + 1
            while True:
                try:
                    values = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield SourceRow(start, {}, f"not CSV: {error}")
                else:
                    if len(values) == width:
                        yield SourceRow(start, dict(zip(header, values, strict=True)))
                    elif values:
                        yield SourceRow(
                            start, dict(zip(header, values, strict=False)), f"{len(values)} fields, the header has {width}"
                        )
                start = lines.line_num + 1

    return SourceFile(path, rows, path.stat().st_size, lambda: position[0])


def _jsonl(path: Path, _: frozenset[str]) -> SourceFile:
    position = [0]
    known = frozenset(COLUMNS)

    def rows() -> Iterator[SourceRow]:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                position[0] += len(line)
                if not line.strip():
                    continue
                try:
                    values = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
                except orjson.JSONDecodeError as error:
                    yield SourceRow(number, {"text": line.decode("utf-8", "replace").rstrip("\n")}, f"not JSON: {error}")
                    continue
                if not isinstance(values, dict):
                    yield SourceRow(number, {"value": values}, "not a JSON object")
                elif unknown := values.keys() - known:
                    yield SourceRow(number, values, f"unknown column {', '.join(sorted(unknown))}")
                else:
                    yield SourceRow(number, values)

    return SourceFile(path, rows, path.stat().st_size, lambda: position[0])


def _parquet(path: Path, defaults: frozenset[str]) -> SourceFile:
    import duckdb  # 65 MB of library, only for this format

    position = [0]
    try:
        with duckdb.connect() as database:
            header = [
                column[0] for column in database.execute("select * from read_parquet(?) limit 0", [str(path)]).description or []
            ]
            counted = database.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()
    except duckdb.Error as error:
        raise InputError(f"{path.name} is not a Parquet file: {str(error).splitlines()[0]}") from error
    _check_columns(path, header, defaults)

    def rows() -> Iterator[SourceRow]:
        with duckdb.connect() as database:
            database.execute("set timezone = 'UTC'")
            result = database.execute("select * from read_parquet(?)", [str(path)])
            while batch := result.fetchmany(2_000):
                for values in batch:
                    position[0] += 1
                    yield SourceRow(position[0], dict(zip(header, values, strict=True)))

    return SourceFile(path, rows, int(counted[0]) if counted else 0, lambda: position[0])


def _counted(file: TextIO, position: list[int]) -> Iterator[str]:
    for line in file:
        position[0] += len(line)
        yield line


def _check_columns(path: Path, header: list[str], defaults: frozenset[str]) -> None:
    if unknown := [name for name in header if name not in COLUMNS]:
        raise InputError(
            f"{path.name} has columns that are not known: {', '.join(unknown[:5])}; rename them to the names of outcome_labels"
        )
    if missing := [name for name in REQUIRED if name not in header and name not in defaults]:
        raise InputError(f"{path.name} lacks the columns {', '.join(missing)}; add them" + _hint(missing))


def _hint(missing: list[str]) -> str:
    return ", or give --organization for all rows" if "organization_id" in missing else ""
