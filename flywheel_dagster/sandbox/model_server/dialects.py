"""Jobs that were created by another provider's API: ordinary jobs, with what only that API knows of them beside. Shapes are not here."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flywheel_dagster.sandbox.model_server.jobs import Job, read_job
from flywheel_dagster.sandbox.model_server.store import Store

_SELECT = "SELECT jobs.*, asked FROM jobs JOIN dialect_jobs ON job_id = id AND dialect = ?"


class Dialect(StrEnum):
    """The APIs beside OpenAI's own. Each lists and shows only the jobs that it created itself."""

    TOGETHER = "together"
    AZURE = "azure"


@dataclass(frozen=True)
class DialectJob:
    """A job, and what was asked in the words of its own API."""

    job: Job
    asked: dict[str, Any]


def note_dialect(database: sqlite3.Connection, job_id: str, dialect: Dialect, asked: Mapping[str, Any]) -> None:
    """Say whose job this is, within the transaction that inserts it."""
    database.execute(
        "INSERT INTO dialect_jobs (job_id, dialect, asked) VALUES (?, ?, ?)", (job_id, dialect, json.dumps(dict(asked)))
    )


def find_job(store: Store, dialect: Dialect, job_id: str) -> DialectJob | None:
    """The job of that id, if this API created it."""
    row = store.database.execute(f"{_SELECT} WHERE id = ?", (dialect, job_id)).fetchone()
    return None if row is None else _read(row)


def list_jobs(store: Store, dialect: Dialect, *, before: int | None = None, limit: int = -1) -> list[DialectJob]:
    """The jobs of an API, newest first; those whose number is lower than `before`, at most `limit` of them (-1: all)."""
    newest_first = f"{_SELECT} WHERE number < ifnull(?, 9e18) ORDER BY number DESC LIMIT ?"
    return [_read(row) for row in store.database.execute(newest_first, (dialect, before, limit))]


def _read(row: sqlite3.Row) -> DialectJob:
    values = dict(row)
    asked = json.loads(values.pop("asked"))
    return DialectJob(read_job(values), asked)
