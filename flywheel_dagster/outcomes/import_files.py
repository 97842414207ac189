"""Reads files of past outcomes, CSV, JSONL or Parquet, block by block in flat memory. What a row means is in `import_rows.py`."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import json_bytes
from flywheel_dagster.outcomes.import_columns import COLUMNS, REQUIRED
from flywheel_dagster.outcomes.import_csv import csv_blocks, csv_rows

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_ROW = 1_000  # bytes, about; Parquet is read by rows


@dataclass(frozen=True)
class Block:
    """Some rows as the file has them, from line `line` on (for Parquet the row's number, from 1); `end` is how far the file is read then."""

    line: int
    content: bytes | list[tuple[Any, ...]]
    end: int


@dataclass(frozen=True)
class SourceRow:
    """One row: its line and its values by column, None where empty, or what the file has there and why it can't be read."""

    line: int
    values: list[Any]
    problem: str | None = None


@dataclass(frozen=True)
class Layout:
    """The format of a file and its columns: all that it takes to read a block of it."""

    kind: str
    columns: tuple[str, ...]

    def rows(self, block: Block) -> Iterator[SourceRow]:
        """The rows of a block. Strings come without NUL and broken UTF-8: both are U+FFFD, so that a row isn't lost for a bad byte."""
        return {"csv": _csv_rows, "jsonl": _jsonl_rows, "parquet": _parquet_rows}[self.kind](block, len(self.columns))


@dataclass(frozen=True)
class SourceFile:
    """An opened file: `blocks(size)` streams it, about so many bytes at a time; `total` is its size in the unit of `Block.end`."""

    layout: Layout
    total: int
    blocks: Callable[[int], Iterator[Block]]


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


def _csv(path: Path, defaults: frozenset[str]) -> SourceFile:
    with path.open("rb") as file:
        first = next(csv_blocks(file, 1 << 16), None)
    header = next(csv_rows(*first), (1, []))[1] if first else []
    if not header or isinstance(header, csv.Error):
        raise InputError(f"{path.name} is empty; its first line names the columns: {', '.join(REQUIRED)}, …")
    _check_columns(path, header, defaults)

    def blocks(size: int) -> Iterator[Block]:
        with path.open("rb") as file:
            found = csv_blocks(file, size)
            end = len(next(found)[1])
            for line, content in found:
                end += len(content)
                yield Block(line, content, end)

    return SourceFile(Layout("csv", tuple(header)), path.stat().st_size, blocks)


def _csv_rows(block: Block, width: int) -> Iterator[SourceRow]:
    assert isinstance(block.content, bytes)
    for line, values in csv_rows(block.line, block.content):
        if isinstance(values, csv.Error):
            yield SourceRow(line, [], f"not CSV: {values}")
        elif len(values) == width:
            yield SourceRow(line, [value or None for value in values])
        elif values:
            yield SourceRow(line, list(values), f"{len(values)} fields, the header has {width}")


def _jsonl(path: Path, _: frozenset[str]) -> SourceFile:
    def blocks(size: int) -> Iterator[Block]:
        line, end = 1, 0
        with path.open("rb") as file:
            while lines := file.readlines(size):
                content = b"".join(lines)
                end += len(content)
                yield Block(line, content, end)
                line += len(lines)

    return SourceFile(Layout("jsonl", COLUMNS), path.stat().st_size, blocks)


def _jsonl_rows(block: Block, _: int) -> Iterator[SourceRow]:
    assert isinstance(block.content, bytes)
    known = frozenset(COLUMNS)
    for number, line in enumerate(block.content.split(b"\n"), block.line):
        if not line.strip():
            continue
        try:
            values = _loaded(line.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as error:
            yield SourceRow(number, [line.decode("utf-8", "replace")], f"not JSON: {error}")
            continue
        if not isinstance(values, dict):
            yield SourceRow(number, [values], "not a JSON object")
        elif unknown := values.keys() - known:
            yield SourceRow(number, [values], f"unknown column {', '.join(sorted(unknown))}")
        else:
            yield SourceRow(number, [None if (value := values.get(name)) == "" else value for name in COLUMNS])


def _loaded(line: bytes) -> Any:
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError:
        values = orjson.loads(line.decode("utf-8", "replace"))
    return orjson.loads(json_bytes(values)) if b"\\u0000" in line else values


def _parquet(path: Path, defaults: frozenset[str]) -> SourceFile:
    import duckdb  # 65 MB of library, only for this format

    try:
        with duckdb.connect() as database:
            header = [
                column[0] for column in database.execute("select * from read_parquet(?) limit 0", [str(path)]).description or []
            ]
            counted = database.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()
    except duckdb.Error as error:
        raise InputError(f"{path.name} is not a Parquet file: {str(error).splitlines()[0]}") from error
    _check_columns(path, header, defaults)

    def blocks(size: int) -> Iterator[Block]:
        end = 0
        with duckdb.connect() as database:
            database.execute("set timezone = 'UTC'")
            result = database.execute("select * from read_parquet(?)", [str(path)])
            while rows := result.fetchmany(max(1, size // _ROW)):
                end += len(rows)
                yield Block(end - len(rows) + 1, rows, end)

    return SourceFile(Layout("parquet", tuple(header)), int(counted[0]) if counted else 0, blocks)


def _parquet_rows(block: Block, _: int) -> Iterator[SourceRow]:
    for number, values in enumerate(block.content, block.line):
        assert isinstance(values, tuple)
        yield SourceRow(number, [_filled(value) for value in values])


def _filled(value: Any) -> Any:
    return (value.replace("\0", "\ufffd") or None) if isinstance(value, str) else value


def _check_columns(path: Path, header: list[str], defaults: frozenset[str]) -> None:
    if unknown := [name for name in header if name not in COLUMNS]:
        raise InputError(
            f"{path.name} has columns that are not known: {', '.join(unknown[:5])}; rename them to the names of outcome_labels"
        )
    if twice := {name for name in header if header.count(name) > 1}:
        raise InputError(f"{path.name} has the columns {', '.join(sorted(twice))} more than once; remove one of each")
    if missing := [name for name in REQUIRED if name not in header and name not in defaults]:
        raise InputError(f"{path.name} lacks the columns {', '.join(missing)}; add them" + _hint(missing))


def _hint(missing: list[str]) -> str:
    return ", or give --organization for all rows" if "organization_id" in missing else ""
