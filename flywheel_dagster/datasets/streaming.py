"""Writes what a COPY gives into files, hashed on the way, in flat memory. What is copied is chosen in `choosing.py`."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.files import Written

_Line = bytes | bytearray | memoryview
_LINES = 1_000  # to hash and write at once
_SIGNATURE, _TRAILER = 19, 2  # bytes before the first row of a binary COPY and behind the last
_SYNC_EVERY = 64 * 2**20  # bytes
# A row of `copy_dataset_lines.sql`: the number of fields, then each with its length before it: a letter, how often (2 bytes), the line.
_LETTER, _COPIES, _LINE = 6, 11, 17


def stream_to_file(connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed, path: Path) -> Written:
    """Write all lines to one file and put it on disk."""
    with HashedFile(path) as file, connection.cursor().copy(query) as copy:
        rows = iter(copy)
        while lines := list(islice(rows, _LINES)):
            file.write(lines)
    return file.written()


def stream_to_files(
    connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed, paths: Mapping[str, Path], *, repeats: bool
) -> list[Written]:
    """Write each line of a binary COPY to the file of its letter, as often as it says; `repeats`: some more than once.

    Binary, since in a text every character would be looked at for what must be quoted.
    https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
    """
    with ExitStack() as stack:
        files = {ord(letter): stack.enter_context(HashedFile(path)) for letter, path in paths.items()}
        copy = stack.enter_context(connection.cursor().copy(query))
        rows = iter(copy)
        first = bytes(next(rows))[_SIGNATURE:]
        while block := list(islice(rows, _LINES)):
            if first:
                block.insert(0, first)
                first = b""
            if len(block[-1]) == _TRAILER:
                block.pop()
            parts: dict[int, list[_Line]] = {letter: [] for letter in files}
            if repeats:
                for row in block:
                    parts[row[_LETTER]].extend([row[_LINE:]] * int.from_bytes(row[_COPIES : _COPIES + 2], "big"))
            else:
                for row in block:
                    parts[row[_LETTER]].append(row[_LINE:])
            for letter, lines in parts.items():
                files[letter].write(lines, end=b"\n")
    return [file.written() for file in files.values()]


class HashedFile:
    """A file that knows its hash, and is on disk when its block ends well. Syncing beside the writing leaves little to wait for at the end."""

    def __init__(self, path: Path) -> None:
        self._path, self._digest, self._size, self._lines = path, hashlib.sha256(), 0, 0
        self._synced = 0
        self._file = path.open("wb", buffering=0)
        self._syncing = ThreadPoolExecutor(1)
        self._sync: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._syncing.shutdown()
            if kind is None:
                self._wait()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def written(self) -> Written:
        """What the file came to."""
        return Written(self._path.name, self._digest.hexdigest(), self._size, self._lines)

    def write(self, lines: Sequence[_Line], *, end: bytes = b"") -> None:
        """Write the lines, each with its end."""
        if not lines:
            return
        block = end.join([*lines, b""])
        self._lines += len(lines)
        self._digest.update(block)
        self._size += len(block)
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]
        if self._size - self._synced > _SYNC_EVERY:
            self._wait()
            self._sync = self._syncing.submit(os.fsync, self._file.fileno())
            self._synced = self._size

    def _wait(self) -> None:
        if self._sync is not None:
            self._sync.result()
