"""The state directory: one SQLite database (WAL), whole files beside it, and a lock. Queries live with their subjects.

What was answered survives the death of the process at any moment (SIGKILL). It doesn't promise to survive a power cut: files are
renamed into place but not fsynced, which a sandbox doesn't need.
"""

import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flywheel_dagster.errors import SandboxError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, expires_at INTEGER,
    bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    model TEXT NOT NULL, base TEXT NOT NULL, training_file TEXT NOT NULL, validation_file TEXT, suffix TEXT, seed INTEGER NOT NULL,
    method TEXT NOT NULL, hyperparameters TEXT NOT NULL, metadata TEXT, integrations TEXT NOT NULL,
    status TEXT NOT NULL, error TEXT, fine_tuned_model TEXT NOT NULL, finished_at INTEGER, estimated_finish INTEGER,
    trained_tokens INTEGER, result_files TEXT NOT NULL DEFAULT '[]', progress TEXT NOT NULL DEFAULT '[]', fault TEXT,
    checked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL, level TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL, data TEXT
);
CREATE INDEX IF NOT EXISTS events_of_job ON events (job_id, number);
CREATE TABLE IF NOT EXISTS models (
    id TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES jobs (id), created_at INTEGER NOT NULL, base TEXT NOT NULL,
    weights TEXT NOT NULL, step_number INTEGER, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS checkpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL REFERENCES jobs (id),
    created_at INTEGER NOT NULL, step_number INTEGER NOT NULL, model_id TEXT NOT NULL, metrics TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, input_file TEXT NOT NULL,
    endpoint TEXT NOT NULL, metadata TEXT, status TEXT NOT NULL, times TEXT NOT NULL DEFAULT '{}', errors TEXT, model TEXT,
    output_file TEXT, error_file TEXT, progress TEXT NOT NULL, fault TEXT
);
CREATE TABLE IF NOT EXISTS dialect_jobs (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id), dialect TEXT NOT NULL, asked TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_imports (file_id TEXT PRIMARY KEY REFERENCES files (id), looks INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS azure_deployments (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL, sku TEXT NOT NULL, looks INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS together_endpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    display_name TEXT NOT NULL, model TEXT NOT NULL, hardware TEXT NOT NULL, autoscaling TEXT NOT NULL, state TEXT NOT NULL,
    fails INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS billed (kind TEXT NOT NULL, key TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""


class Store:
    """The open state directory. Its database belongs to the thread that opened it (the event loop's)."""

    def __init__(self, directory: Path) -> None:
        """Open or create the directory. Raises `SandboxError` when another server holds it."""
        self.directory = directory.resolve()
        self.contents = self.directory / "files"
        self.models = self.directory / "models"
        self.batches = self.directory / "batches"
        for path in (self.contents, self.models, self.batches):
            path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise SandboxError(f"Another model server uses {self.directory}; stop it or give another --state directory.") from error
        self.database = sqlite3.connect(self.directory / "state.sqlite3", isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = NORMAL")
        self.database.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: the writes inside are there after the block, or none of them is."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield self.database
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def close(self) -> None:
        """Close the database and release the directory."""
        self.database.close()
        os.close(self._lock)


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file, given whole or in pieces, so that a reader sees all of it or none of it, whenever the process dies."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".half-", suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
