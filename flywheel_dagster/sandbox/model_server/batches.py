"""Batches as they are asked for, kept and shown. What moves them on is `batch_lifecycle`'s, what their input must hold `batch_input`'s."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from flywheel_dagster.sandbox.model_server.job_requests import read_metadata
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import ApiError, new_id, now

ENDPOINT = "/v1/chat/completions"
_WINDOW, _WINDOW_SECONDS = "24h", 86_400


class BatchStatus(StrEnum):
    """The states of a batch."""

    VALIDATING = "validating"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


FINISHED = frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED})


@dataclass(frozen=True)
class Progress:
    """How far a batch has come: where in its input, how many requests of `total` ended how, and how long its two output files are."""

    total: int = 0
    offset: int = 0
    completed: int = 0
    failed: int = 0
    output_bytes: int = 0
    error_bytes: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def done(self) -> int:
        """Requests that were dealt with."""
        return self.completed + self.failed


@dataclass(frozen=True)
class Batch:
    """One row. `times` holds when each state began."""

    number: int
    id: str
    created_at: int
    input_file: str
    endpoint: str
    metadata: dict[str, str] | None
    status: BatchStatus
    times: dict[str, int]
    errors: list[dict[str, Any]] | None
    model: str | None
    output_file: str | None
    error_file: str | None
    progress: Progress
    fault: dict[str, Any] | None

    def as_wire(self) -> dict[str, Any]:
        """The batch object of the API; its model is told once it is known."""
        done = self.progress
        moments = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            **({} if self.model is None else {"model": self.model}),
            "errors": None if self.errors is None else {"object": "list", "data": self.errors},
            "input_file_id": self.input_file,
            "completion_window": _WINDOW,
            "status": self.status.value,
            "output_file_id": self.output_file,
            "error_file_id": self.error_file,
            "created_at": self.created_at,
            "expires_at": self.created_at + _WINDOW_SECONDS,
            **{f"{moment}_at": self.times.get(moment) for moment in moments},
            "request_counts": {"total": done.total, "completed": done.completed, "failed": done.failed},
            "usage": {
                "input_tokens": done.prompt_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": done.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": done.prompt_tokens + done.completion_tokens,
            },
            "metadata": self.metadata,
        }


def read_batch_request(body: Mapping[str, Any]) -> tuple[str, dict[str, str] | None]:
    """The input file and metadata that POST /v1/batches asks for; 400 in OpenAI's shape for the first thing wrong."""
    for key in ("input_file_id", "endpoint", "completion_window"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise ApiError(400, f"Missing required parameter: '{key}'.", code="missing_required_parameter", param=key)
    for key, supported in (("endpoint", ENDPOINT), ("completion_window", _WINDOW)):
        if body[key] != supported:
            message = f"Invalid value: '{body[key]}'. Supported values are: '{supported}'."
            raise ApiError(400, message, code="invalid_value", param=key)
    return body["input_file_id"], read_metadata(body.get("metadata"))


def insert_batch(
    database: sqlite3.Connection, input_file: str, *, metadata: Mapping[str, str] | None, fault: Mapping[str, Any] | None
) -> str:
    """Add a batch in validating, within the caller's transaction; returns its id."""
    batch_id = new_id("batch_", length=32)
    values = (
        batch_id,
        now(),
        input_file,
        ENDPOINT,
        None if metadata is None else json.dumps(metadata),
        BatchStatus.VALIDATING.value,
        json.dumps(vars(Progress())),
        None if fault is None else json.dumps(fault),
    )
    columns = "id, created_at, input_file, endpoint, metadata, status, progress, fault"
    database.execute(f"INSERT INTO batches ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 (our own names)
    return batch_id


def update_batch(database: sqlite3.Connection, batch: Batch, **changes: Any) -> Batch:
    """Change a batch within the caller's transaction, and note when a new state began."""
    changed = replace(batch, **changes)
    if changed.status != batch.status:
        changed = replace(changed, times={**changed.times, changed.status.value: now()})
    database.execute(
        "UPDATE batches SET status = ?, times = ?, errors = ?, model = ?, output_file = ?, error_file = ?, progress = ? WHERE id = ?",
        (
            changed.status.value,
            json.dumps(changed.times),
            None if changed.errors is None else json.dumps(changed.errors),
            changed.model,
            changed.output_file,
            changed.error_file,
            json.dumps(vars(changed.progress)),
            batch.id,
        ),
    )
    return changed


def require_batch(store: Store, batch_id: str) -> Batch:
    """The batch of that id, or OpenAI's 404."""
    row = store.database.execute("SELECT * FROM batches WHERE id = ?", (batch_id,)).fetchone()
    if row is None:
        raise ApiError(404, f"No batch found with id '{batch_id}'.", param="batch_id")
    return read_batch(row)


def list_open_batches(store: Store) -> list[str]:
    """The ids of the batches that should move on after a restart."""
    open_ones = "SELECT id FROM batches WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling') ORDER BY number"
    return [row["id"] for row in store.database.execute(open_ones)]


def read_batch(row: sqlite3.Row) -> Batch:
    """Turn a row of the table into a `Batch`."""
    values = dict(row)
    for column in ("metadata", "times", "errors", "progress", "fault"):
        if values[column] is not None:
            values[column] = json.loads(values[column])
    values["status"], values["progress"] = BatchStatus(values["status"]), Progress(**values["progress"])
    return Batch(**values)
