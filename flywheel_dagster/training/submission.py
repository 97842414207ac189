"""Buys each training once: a ledger row first, then look before you create, record at once, reattach after any crash. Waiting is in `jobs.py`."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, held_lock, statement
from flywheel_dagster.datasets.files import TRAIN, VALIDATION, verify
from flywheel_dagster.datasets.published import Dataset, require_not_erased
from flywheel_dagster.errors import InputError, PermanentTrainingError, TransientTrainingError, UnansweredError, UnknownJobError
from flywheel_dagster.patience import Patience
from flywheel_dagster.training.estimate import require_within_budget
from flywheel_dagster.training.jobs import TrainedModel, ended_badly, read_job, told_if_lost, trained_model, update_job, wait_for
from flywheel_dagster.training.trainer import JobStatus, Trainer, settings_hash

_ATTEMPTS = 7  # of a submission: with pauses of 1, 2, 4 … seconds about a minute, which a provider's list may also lag behind


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
    with told_if_lost(connection):
        with connection.transaction():
            require_not_erased(connection, dataset)
        row = _ledger_row(connection, trainer, dataset, resubmit=resubmit)
        if resubmit and _is_forgotten(trainer, row, patience):
            with connection.transaction():
                connection.execute(statement("forget_fine_tuning_job"), {"id": row["id"]})
            row = _ledger_row(connection, trainer, dataset, resubmit=True)
        if row["status"] == "succeeded":
            return trained_model(row)
        if row["status"] in ("failed", "cancelled"):
            raise ended_badly(row)
        with held_lock(
            connection, Lock.SUBMISSION, _lock_key(row["id"])
        ):  # another process for this job waits, and finds it submitted
            row = read_job(connection, row["id"])
            if row["provider_job_id"] is None:
                row = _submit(connection, trainer, dataset, row, suffix, patience, budget_usd)
        return wait_for(connection, trainer, row, patience, progress)


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
        asked = read_job(connection, job)["status"] == "submitted"
        if (job_id := _found(trainer, key, patience, looks=_ATTEMPTS if asked else 1)) is not None:
            return job_id
        estimated = trainer.estimate(dataset.train_tokens, validation_tokens=dataset.validation_tokens)
        require_within_budget(estimated, budget_usd)
        update_job(connection, job, estimated_usd=None if estimated.usd is None else str(estimated.usd))
        _upload(connection, trainer, dataset, job)
        files = read_job(connection, job)
        try:
            _wait_for_import(trainer, files, patience)
        except PermanentTrainingError:
            update_job(connection, job, training_file_id=None, validation_file_id=None)  # the next call uploads anew
            raise
        with connection.transaction():  # an erasure may have come while the files went up
            require_not_erased(connection, dataset)
        # Said before it is done. It also proves that the connection lives, and with it the lock.
        update_job(connection, job, status="submitted")
        try:
            return trainer.create(
                key=key, training_file=files["training_file_id"], validation_file=files["validation_file_id"], suffix=suffix
            )
        except UnansweredError:
            raise
        except TransientTrainingError:
            update_job(connection, job, status="planned")
            raise
        except PermanentTrainingError:
            # The reason may be a file that was deleted at the provider.
            update_job(connection, job, status="planned", training_file_id=None, validation_file_id=None)
            raise

    job_id = patience.insist(found_or_created, attempts=_ATTEMPTS, on=TransientTrainingError)
    update_job(connection, job, provider_job_id=job_id, status="submitted")
    return read_job(connection, job)


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
    files = [job["training_file_id"], job["validation_file_id"]]
    for _ in patience.looks():
        if all(trainer.imported(file_id) for file_id in files if file_id is not None):
            return
    raise PermanentTrainingError(f"{trainer.name} doesn't finish taking in {job['training_file_id']}; look at its page of files")


def _found(trainer: Trainer, key: str, patience: Patience, *, looks: int) -> str | None:
    for _ in patience.tries(looks):
        if (job_id := trainer.find(key)) is not None:
            return job_id
    return None


def _upload(connection: psycopg.Connection[TupleRow], trainer: Trainer, dataset: Dataset, job: UUID) -> None:
    known = read_job(connection, job)
    for column, name, examples in (
        ("training_file_id", TRAIN, dataset.train_examples),
        ("validation_file_id", VALIDATION, dataset.validation_examples),
    ):
        if known[column] is None and examples:
            file_id = trainer.upload(dataset.directory / name, name=f"{dataset.hash[:16]}-{name}")
            update_job(connection, job, **{column: file_id})


def _lock_key(job: UUID) -> int:
    """32 bits of a random id; two jobs that share them only wait for each other."""
    return int.from_bytes(job.bytes[-4:], "big", signed=True)
