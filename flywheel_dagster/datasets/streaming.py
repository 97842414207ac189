"""Writes what a COPY gives into a file, hashed on the way, in flat memory. What is copied is chosen in `assemble.py`."""

import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

_LINES = 500  # to hash and write at once
_AHEAD = 32  # such blocks read ahead of the disk
_SYNC_EVERY = 64 * 2**20  # bytes


def stream_to_file(connection: psycopg.Connection[TupleRow], query: sql.SQL | sql.Composed, path: Path) -> tuple[str, int]:
    """Write the file and put it on disk; returns its SHA-256 and size. Hashing, writing and the disk's own work run beside the reading."""
    with _HashedFile(path) as file, ThreadPoolExecutor(1) as writer, connection.cursor().copy(query) as copy:
        rows = iter(copy)
        writing: deque[Future[None]] = deque()
        while lines := list(islice(rows, _LINES)):
            writing.append(writer.submit(file.write, b"".join(lines)))
            if len(writing) > _AHEAD:
                writing.popleft().result()
        for write in writing:
            write.result()
    return file.digest.hexdigest(), file.size


class _HashedFile:
    """A file that knows its hash, and is on disk when its block ends well. Syncing as it grows leaves little to wait for at the end."""

    def __init__(self, path: Path) -> None:
        self.digest, self.size = hashlib.sha256(), 0
        self._synced = 0
        self._file = path.open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def write(self, block: bytes) -> None:
        self.digest.update(block)
        self.size += len(block)
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]
        if self.size - self._synced > _SYNC_EVERY:
            os.fsync(self._file.fileno())
            self._synced = self.size
