"""Reads CSV tables of leads as people export them: comma, semicolon or tab, with a header, in flat memory. What a row means is in `importing.py`."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from flywheel_dagster.errors import InputError

_DELIMITERS = ",;\t|"
_LONGEST_FIELD = 1 << 20


@dataclass(frozen=True)
class Row:
    """One row: the line that it begins in (from 1), and its texts by column; `problem` says why they can't be told apart."""

    line: int
    texts: dict[str, str]
    problem: str | None = None


@dataclass(frozen=True)
class LeadTable:
    """An opened table. `rows(progress)` reads it from the start, and tells how many of its bytes are read."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size

    def rows(self, progress: Callable[[int], None] = lambda _: None) -> Iterator[Row]:
        """The rows that aren't empty. Broken UTF-8 and NUL become U+FFFD: a row isn't lost for a bad byte."""
        csv.field_size_limit(_LONGEST_FIELD)
        with _opened(self.path) as file:
            records = csv.reader((line.replace("\0", "\ufffd") for line in file), delimiter=self.delimiter)
            next(records)
            line = records.line_num + 1
            while True:
                try:
                    values = next(records)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(line, {}, f"not CSV: {error}")
                    values = []
                if values:
                    yield self._row(line, values)
                line = records.line_num + 1
                progress(_position(file))

    def _row(self, line: int, values: Sequence[str]) -> Row:
        if len(values) != len(self.columns):
            shown = {str(place): value for place, value in enumerate(values, 1)}
            return Row(line, shown, f"{len(values)} fields, the header has {len(self.columns)}")
        return Row(line, dict(zip(self.columns, values, strict=True)))

    def require(self, *columns: str) -> None:
        """Raises InputError naming a column that the table lacks, and those that it has."""
        for column in columns:
            if column not in self.columns:
                raise InputError(
                    f"{self.path.name} has no column {column!r}; it has {', '.join(map(repr, self.columns[:40]))}; columns are case-sensitive"
                )


def open_table(path: Path) -> LeadTable:
    """Look at the header: columns and what stands between them. Raises InputError for what is no table."""
    if not path.is_file():
        raise InputError(f"{path} is not a file; give a CSV file with a header")
    with _opened(path) as file:
        first = file.readline().replace("\0", "\ufffd")
    if not first.strip():
        raise InputError(f"{path.name} is empty; its first line names the columns")
    delimiter = max(_DELIMITERS, key=lambda mark: len(next(csv.reader(io.StringIO(first), delimiter=mark))))
    columns = tuple(name.strip() for name in next(csv.reader(io.StringIO(first), delimiter=delimiter)))
    if blank := [place for place, name in enumerate(columns, 1) if not name]:
        raise InputError(f"{path.name} has no name for column {blank[0]}; every column needs one in the first line")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise InputError(f"{path.name} has the columns {', '.join(twice)} more than once; rename or remove them")
    return LeadTable(path, columns, delimiter)


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}; check its permissions") from error


def _position(file: TextIO) -> int:
    return file.buffer.tell()  # of what is read ahead; tell() of the text itself is slow, and not to be had while it is iterated
