"""What a job leaves behind: metrics events, checkpoints, models and the results file. Each writes within the caller's transaction."""

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from flywheel_dagster.sandbox.model_server.jobs import Job, add_event
from flywheel_dagster.sandbox.model_server.learning import Measured
from flywheel_dagster.sandbox.model_server.wire import new_id, now


def add_metrics_event(database: sqlite3.Connection, job_id: str, measured: Measured, *, step: int, total: int) -> None:
    """The event of one epoch: "Step 1/300: training loss=0.22", with the exact numbers as data."""
    message = f"Step {step}/{total}: training loss={measured.train_loss:.2f}"
    data: dict[str, Any] = {"step": step, "total_steps": total, "train_loss": measured.train_loss}
    if measured.valid_loss is not None:
        message += f", validation loss={measured.valid_loss:.2f}, full validation loss={measured.valid_loss:.2f}"
        data |= {"valid_loss": measured.valid_loss, "full_valid_loss": measured.valid_loss}
    add_event(database, job_id, message, data=data)


def add_checkpoint(database: sqlite3.Connection, job: Job, measured: Measured, *, step: int) -> None:
    """A checkpoint after an epoch, whose model answers at once. What isn't measured (token accuracies) is left out."""
    name = f"{job.fine_tuned_model}:ckpt-step-{step}"
    metrics: dict[str, Any] = {"step": step, "train_loss": measured.train_loss}
    if measured.valid_loss is not None:
        metrics |= {"valid_loss": measured.valid_loss, "full_valid_loss": measured.valid_loss}
    add_model(database, job, name=name, weights=measured.weights, step=step)
    database.execute(
        "INSERT INTO checkpoints (id, job_id, created_at, step_number, model_id, metrics) VALUES (?, ?, ?, ?, ?, ?)",
        (new_id("ftckpt_"), job.id, now(), step, name, json.dumps(metrics)),
    )
    add_event(database, job.id, f"Checkpoint created at step {step}")


def add_model(database: sqlite3.Connection, job: Job, *, name: str, weights: Sequence[float], step: int | None) -> None:
    """Register a model of the job; `step` tells a checkpoint from the finished model (None)."""
    database.execute(
        "INSERT INTO models (id, job_id, created_at, base, weights, step_number) VALUES (?, ?, ?, ?, ?, ?)",
        (name, job.id, now(), job.base, json.dumps(list(weights)), step),
    )


def results_csv(progress: Sequence[dict[str, Any]]) -> bytes:
    """The results file: one row an epoch, with OpenAI's columns (accuracies aren't measured and stay empty)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"])
    for state in progress[1:]:
        writer.writerow([state["step"], state["train_loss"], "", "" if state["valid_loss"] is None else state["valid_loss"], ""])
    return text.getvalue().encode()
