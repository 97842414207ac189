"""What a scope trained last, between the training and the registry: its job, its dataset, and its examination."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import Dataset, dataset_of
from flywheel_dagster.errors import TrainingError
from flywheel_dagster.models.chat import Chat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with
from flywheel_dagster.training.examination.asking import Examinee
from flywheel_dagster.training.examination.examine import examine
from flywheel_dagster.training.examination.report import Examination, limits_of


@dataclass(frozen=True)
class Candidate:
    """A trained model that may become a version: `job` is its row of `fine_tuning_jobs` as JSON; `passed` None: it was not examined yet."""

    job: dict[str, Any]
    dataset: Dataset
    passed: bool | None

    @property
    def model_id(self) -> str:
        """The model's id, as its trainer means it."""
        return str(self.job["model_id"])


def note_training(connection: psycopg.Connection[TupleRow], scope: str, job: UUID) -> None:
    """Make a finished job the one that the scope's examination and registration go by."""
    connection.execute(statement("note_training"), {"scope": scope, "job": job})
    connection.commit()


def candidate_of(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str) -> Candidate:
    """What the scope trained last. Raises TrainingError where there is nothing."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("scope_candidate"), {"scope": scope}).fetchone()
    if row is None or row["job"]["status"] != "succeeded":
        raise TrainingError(f"scope {scope!r} has no trained model; materialize fine_tuned_model for it first")
    return Candidate(row["job"], dataset_of(row, scope, settings.training_data_dir), row["passed"])


def examine_candidate(
    connection: psycopg.Connection[TupleRow],
    settings: Settings,
    scope: str,
    *,
    again: bool = False,
    progress: Callable[[str, int, int], None] = lambda who, at, of: None,
) -> Examination:
    """Examine what the scope trained last, against its own deployed control, else the global one, else people's messages.

    `again` forgets what the model answered and how it was judged before. Raises TrainingError where nothing was trained, and what `examine`
    raises.
    """
    candidate = candidate_of(connection, settings, scope)
    trainer, model_id = candidate.job["trainer"], candidate.model_id
    if again:
        connection.execute(statement("forget_examination"), {"scope": scope, "trainer": trainer, "model_id": model_id})
        connection.commit()
    examination = examine(
        connection,
        scope,
        candidate.dataset,
        Examinee(trainer, model_id, chat_with(settings, trainer, model_id)),
        _control(connection, settings, scope, model_id),
        limits=limits_of(settings),
        judge=_judge(settings),
        progress=progress,
    )
    connection.execute(statement("note_examination"), {"scope": scope, "job": candidate.job["id"], "examination": examination.id})
    connection.commit()
    return examination


def _control(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, candidate: str) -> Examinee | None:
    row = connection.execute(statement("current_control"), {"scope": scope, "candidate": candidate}).fetchone()
    if row is None:
        return None
    registry_id, trainer, model_id = row
    return Examinee(trainer, model_id, chat_with(settings, trainer, model_id), registry_id)


def _judge(settings: Settings) -> Chat | None:
    return None if settings.judge_model is None else chat_with(settings, "openai", settings.judge_model)
