"""What was made from datasets: registered versions, and what a provider keeps. How a version came about is in `lineage.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow, class_row

from flywheel_dagster.database import statement


@dataclass(frozen=True)
class MadeModel:
    """A registered version whose dataset is one of those asked for; `model_id` is the provider's."""

    scope: str
    model_version: str
    status: str
    trainer: str
    base_model: str
    model_id: str
    fine_tuning_job_id: str | None
    dataset_hash: str
    created_at: datetime


@dataclass(frozen=True)
class BoughtTraining:
    """A training that was begun on one of the datasets, registered or not, with the provider's ids of its files, job and model."""

    trainer: str
    status: str
    provider_job_id: str | None
    training_file_id: str | None
    validation_file_id: str | None
    model_id: str | None
    dataset_hash: str
    created_at: datetime


def models_made_from(connection: psycopg.Connection[TupleRow], dataset_hashes: Sequence[str]) -> list[MadeModel]:
    """The registered versions, oldest first."""
    with connection.cursor(row_factory=class_row(MadeModel)) as cursor:
        return cursor.execute(statement("models_of_datasets"), {"hashes": list(dataset_hashes)}).fetchall()


def trainings_bought_for(connection: psycopg.Connection[TupleRow], dataset_hashes: Sequence[str]) -> list[BoughtTraining]:
    """What a provider got to see, oldest first."""
    with connection.cursor(row_factory=class_row(BoughtTraining)) as cursor:
        return cursor.execute(statement("trainings_of_datasets"), {"hashes": list(dataset_hashes)}).fetchall()
