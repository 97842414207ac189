"""Writes what a COPY gives into files, hashed on the way, in flat memory. What is copied is chosen in `choosing.py`."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from struct import Struct
from typing import Self

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.files import Written

_Lines = bytes | memoryview
_LINES = 1_000  # to hash and write at once
_SIGNATURE, _TRAILER, _FIELDS = (
    19,
    2,
    2,
)  # bytes before the first row of a binary COPY, behind the last, and for a row's number of fields
_COUNTED = Struct(">4xii")  # the length of a number, the number of lines, and the length of the lines behind it; -1 for null
_SYNC_EVERY = 64 * 2**20  # bytes


def stream_to_file(connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed, path: Path) -> Written:
    """Write all lines to one file and put it on disk."""
    with HashedFile(path) as file, connection.cursor().copy(query) as copy:
        rows = iter(copy)
        while lines := list(islice(rows, _LINES)):
            file.write(b"".join(lines), len(lines))
    return file.written()


def stream_to_files(
    connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed, paths: Sequence[Path]
) -> list[Written]:
    """Write the blocks of a binary COPY, whose rows have for each file how many lines and the lines, or null.

    Binary, since in a text every character would be looked at for what must be quoted; in blocks, since a row costs the client more than its bytes.
    https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
    """
    with ExitStack() as stack:
        files = [stack.enter_context(HashedFile(path)) for path in paths]
        copy = stack.enter_context(connection.cursor().copy(query))
        begin = _SIGNATURE
        for row in copy:
            if len(row) - begin > _TRAILER:
                _write_block(memoryview(row)[begin + _FIELDS :], files)
            begin = 0
    return [file.written() for file in files]


def _write_block(fields: memoryview, files: Sequence["HashedFile"]) -> None:
    for file in files:
        lines, size = _COUNTED.unpack_from(fields)
        begin = _COUNTED.size
        if size >= 0:
            file.write(fields[begin : begin + size], lines)
        fields = fields[begin + max(size, 0) :]


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

    def write(self, lines: _Lines, count: int) -> None:
        """Write lines, each with its end; so many they are."""
        self._lines += count
        self._digest.update(lines)
        self._size += len(lines)
        rest = memoryview(lines)
        while rest:
            rest = rest[self._file.write(rest) :]
        if self._size - self._synced > _SYNC_EVERY:
            self._wait()
            self._sync = self._syncing.submit(os.fsync, self._file.fileno())
            self._synced = self._size

    def _wait(self) -> None:
        if self._sync is not None:
            self._sync.result()
