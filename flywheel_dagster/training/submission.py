"""Buys each training once: a ledger row first, then look before you create, record at once, reattach after any crash, poll with a bound."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, held_lock, statement
from flywheel_dagster.datasets.files import TRAIN, VALIDATION, verify
from flywheel_dagster.datasets.published import Dataset, require_not_erased
from flywheel_dagster.errors import (
    DatabaseError,
    InputError,
    PermanentTrainingError,
    SettingsError,
    TrainingError,
    TransientTrainingError,
    UnansweredError,
    UnknownJobError,
)
from flywheel_dagster.patience import Patience
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import trainer_of_job
from flywheel_dagster.training.estimate import require_within_budget
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Trainer

_ATTEMPTS = 7  # of a submission: with pauses of 1, 2, 4 … seconds about a minute, which a provider's list may also lag behind
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
    budget_usd: Decimal | None = None,
    progress: Callable[[JobStatus], None] = lambda _: None,
) -> TrainedModel:
    """Train on a dataset, or find the training that was bought for it, and wait for its end.

    Killed at any point and called again, it goes on with the same job. Each step is committed, on the given connection, which must not
    be inside a `transaction()` block. Raises PermanentTrainingError with the provider's message for a failed or cancelled job, also when
    called again, unless `resubmit` asks for a new attempt (or the provider no longer knows the job, UnknownJobError);
    TransientTrainingError when the provider stays away or the job outlasts `patience.limit`; InputError when files to upload aren't
    those of the dataset, or it holds a lead who was erased; BudgetError, before anything is sent, when a job that has to be bought would cost
    more than `budget_usd` (None: no limit) or its price is not known; DatabaseError when the connection is lost, which loses no job.
    """
    connection.commit()  # inside an open transaction no step would be kept before the caller's own commit
    with _told_if_lost(connection):
        with connection.transaction():
            require_not_erased(connection, dataset)
        row = _ledger_row(connection, trainer, dataset, resubmit=resubmit)
        if resubmit and _is_forgotten(trainer, row, patience):
            with connection.transaction():
                connection.execute(statement("forget_fine_tuning_job"), {"id": row["id"]})
            row = _ledger_row(connection, trainer, dataset, resubmit=True)
        if row["status"] == "succeeded":
            return _trained(row)
        if row["status"] in ("failed", "cancelled"):
            raise _ended_badly(row)
        with held_lock(
            connection, Lock.SUBMISSION, _lock_key(row["id"])
        ):  # another process for this job waits, and finds it submitted
            row = _read(connection, row["id"])
            if row["provider_job_id"] is None:
                row = _submit(connection, trainer, dataset, row, suffix, patience, budget_usd)
        return _wait(connection, trainer, row, patience, progress)


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
    with _told_if_lost(connection):
        with connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute("select * from fine_tuning_jobs where provider_job_id = %s", (job_id,)).fetchone()
        connection.commit()
        if row is None:
            raise InputError(f"no training has the job {job_id!r}; see flywheel model jobs")
        if row["status"] == "succeeded":
            return _trained(row)
        if row["status"] in ("failed", "cancelled"):
            raise _ended_badly(row)
        return _wait(connection, _trainer_of(settings, row), row, patience, progress)


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
        seen = _look(connection, _trainer_of(settings, row), row, Patience(sleep=lambda _: None))
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
def _told_if_lost(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        if not connection.closed:
            raise
        raise DatabaseError(
            "the connection to the database was lost while training; a job that was bought goes on at the provider: materialize "
            "fine_tuned_model again to wait for it"
        ) from error


def _ledger_row(connection: psycopg.Connection[TupleRow], trainer: Trainer, dataset: Dataset, *, resubmit: bool) -> dict[str, Any]:
    values = {
        "dataset_hash": dataset.hash,
        "trainer": trainer.name,
        "settings": Jsonb(dict(trainer.settings())),
        "settings_hash": settings_hash(trainer),
        "resubmit": resubmit,
    }
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("plan_fine_tuning_job"), values)
        row = cursor.execute(statement("latest_fine_tuning_job"), values).fetchone()
    assert row is not None
    return row


def _is_forgotten(trainer: Trainer, row: dict[str, Any], patience: Patience) -> bool:
    if row["provider_job_id"] is None or row["status"] not in ("submitted", "running", "succeeded"):
        return False
    try:
        patience.insist(lambda: trainer.status(row["provider_job_id"]), attempts=_ATTEMPTS, on=TransientTrainingError)
    except UnknownJobError:
        return True
    return False


def _submit(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    dataset: Dataset,
    row: dict[str, Any],
    suffix: str,
    patience: Patience,
    budget_usd: Decimal | None,
) -> dict[str, Any]:
    with connection.transaction():
        require_not_erased(connection, dataset)
    verify(dataset)
    require_acceptable(trainer, dataset)
    job = row["id"]
    key = f"{dataset.hash}:{row['settings_hash']}:{row['attempt']}"

    def found_or_created() -> str:
        # `submitted` without a job id: a create was sent, perhaps by a process that is dead now, and its answer is not known.
        asked = _read(connection, job)["status"] == "submitted"
        if (job_id := _found(trainer, key, patience, looks=_ATTEMPTS if asked else 1)) is not None:
            return job_id
        estimated = trainer.estimate(dataset.train_tokens, validation_tokens=dataset.validation_tokens)
        require_within_budget(estimated, budget_usd)
        _update(connection, job, estimated_usd=None if estimated.usd is None else str(estimated.usd))
        _upload(connection, trainer, dataset, job)
        files = _read(connection, job)
        try:
            _wait_for_import(trainer, files, patience)
        except PermanentTrainingError:
            _update(connection, job, training_file_id=None, validation_file_id=None)  # the next call uploads anew
            raise
        with connection.transaction():  # an erasure may have come while the files went up
            require_not_erased(connection, dataset)
        # Said before it is done. It also proves that the connection lives, and with it the lock.
        _update(connection, job, status="submitted")
        try:
            return trainer.create(
                key=key, training_file=files["training_file_id"], validation_file=files["validation_file_id"], suffix=suffix
            )
        except UnansweredError:
            raise
        except TransientTrainingError:
            _update(connection, job, status="planned")
            raise
        except PermanentTrainingError:
            # The reason may be a file that was deleted at the provider.
            _update(connection, job, status="planned", training_file_id=None, validation_file_id=None)
            raise

    job_id = patience.insist(found_or_created, attempts=_ATTEMPTS, on=TransientTrainingError)
    _update(connection, job, provider_job_id=job_id, status="submitted")
    return _read(connection, job)


def require_acceptable(trainer: Trainer, dataset: Dataset) -> None:
    """Raise InputError for a dataset that the trainer's limits exclude; which examples are too long is settled when it is assembled."""
    offer = trainer.offer
    if dataset.train_lines < offer.least_examples:
        raise InputError(
            f"dataset {dataset.hash[:12]} has {dataset.train_lines} lines to train on; {trainer.name} needs {offer.least_examples}"
        )
    size = (dataset.directory / TRAIN).stat().st_size
    if offer.most_file_bytes is not None and size > offer.most_file_bytes:
        raise InputError(
            f"{dataset.directory / TRAIN} has {size:,} bytes, more than the {offer.most_file_bytes:,} that {trainer.name} takes; lower FLYWHEEL_MAX_EXAMPLES"
        )


