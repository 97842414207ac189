"""From a finished job to a registered version."""

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import TrainingError
from flywheel_dagster.models.registry import Entry, TrainedVersion, register
from flywheel_dagster.training.expiry import base_ends_on
from flywheel_dagster.training.submission import settings_hash
from flywheel_dagster.training.trainer import Trainer


def register_trained(connection: psycopg.Connection[TupleRow], scope: str, dataset: Dataset, trainer: Trainer) -> Entry:
    """Register the model that the trainer made of this dataset; twice gives the same entry. Raises TrainingError unless a job succeeded."""
    key = settings_hash(trainer)
    with connection.cursor(row_factory=dict_row) as cursor:
        job = cursor.execute(
            statement("latest_fine_tuning_job"), {"dataset_hash": dataset.hash, "trainer": trainer.name, "settings_hash": key}
        ).fetchone()
    if job is None or job["status"] != "succeeded":
        state = "no job" if job is None else f"job {job['provider_job_id']} is {job['status']}"
        raise TrainingError(
            f"dataset {dataset.hash[:12]} has no trained model ({state}); materialize fine_tuned_model for {scope!r} first"
        )
    return register(
        connection,
        scope,
        TrainedVersion(
            model_id=job["model_id"],
            base_model=trainer.recipe.base_model,
            base_ends_on=base_ends_on(trainer.name, trainer.recipe.base_model),
            trainer=trainer.name,
            settings_hash=key,
            dataset_hash=dataset.hash,
            example_format=dataset.example_format,
            fine_tuning_job_id=job["provider_job_id"],
            training_examples_count=dataset.train_examples,
            positive_examples=dataset.positive_examples,
            deals_in_training=dataset.deals,
            trained_tokens=job["trained_tokens"],
            training_cost_usd=job["cost_usd"],
        ),
    )
