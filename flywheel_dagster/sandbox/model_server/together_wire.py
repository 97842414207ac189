"""The shapes of Together's answers: files, jobs, events, checkpoints, metrics and endpoints (github.com/togethercomputer/openapi, 2026-04-28)."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flywheel_dagster.sandbox.model_server.dialects import DialectJob
from flywheel_dagster.sandbox.model_server.jobs import Job, JobStatus
from flywheel_dagster.sandbox.model_server.models import ORGANISATION
from flywheel_dagster.sandbox.model_server.wire import new_id

_STATUS = {
    JobStatus.VALIDATING: "pending",
    JobStatus.QUEUED: "queued",
    JobStatus.RUNNING: "running",
    JobStatus.PAUSED: "running",
    JobStatus.SUCCEEDED: "completed",
    JobStatus.FAILED: "error",
    JobStatus.CANCELLED: "cancelled",
}
# The events of a job by how their texts begin, and which of Together's types they are.
_EVENT_TYPES = {
    "Created": "job_pending",
    "Validating": "training_data_downloading",
    "Files validated": "training_data_download_complete",
    "Fine-tuning job started": "training_start",
    "Fine-tuning job goes on": "job_restarted",
    "Fine-tuning job cancelled": "job_stopped",
    "Step": "epoch_complete",
    "Checkpoint": "checkpoint_save",
    "New fine-tuned model": "model_upload_complete",
    "The job has successfully": "job_complete",
}


def model_name(base: str, suffix: str | None) -> str:
    """A fresh name for a model: the account, the base without its house, the suffix and an id."""
    return "-".join(filter(None, (f"{ORGANISATION}/{base.rpartition('/')[2]}", suffix, new_id("", length=8).lower())))


def file_as_wire(row: Mapping[str, Any], *, sound: bool) -> dict[str, Any]:
    """A FileResponse; `sound`: each line is a JSON dictionary."""
    return {
        "id": row["id"],
        "object": "file",
        "created_at": row["created_at"],
        "filename": row["filename"],
        "bytes": row["bytes"],
        "purpose": row["purpose"],
        "FileType": "jsonl",
        "Processed": sound,
    }


def job_as_wire(made: DialectJob, *, updated_at: int) -> dict[str, Any]:
    """A FinetuneResponseTruncated. The model's name is told once it is there."""
    job, asked = made.job, made.asked
    wire = {
        "id": job.id,
        "status": _STATUS[job.status],
        "created_at": _time(job.created_at, job.number),
        "updated_at": _time(updated_at, job.number),
        "user_id": ORGANISATION,
        "owner_address": "",
        "total_price": 0,
        "token_count": job.trained_tokens or 0,
        "events": [],
        "training_file": job.training_file,
        "validation_file": job.validation_file or "",
        "packing": True,
        "max_seq_length": 8192,
        "model": job.base,
        "suffix": job.suffix or "",
        "lr_scheduler": {"lr_scheduler_type": "linear", "lr_scheduler_args": {"min_lr_ratio": 0.0}},
        "warmup_ratio": 0.0,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        **asked,
        "progress": {"estimate_available": False, "seconds_remaining": 0},
    }
    return wire | ({"model_output_name": job.fine_tuned_model} if job.status == JobStatus.SUCCEEDED else {})


def whole_job_as_wire(made: DialectJob, events: Sequence[sqlite3.Row]) -> dict[str, Any]:
    """A FinetuneResponse: the job with its events."""
    job = made.job
    more = {
        "job_id": job.id,
        "epochs_completed": max(0, len(job.progress) - 1),
        "queue_depth": 0,
        "eval_steps": 0,
        "param_count": 0,
        "events": [event_as_wire(row) for row in events],
    }
    return job_as_wire(made, updated_at=max(row["created_at"] for row in events)) | more


def event_as_wire(row: sqlite3.Row) -> dict[str, Any]:
    """A FineTuneEvent."""
    data = json.loads(row["data"]) if row["data"] else {}
    types = (kind for begin, kind in _EVENT_TYPES.items() if row["message"].startswith(begin))
    return {
        "object": "fine-tune-event",
        "created_at": _time(row["created_at"], row["number"]),
        "level": row["level"],
        "message": row["message"],
        "type": "job_error" if row["level"] == "error" else next(types, "warning"),
        "param_count": 0,
        "token_count": 0,
        "total_steps": data.get("total_steps", 0),
        "wandb_url": "",
        "step": data.get("step", 0),
        "checkpoint_path": "",
        "model_path": "",
        "training_offset": 0,
        "hash": "",
    }


def checkpoint_as_wire(row: sqlite3.Row) -> dict[str, Any]:
    """A FineTuneCheckpoint."""
    return {
        "step": row["step_number"],
        "created_at": _time(row["created_at"], row["number"]),
        "path": row["model_id"],
        "checkpoint_type": "Intermediate",
    }


def metrics_as_wire(job: Job) -> list[dict[str, float]]:
    """The losses after each epoch; those of training and of evaluation are snapshots of their own."""
    snapshots: list[dict[str, float]] = []
    for state in job.progress[1:]:  # the first is the state before the first epoch
        snapshots.append({"train/loss": state["train_loss"], "train/global_step": state["step"]})
        if state["valid_loss"] is not None:
            snapshots.append({"eval/loss": state["valid_loss"], "eval/global_step": state["step"]})
    return snapshots


def endpoint_as_wire(row: sqlite3.Row) -> dict[str, Any]:
    """A DedicatedEndpoint."""
    more = {"display_name": row["display_name"], "hardware": row["hardware"], "autoscaling": json.loads(row["autoscaling"])}
    return listed_endpoint_as_wire(row) | more


def listed_endpoint_as_wire(row: sqlite3.Row) -> dict[str, Any]:
    """A ListEndpoint, which doesn't tell its display_name."""
    return {
        "object": "endpoint",
        "id": row["id"],
        "name": row["name"],
        "model": row["model"],
        "type": "dedicated",
        "owner": ORGANISATION,
        "state": row["state"],
        "created_at": _time(row["created_at"], row["number"]),
    }


def _time(seconds: int, number: int) -> str:
    """A time in ISO 8601; the row's number stands for the fraction, so that times are ordered as rows are."""
    exact = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=number % 1_000_000)
    return exact.isoformat(timespec="microseconds").replace("+00:00", "Z")
