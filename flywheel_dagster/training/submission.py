"""Buys each training once: a ledger row first, then look before you create, record at once, reattach after any crash, poll with a bound."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.assemble import TRAIN, VALIDATION, Dataset, verify
from flywheel_dagster.errors import PermanentTrainingError, TrainingError, TransientTrainingError
from flywheel_dagster.training.trainer import JobState, JobStatus, Trainer

_LOCK = 7064
_T = TypeVar("_T")
_ATTEMPTS = 5  # of a step whose failure is transient


@dataclass(frozen=True)
class TrainedModel:
    """A finished job: the provider's model id and what it took. `cost_usd` is None when no price is known."""

    model_id: str
    job_id: str
    trained_tokens: int | None
    cost_usd: Decimal | None
    settings_hash: str
    attempt: int


@dataclass(frozen=True)
class Patience:
    """How often to look and how long to wait; the clock is injectable."""

    poll: timedelta = timedelta(seconds=60)
    limit: timedelta = timedelta(hours=24)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def settings_hash(trainer: Trainer) -> str:
    """A short name of a trainer's settings."""
    return hashlib.sha256(orjson.dumps(trainer.settings(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def train(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    dataset: Dataset,
    *,
    suffix: str,
    patience: Patience = Patience(),
    resubmit: bool = False,
    progress: Callable[[JobStatus], None] = lambda _: None,
) -> TrainedModel:
    """Train on a dataset, or find the training that was bought for it, and wait for its end.

    Killed at any point and called again, it goes on with the same job. Each step is committed, on the given connection. Raises
    PermanentTrainingError with the provider's message for a failed or cancelled job, also when called again, unless `resubmit` asks
    for a new attempt; TransientTrainingError when the provider stays away or the job outlasts `patience.limit`.
    """
    verify(dataset)
    key_hash = settings_hash(trainer)
    row = _ledger_row(connection, trainer, dataset, key_hash, resubmit=resubmit)
    if row["status"] == "succeeded":
        return _trained(row)
    if row["status"] in ("failed", "cancelled"):
        raise PermanentTrainingError(
            f"fine-tuning job {row['provider_job_id']} {row['status']} earlier: {row['error']}; mend the cause, then materialize "
            "fine_tuned_model with resubmit: true to buy a new one"
        )
    with _sole_submitter(connection, row["id"]):
        row = _read(connection, row["id"])
        if row["provider_job_id"] is None:
            row = _submit(connection, trainer, dataset, row, suffix, patience)
    return _wait(connection, trainer, row, patience, progress)


def _ledger_row(
    connection: psycopg.Connection[TupleRow], trainer: Trainer, dataset: Dataset, key_hash: str, *, resubmit: bool
) -> dict[str, Any]:
    values = {
        "dataset_hash": dataset.hash,
        "trainer": trainer.name,
        "settings": Jsonb(dict(trainer.settings())),
        "settings_hash": key_hash,
        "resubmit": resubmit,
    }
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("plan_fine_tuning_job"), values)
        row = cursor.execute(statement("latest_fine_tuning_job"), values).fetchone()
    assert row is not None
    return row


def _submit(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    dataset: Dataset,
    row: dict[str, Any],
    suffix: str,
    patience: Patience,
) -> dict[str, Any]:
    key = f"{dataset.hash}:{row['settings_hash']}:{row['attempt']}"

    def found_or_created() -> str:
        # A create whose answer was lost shows up here: the provider is asked before every attempt.
        if (job_id := trainer.find(key)) is not None:
            return job_id
        current = _read(connection, row["id"])
        for column, name, examples in (
            ("training_file_id", TRAIN, dataset.train_examples),
            ("validation_file_id", VALIDATION, dataset.validation_examples),
        ):
            if current[column] is None and examples:
                _update(
                    connection, row["id"], **{column: trainer.upload(dataset.directory / name, name=f"{dataset.hash[:16]}-{name}")}
                )
        current = _read(connection, row["id"])
        return trainer.create(
            key=key, training_file=current["training_file_id"], validation_file=current["validation_file_id"], suffix=suffix
        )

    job_id = _patiently(found_or_created, patience)
    _update(connection, row["id"], provider_job_id=job_id, status="submitted")
    return _read(connection, row["id"])


def _wait(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    row: dict[str, Any],
    patience: Patience,
    progress: Callable[[JobStatus], None],
) -> TrainedModel:
    job_id, deadline = row["provider_job_id"], patience.clock() + patience.limit.total_seconds()
    while True:
        seen = _patiently(lambda: trainer.status(job_id), patience)
        progress(seen)
        if seen.state is JobState.SUCCEEDED:
            if not seen.model_id:
                raise TrainingError(
                    f"fine-tuning job {job_id} succeeded without naming a model; look at the provider's page of this job"
                )
            cost = trainer.cost_usd(seen.trained_tokens) if seen.trained_tokens is not None else None
            _update(
                connection, row["id"], status="succeeded", provider_status=seen.provider_status, model_id=seen.model_id,
                trained_tokens=seen.trained_tokens, cost_usd=cost,
            )  # fmt: skip
            return _trained(_read(connection, row["id"]))
        if seen.state is not JobState.RUNNING:
            error = seen.error or "no reason given"
            _update(connection, row["id"], status=seen.state.value, provider_status=seen.provider_status, error=error)
            raise PermanentTrainingError(f"fine-tuning job {job_id} {seen.state}: {error}")
        _update(connection, row["id"], status="running", provider_status=seen.provider_status, trained_tokens=seen.trained_tokens)
        if patience.clock() >= deadline:
            hours = patience.limit.total_seconds() / 3600
            raise TransientTrainingError(
                f"fine-tuning job {job_id} is still {seen.provider_status} after {hours:g} h; materialize fine_tuned_model again to go on waiting"
            )
        patience.sleep(patience.poll.total_seconds())


def _patiently(step: Callable[[], _T], patience: Patience) -> _T:
    for attempt in range(_ATTEMPTS):
        try:
            return step()
        except TransientTrainingError:
            if attempt == _ATTEMPTS - 1:
                raise
            patience.sleep(min(patience.poll.total_seconds(), 2.0**attempt))
    raise AssertionError("unreachable")


@contextmanager
def _sole_submitter(connection: psycopg.Connection[TupleRow], job: UUID) -> Iterator[None]:
    """One process submits; another one for the same job waits, and then finds it submitted."""
    connection.execute("select pg_advisory_lock(%s, hashtext(%s))", (_LOCK, str(job)))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", (_LOCK, str(job)))
        connection.commit()


def _read(connection: psycopg.Connection[TupleRow], job: UUID) -> dict[str, Any]:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from fine_tuning_jobs where id = %s", (job,)).fetchone()
    assert row is not None
    return row


def _update(connection: psycopg.Connection[TupleRow], job: UUID, **changes: Any) -> None:
    with connection.transaction():
        connection.execute(statement("update_fine_tuning_job"), {"id": job, "changes": Jsonb(changes)})


def _trained(row: dict[str, Any]) -> TrainedModel:
    return TrainedModel(
        row["model_id"], row["provider_job_id"], row["trained_tokens"], row["cost_usd"], row["settings_hash"], row["attempt"]
    )
