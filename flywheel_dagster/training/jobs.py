"""Jobs that were bought: looking at them, waiting for their end, and collecting those whose run is gone. Buying them is `submission.py`'s."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.errors import (
    DatabaseError,
    InputError,
    PermanentTrainingError,
    SettingsError,
    TrainingError,
    TransientTrainingError,
)
from flywheel_dagster.patience import Patience
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import trainer_of_job
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Trainer, settings_hash

_LOOKS = 30  # that may fail in a row while a job runs: half an hour without the provider


@dataclass(frozen=True)
class TrainedModel:
    """A finished job: its id in the ledger, the provider's model id and what it took. Costs are None when no price is known; `duration` counts
    from submission."""

    id: UUID
    model_id: str
    job_id: str
    trained_tokens: int | None
    estimated_usd: Decimal | None
    cost_usd: Decimal | None
    duration: timedelta
    loss_curve: tuple[LossPoint, ...]
    settings_hash: str
    attempt: int


def collect(
    connection: psycopg.Connection[TupleRow],
    settings: Settings,
    job_id: str,
    *,
    patience: Patience = Patience(),
    progress: Callable[[JobStatus], None] = lambda _: None,
) -> TrainedModel:
    """Wait for a job that was bought before, by the provider's id, whatever is trained now; nothing is bought.

    Raises InputError for a job that the ledger doesn't have, SettingsError when the environment leads to another account or address than it
    was bought at, and what `train` raises.
    """
    connection.commit()
    with told_if_lost(connection):
        row = _bought(connection, job_id)
        if row["status"] == "succeeded":
            return trained_model(row)
        if row["status"] in ("failed", "cancelled"):
            raise ended_badly(row)
        return wait_for(connection, _trainer_of(settings, row), row, patience, progress)


def end_job(connection: psycopg.Connection[TupleRow], settings: Settings, job_id: str) -> str:
    """Ask the provider to end a job, and note what one look shows then; a sentence about it. What was trained until then may be billed.

    Raises InputError for a job that the ledger doesn't have or that has ended, SettingsError as `collect` does, TrainingError when the
    provider doesn't take the request.
    """
    row = _bought(connection, job_id)
    if row["status"] not in ("submitted", "running"):
        raise InputError(f"job {job_id} is {row['status']} already")
    trainer = _trainer_of(settings, row)
    trainer.cancel(job_id)
    told = "which can't be looked at now"
    with suppress(TransientTrainingError):  # it was asked all the same
        seen = _look(connection, trainer, row, reason="ended by flywheel model cancel")
        told = f"which is {seen.provider_status}"
    return f"asked {trainer.name} to end {job_id}, {told}"


def settle_others(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, but: UUID | None = None) -> list[str]:
    """One look at each job that was bought for an earlier dataset or other settings of the scope, its end recorded; a sentence about each."""
    connection.commit()
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("open_trainings"), {"scope": scope, "but": but}).fetchall()
    connection.commit()
    return [
        f"job {row['provider_job_id']}, bought for dataset {row['dataset_hash'][:12]}, {_settled(connection, settings, row)}"
        for row in rows
    ]


def _settled(connection: psycopg.Connection[TupleRow], settings: Settings, row: dict[str, Any]) -> str:
    try:
        seen = _look(connection, _trainer_of(settings, row), row)
    except (TrainingError, SettingsError) as error:
        return f"can't be looked at: {error}"
    if seen.state is JobState.SUCCEEDED:
        return (
            f"has ended as {seen.model_id}; to examine and register it, run fine_tuned_model with job_id: {row['provider_job_id']}"
        )
    return f"is {seen.provider_status}"


def _trainer_of(settings: Settings, row: dict[str, Any]) -> Trainer:
    trainer = trainer_of_job(settings, row["trainer"], row["settings"])
    if settings_hash(trainer) != row["settings_hash"]:
        raise SettingsError(
            f"job {row['provider_job_id']} was bought at {row['settings'].get('endpoint')}, but the environment leads to "
            f"{trainer.settings().get('endpoint')}; set the address and key that it was bought with"
        )
    return trainer


@contextmanager
def told_if_lost(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """Raise DatabaseError, which says what to do, when the connection is lost inside."""
    try:
        yield
    except psycopg.OperationalError as error:
        if not connection.closed:
            raise
        raise DatabaseError(
            "the connection to the database was lost while training; a job that was bought goes on at the provider: materialize "
            "fine_tuned_model again to wait for it"
        ) from error


def wait_for(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    row: dict[str, Any],
    patience: Patience,
    progress: Callable[[JobStatus], None],
) -> TrainedModel:
    """Look until the job ends, as `train` says."""
    for _ in patience.looks():
        seen = _look(connection, trainer, row, patience)
        progress(seen)
        if seen.state is JobState.SUCCEEDED:
            return trained_model(read_job(connection, row["id"]))
        if seen.state is not JobState.RUNNING:
            raise ended_badly(read_job(connection, row["id"]))
    hours = patience.limit.total_seconds() / 3600
    raise TransientTrainingError(
        f"fine-tuning job {row['provider_job_id']} is still {seen.provider_status} after {hours:g} h; materialize fine_tuned_model again to go on "
        "waiting"
    )


def _look(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    row: dict[str, Any],
    patience: Patience | None = None,
    *,
    reason: str = "no reason given",
) -> JobStatus:
    """One look at a job, and what was seen written into the ledger. Without `patience` a look that fails is not repeated; `reason` is for an
    end of which the provider gives none."""
    job_id = row["provider_job_id"]
    seen = (patience or Patience()).insist(
        lambda: trainer.status(job_id), attempts=_LOOKS if patience else 1, on=TransientTrainingError
    )
    if seen.state is JobState.SUCCEEDED and not seen.model_id:  # its name may appear later than its end
        seen = replace(seen, state=JobState.RUNNING, provider_status=f"{seen.provider_status}, but names no model yet")
    if seen.state is JobState.RUNNING:
        update_job(
            connection, row["id"], status="running", provider_status=seen.provider_status, trained_tokens=seen.trained_tokens
        )
        return seen
    changes: dict[str, Any] = {
        "status": seen.state.value,
        "provider_status": seen.provider_status,
        "loss_curve": _loss_curve(trainer, job_id),
    }
    if seen.state is JobState.SUCCEEDED:
        cost = trainer.cost_usd(seen.trained_tokens) if seen.trained_tokens is not None else None
        changes |= {"model_id": seen.model_id, "trained_tokens": seen.trained_tokens, "cost_usd": cost}
    else:
        changes |= {"error": seen.error or reason}
    update_job(connection, row["id"], **changes)
    return seen


def _loss_curve(trainer: Trainer, job_id: str) -> list[tuple[int, float | None, float | None]]:
    # A picture of the training: a job whose curve can't be had has ended all the same.
    with suppress(TrainingError):
        return [(point.step, point.training, point.validation) for point in trainer.loss_curve(job_id)]
    return []


def _bought(connection: psycopg.Connection[TupleRow], job_id: str) -> dict[str, Any]:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from fine_tuning_jobs where provider_job_id = %s", (job_id,)).fetchone()
    if row is None:
        raise InputError(f"no training has the job {job_id!r}; see flywheel model jobs")
    return row


def read_job(connection: psycopg.Connection[TupleRow], job: UUID) -> dict[str, Any]:
    """The ledger's row of a job, as it is now."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from fine_tuning_jobs where id = %s", (job,)).fetchone()
    assert row is not None
    return row


def update_job(connection: psycopg.Connection[TupleRow], job: UUID, **changes: Any) -> None:
    """Write into the ledger and commit; a job that has ended stays as it is."""
    with connection.transaction():
        connection.execute(statement("update_fine_tuning_job"), {"id": job, "changes": Jsonb(changes)})


def trained_model(row: dict[str, Any]) -> TrainedModel:
    """What a job that succeeded came to."""
    return TrainedModel(
        id=row["id"],
        model_id=row["model_id"],
        job_id=row["provider_job_id"],
        trained_tokens=row["trained_tokens"],
        estimated_usd=row["estimated_usd"],
        cost_usd=row["cost_usd"],
        duration=row["finished_at"] - row["submitted_at"],
        loss_curve=tuple(LossPoint(*point) for point in row["loss_curve"]),
        settings_hash=row["settings_hash"],
        attempt=row["attempt"],
    )


def ended_badly(row: dict[str, Any]) -> PermanentTrainingError:
    """The error for a job that failed or was cancelled."""
    return PermanentTrainingError(
        f"fine-tuning job {row['provider_job_id']} {row['status']}: {row['error']}; mend the cause, then materialize fine_tuned_model "
        "with resubmit: true to buy a new one"
    )
