"""CSV in blocks of whole records, so that several processes can parse one file, and the records of a block. Same dialect as Python's csv."""

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from flywheel_dagster.errors import InputError

# Line ends for str.splitlines() that are none in a file.
_NO_LINE_ENDS = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
_LONGEST = 64 * 2**20  # bytes of one record
_BOM = b"\xef\xbb\xbf"


def csv_blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """The file in blocks of about `size` bytes that begin and end with a record, each with the number of its first line.

    The first block is the first record alone: the header. Raises InputError for a record without an end.
    """
    line, header = 1, True
    pending = file.read(size).removeprefix(_BOM)
    more = True
    while pending:
        end = _records_end(pending, final=not more, first=header)
        if end:
            block, pending = pending[:end], pending[end:]
            yield line, block
            line += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
            header = False
        elif len(pending) > _LONGEST:
            raise InputError(f"the row that begins in line {line} has no end within {len(pending):,} bytes; close its quote")
        if more and (not end or len(pending) < size):
            # Doubling what has no end yet keeps the search for it linear.
            read = file.read(max(size, len(pending)))
            more = bool(read)
            pending += read


def csv_rows(line: int, block: bytes) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The records of a block and the line that each begins in. Broken UTF-8 and NUL become U+FFFD: a row is not lost for a bad byte."""
    csv.field_size_limit(2**31 - 1)
    text = block.decode("utf-8", "replace").replace("\0", "\ufffd")
    # Three times as fast as StringIO where both give the same lines.
    lines = io.StringIO(text, newline="") if _NO_LINE_ENDS.search(text) else text.splitlines(keepends=True)
    records = csv.reader(lines)
    start = line
    while True:
        try:
            yield start, next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, error
        start = line + records.line_num


def _records_end(data: bytes, *, final: bool, first: bool) -> int:
    """Where the last record ends (or the first), given that data begins with one; 0 if none does, and the end of the file ends all."""
    if final and not first:
        return len(data)
    gaps = _unquoted(data)
    for start, stop in gaps if first else reversed(gaps):
        if end := _line_end(data, start, stop, first=first):
            return end
    return len(data) if final else 0


def _unquoted(data: bytes) -> list[tuple[int, int]]:
    """The stretches between quoted fields. A field is quoted when it begins with a quote; elsewhere a quote is a plain character."""
    find = data.find
    gaps = []
    start = quote = 0
    while (quote := find(b'"', quote)) >= 0:
        if quote and data[quote - 1] not in b",\r\n":
            quote += 1
            continue
        gaps.append((start, quote))
        quote = find(b'"', quote + 1)
        while quote >= 0 and data[quote + 1 : quote + 2] == b'"':
            quote = find(b'"', quote + 2)
        if quote < 0 or quote + 1 == len(data):  # not closed yet, or perhaps the first half of a doubled quote
            return gaps
        start = quote = quote + 1
    gaps.append((start, len(data)))
    return gaps


def _line_end(data: bytes, start: int, stop: int, *, first: bool) -> int:
    """The place after the last (or first) line end between start and stop; 0 if there is none. A lone \\r ends a line as well."""
    ends = [place + 1 for place in (_find(data, mark, start, stop, first=first) for mark in (b"\n", b"\r")) if place >= 0]
    if not ends:
        return 0
    end = min(ends) if first else max(ends)
    if data[end - 1 : end] == b"\r":
        if data[end : end + 1] == b"\n" and end < stop:
            return end + 1
        if end == len(data):  # \n may follow
            return 0 if first else _line_end(data, start, end - 1, first=False)
    return end


def _find(data: bytes, mark: bytes, start: int, stop: int, *, first: bool) -> int:
    return data.find(mark, start, stop) if first else data.rfind(mark, start, stop)
