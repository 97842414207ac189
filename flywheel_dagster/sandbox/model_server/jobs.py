"""Fine-tuning jobs as they are kept and shown: the row, its events and its checkpoints. What moves a job on is `lifecycle`'s."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flywheel_dagster.sandbox.model_server.job_requests import JobRequest, normalise_suffix
from flywheel_dagster.sandbox.model_server.models import ORGANISATION
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.validation import FEWEST_EXAMPLES
from flywheel_dagster.sandbox.model_server.wire import ApiError, new_id, now


class JobStatus(StrEnum):
    """The states of a job. `paused` is answered though the published enumeration lacks it."""

    VALIDATING = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class Job:
    """One row. `progress` holds the weights and losses of the epochs done; `fine_tuned_model` is the name it will get; `checked` is 1
    once its files passed."""

    number: int
    id: str
    created_at: int
    model: str
    base: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    method: str
    hyperparameters: dict[str, Any]
    metadata: dict[str, str] | None
    integrations: list[Any]
    status: JobStatus
    error: dict[str, Any] | None
    fine_tuned_model: str
    finished_at: int | None
    estimated_finish: int | None
    trained_tokens: int | None
    result_files: list[str]
    progress: list[dict[str, Any]]
    fault: dict[str, Any] | None
    checked: int

    @property
    def fewest_examples(self) -> int:
        """What a training file must have: Together, whose ids begin with ft-, takes a single example."""
        return 1 if self.id.startswith("ft-") else FEWEST_EXAMPLES

    def as_wire(self) -> dict[str, Any]:
        """The job object of the API. While nothing is wrong `error` is null at first and an object of nulls later, as seen."""
        started = self.status not in (JobStatus.VALIDATING, JobStatus.QUEUED)
        nothing_wrong = {"code": None, "message": None, "param": None} if started else None
        return {
            "object": "fine_tuning.job",
            "id": self.id,
            "model": self.model if self.model.startswith("ft:") else self.base,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model if self.status == JobStatus.SUCCEEDED else None,
            "organization_id": "org-flywheelsandbox",
            "result_files": self.result_files,
            "status": self.status.value,
            "validation_file": self.validation_file,
            "training_file": self.training_file,
            "hyperparameters": {key: value for key, value in self.hyperparameters.items() if key != "beta"},
            "trained_tokens": self.trained_tokens,
            "error": self.error or nothing_wrong,
            "user_provided_suffix": self.suffix,
            "seed": self.seed,
            "estimated_finish": self.estimated_finish if self.status == JobStatus.RUNNING else None,
            "integrations": self.integrations,
            "metadata": self.metadata,
            "usage_metrics": None,
            "shared_with_openai": False,
            "method": {"type": self.method, self.method: {"hyperparameters": self.hyperparameters}},
        }


_JSON_COLUMNS = ("hyperparameters", "metadata", "integrations", "error", "result_files", "progress", "fault")


def insert_job(
    database: sqlite3.Connection,
    asked: JobRequest,
    *,
    base: str,
    fault: Mapping[str, Any] | None,
    job_id: str | None = None,
    name: str | None = None,
) -> str:
    """Add a job in validating_files with its first events, within the caller's transaction; returns its id.

    Job and model are named as OpenAI does it, unless an id and a name are given.
    """
    job_id = job_id or new_id("ftjob-")
    name = name or f"ft:{base}:{ORGANISATION}:{normalise_suffix(asked.suffix)}:{new_id('', length=8)}"
    row = {
        "id": job_id,
        "created_at": now(),
        "model": asked.model,
        "base": base,
        "training_file": asked.training_file,
        "validation_file": asked.validation_file,
        "suffix": asked.suffix,
        "seed": asked.seed,
        "method": asked.method,
        "hyperparameters": json.dumps(asked.hyperparameters),
        "metadata": None if asked.metadata is None else json.dumps(asked.metadata),
        "integrations": json.dumps(asked.integrations),
        "status": JobStatus.VALIDATING.value,
        "fine_tuned_model": name,
        "fault": None if fault is None else json.dumps(dict(fault)),
    }
    places = ", ".join(f":{column}" for column in row)
    database.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 (our own column names)
    add_event(database, job_id, f"Created fine-tuning job: {job_id}")
    add_event(database, job_id, f"Validating training file: {asked.training_file}")
    return job_id


def update_job(database: sqlite3.Connection, job_id: str, **changes: Any) -> None:
    """Change columns of a job within the caller's transaction; values of JSON columns are given as plain values."""
    values = {key: json.dumps(value) if key in _JSON_COLUMNS and value is not None else value for key, value in changes.items()}
    sets = ", ".join(f"{column} = :{column}" for column in values)
    database.execute(f"UPDATE jobs SET {sets} WHERE id = :job_id", {**values, "job_id": job_id})  # noqa: S608 (our own column names)


def add_event(
    database: sqlite3.Connection, job_id: str, message: str, *, level: str = "info", data: Mapping[str, Any] | None = None
) -> None:
    """Add an event within the caller's transaction; with `data` it is a metrics event."""
    values = (
        new_id("ftevent-"),
        job_id,
        now(),
        level,
        "metrics" if data else "message",
        message,
        json.dumps(data) if data else None,
    )
    database.execute("INSERT INTO events (id, job_id, created_at, level, type, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def require_job(store: Store, job_id: str) -> Job:
    """The job of that id, or OpenAI's 404."""
    row = store.database.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise ApiError(404, f"Could not find fine tune: {job_id}", code="fine_tune_not_found", param="fine_tune_id")
    return read_job(row)


def list_open_jobs(store: Store) -> list[str]:
    """The ids of the jobs that should move on after a restart: neither finished nor paused."""
    rows = store.database.execute("SELECT id FROM jobs WHERE status IN ('validating_files', 'queued', 'running') ORDER BY number")
    return [row["id"] for row in rows]


def read_job(row: sqlite3.Row | Mapping[str, Any]) -> Job:
    """Turn a row of the table into a `Job`."""
    values = dict(row)
    for column in _JSON_COLUMNS:
        if values[column] is not None:
            values[column] = json.loads(values[column])
    values["status"] = JobStatus(values["status"])
    return Job(**values)
