"""The model that a trainer made of a dataset, before it is registered: which one it is, and its examination."""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import TrainingError
from flywheel_dagster.models.chat import Chat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with
from flywheel_dagster.training.examination.asking import Examinee
from flywheel_dagster.training.examination.examine import examine
from flywheel_dagster.training.examination.report import Examination, limits_of
from flywheel_dagster.training.submission import settings_hash
from flywheel_dagster.training.trainer import Trainer


def trained_job(connection: psycopg.Connection[TupleRow], scope: str, dataset: Dataset, trainer: Trainer) -> dict[str, Any]:
    """The finished job of this dataset and trainer, a row of `fine_tuning_jobs`. Raises TrainingError where there is none."""
    wanted = {"dataset_hash": dataset.hash, "trainer": trainer.name, "settings_hash": settings_hash(trainer)}
    with connection.cursor(row_factory=dict_row) as cursor:
        job = cursor.execute(statement("latest_fine_tuning_job"), wanted).fetchone()
    if job is None or job["status"] != "succeeded":
        state = "no job" if job is None else f"job {job['provider_job_id']} is {job['status']}"
        raise TrainingError(
            f"dataset {dataset.hash[:12]} has no trained model ({state}); materialize fine_tuned_model for {scope!r} first"
        )
    return job


def examine_trained(
    connection: psycopg.Connection[TupleRow],
    settings: Settings,
    scope: str,
    dataset: Dataset,
    trainer: Trainer,
    *,
    progress: Callable[[str, int, int], None] = lambda who, at, of: None,
) -> Examination:
    """Examine what the trainer made of the dataset, against the scope's control: its own deployed one, else the global one, else people's messages.

    Raises TrainingError where nothing was trained, and what `examine` raises.
    """
    job = trained_job(connection, scope, dataset, trainer)
    candidate = Examinee(trainer.name, job["model_id"], chat_with(settings, trainer.name, job["model_id"]))
    return examine(
        connection,
        scope,
        dataset,
        candidate,
        _control(connection, settings, scope, job["model_id"]),
        limits=limits_of(settings),
        judge=_judge(settings),
        progress=progress,
    )


def latest_examination(connection: psycopg.Connection[TupleRow], scope: str, job: dict[str, Any], dataset: Dataset) -> bool | None:
    """Whether the newest examination of a job's model for this scope was passed; None: it was not examined."""
    row = connection.execute(
        statement("latest_examination"),
        {"scope": scope, "trainer": job["trainer"], "model_id": job["model_id"], "dataset_hash": dataset.hash},
    ).fetchone()
    return None if row is None else bool(row[0])


def _control(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, candidate: str) -> Examinee | None:
    row = connection.execute(statement("current_control"), {"scope": scope, "candidate": candidate}).fetchone()
    if row is None:
        return None
    registry_id, trainer, model_id = row
    return Examinee(trainer, model_id, chat_with(settings, trainer, model_id), registry_id)


def _judge(settings: Settings) -> Chat | None:
    return None if settings.judge_model is None else chat_with(settings, "openai", settings.judge_model)
