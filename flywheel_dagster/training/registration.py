"""From a finished job to a registered version."""

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import TrainingError
from flywheel_dagster.models.registry import Entry, TrainedVersion, register
from flywheel_dagster.training.candidates import latest_examination, trained_job
from flywheel_dagster.training.expiry import base_ends_on
from flywheel_dagster.training.submission import settings_hash
from flywheel_dagster.training.trainer import Trainer


def register_trained(connection: psycopg.Connection[TupleRow], scope: str, dataset: Dataset, trainer: Trainer) -> Entry:
    """Register the model that the trainer made of this dataset, ready or failed as its examination says; twice gives the same entry.

    Raises TrainingError unless a job succeeded and its model was examined.
    """
    job = trained_job(connection, scope, dataset, trainer)
    passed = latest_examination(connection, scope, job, dataset)
    if passed is None:
        raise TrainingError(f"model {job['model_id']} was not examined; materialize model_evaluation for {scope!r} first")
    base_model = trainer.recipe.base_model
    return register(
        connection,
        scope,
        TrainedVersion(
            model_id=job["model_id"],
            base_model=base_model,
            base_ends_on=base_ends_on(trainer.name, base_model),
            trainer=trainer.name,
            settings_hash=settings_hash(trainer),
            dataset_hash=dataset.hash,
            example_format=dataset.example_format,
            fine_tuning_job_id=job["provider_job_id"],
            training_examples_count=dataset.train_examples,
            positive_examples=dataset.positive_examples,
            deals_in_training=dataset.deals,
            trained_tokens=job["trained_tokens"],
            training_cost_usd=job["cost_usd"],
            status="ready" if passed else "failed",
        ),
    )
