"""From a finished and examined training to a registered version."""

from datetime import date
from decimal import Decimal

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.errors import TrainingError
from flywheel_dagster.models.registry import Entry, TrainedVersion, register
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.candidates import candidate_of
from flywheel_dagster.training.expiry import base_ends_on


def register_candidate(
    connection: psycopg.Connection[TupleRow], settings: Settings, scope: str, *, model_version: str | None = None
) -> Entry:
    """Register what the scope trained last, ready or failed as its examination says; twice gives the same entry.

    A version that serves already goes on serving though a later examination failed: taking it back is for people. Raises TrainingError unless
    a training succeeded and its model was examined, InputError for a `model_version` that the scope has already.
    """
    candidate = candidate_of(connection, settings, scope)
    if candidate.passed is None:
        raise TrainingError(f"model {candidate.model_id} was not examined; materialize model_evaluation for {scope!r} first")
    job, dataset = candidate.job, candidate.dataset
    base_model, cost = job["settings"]["base_model"], job["cost_usd"]
    ends_on: date | None = base_ends_on(job["trainer"], base_model)
    return register(
        connection,
        scope,
        TrainedVersion(
            model_id=candidate.model_id,
            base_model=base_model,
            base_ends_on=ends_on,
            trainer=job["trainer"],
            settings_hash=job["settings_hash"],
            dataset_hash=dataset.hash,
            example_format=dataset.example_format,
            fine_tuning_job_id=job["provider_job_id"],
            training_examples_count=dataset.train_examples,
            positive_examples=dataset.positive_examples,
            deals_in_training=dataset.deals,
            trained_tokens=job["trained_tokens"],
            training_cost_usd=None if cost is None else Decimal(str(cost)),
            status="ready" if candidate.passed else "failed",
        ),
        model_version=model_version,
    )