def _wait_for_import(trainer: Trainer, job: dict[str, Any], patience: Patience) -> None:
    files, deadline = [job["training_file_id"], job["validation_file_id"]], patience.clock() + patience.limit.total_seconds()
    while not all(trainer.imported(file_id) for file_id in files if file_id is not None):
        if patience.clock() >= deadline:
            raise PermanentTrainingError(
                f"{trainer.name} doesn't finish taking in {job['training_file_id']}; look at its page of files"
            )
        patience.sleep(patience.poll.total_seconds())


def _found(trainer: Trainer, key: str, patience: Patience, *, looks: int) -> str | None:
    for _ in patience.tries(looks):
        if (job_id := trainer.find(key)) is not None:
            return job_id
    return None


def _upload(connection: psycopg.Connection[TupleRow], trainer: Trainer, dataset: Dataset, job: UUID) -> None:
    known = _read(connection, job)
    for column, name, examples in (
        ("training_file_id", TRAIN, dataset.train_examples),
        ("validation_file_id", VALIDATION, dataset.validation_examples),
    ):
        if known[column] is None and examples:
            file_id = trainer.upload(dataset.directory / name, name=f"{dataset.hash[:16]}-{name}")
            _update(connection, job, **{column: file_id})


def _wait(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    row: dict[str, Any],
    patience: Patience,
    progress: Callable[[JobStatus], None],
) -> TrainedModel:
    job_id, deadline = row["provider_job_id"], patience.clock() + patience.limit.total_seconds()
    while True:
        seen = _look(connection, trainer, row, patience)
        progress(seen)
        if seen.state is JobState.SUCCEEDED:
            return _trained(_read(connection, row["id"]))
        if seen.state is not JobState.RUNNING:
            raise _ended_badly(_read(connection, row["id"]))
        if patience.clock() >= deadline:
            hours = patience.limit.total_seconds() / 3600
            raise TransientTrainingError(
                f"fine-tuning job {job_id} is still {seen.provider_status} after {hours:g} h; materialize fine_tuned_model again to go on waiting"
            )
        patience.until_next_look()


def _look(connection: psycopg.Connection[TupleRow], trainer: Trainer, row: dict[str, Any], patience: Patience) -> JobStatus:
    """One look at a job, and what was seen written into the ledger."""
    job_id = row["provider_job_id"]
    seen = patience.insist(lambda: trainer.status(job_id), attempts=_LOOKS, on=TransientTrainingError)
    if seen.state is JobState.SUCCEEDED and not seen.model_id:  # its name may appear later than its end
        seen = replace(seen, state=JobState.RUNNING, provider_status=f"{seen.provider_status}, but names no model yet")
    if seen.state is JobState.RUNNING:
        _update(connection, row["id"], status="running", provider_status=seen.provider_status, trained_tokens=seen.trained_tokens)
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
        changes |= {"error": seen.error or "no reason given"}
    _update(connection, row["id"], **changes)
    return seen


def _loss_curve(trainer: Trainer, job_id: str) -> list[tuple[int, float | None, float | None]]:
    # A picture of the training: a job whose curve can't be had has ended all the same.
    with suppress(TrainingError):
        return [(point.step, point.training, point.validation) for point in trainer.loss_curve(job_id)]
    return []


def _lock_key(job: UUID) -> int:
    """32 bits of a random id; two jobs that share them only wait for each other."""
    return int.from_bytes(job.bytes[-4:], "big", signed=True)


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


def _ended_badly(row: dict[str, Any]) -> PermanentTrainingError:
    return PermanentTrainingError(
        f"fine-tuning job {row['provider_job_id']} {row['status']}: {row['error']}; mend the cause, then materialize fine_tuned_model "
        "with resubmit: true to buy a new one"
    )
