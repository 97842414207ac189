"""What the loop came to, in words for the terminal: outcomes by stage, examples kept and dropped, job and model."""

from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import Dataset, current_dataset
from flywheel_dagster.outcomes.summary import Summary, summarize
from flywheel_dagster.outcomes.weeks import FIRST_WEEK
from flywheel_dagster.settings import Settings


def report(connection: psycopg.Connection[TupleRow], settings: Settings, scope: str) -> str:
    """The summary for a scope. Outcomes are counted over all organisations for "global", else over that one."""
    organization = None if scope == "global" else scope
    parts = [_outcomes(summarize(connection, first_week=FIRST_WEEK, organization_id=organization))]
    dataset = current_dataset(connection, scope, settings.training_data_dir)
    if dataset is not None:
        with connection.cursor(row_factory=dict_row) as cursor:
            models = cursor.execute(statement("models_of_dataset"), {"hash": dataset.hash, "scope": scope}).fetchall()
        parts += [_dataset(dataset), *(_model(model) for model in models)]
    return "\n\n".join(parts)


def _outcomes(outcomes: Summary) -> str:
    width = max(len(stage) for stage in outcomes.stages)
    most = max(1, outcomes.rows)
    lines = [
        f"Outcomes: {outcomes.rows} messages to {outcomes.leads} leads of {outcomes.organizations} organizations in {outcomes.weeks} weeks"
    ]
    for stage, count in outcomes.stages.items():
        lines.append(f"  {stage.replace('_', ' '):<{width}} {count:>7}  {'█' * round(30 * count / most)}".rstrip())
    return "\n".join([*lines, f"  ledger: {outcomes.events} events, {outcomes.unmatched_events} without an outcome"])


def _dataset(dataset: Dataset) -> str:
    lines = [
        f"Dataset {dataset.hash[:16]}: {dataset.examples} examples kept of {dataset.candidates} "
        f"({dataset.train_examples} to train, {dataset.validation_examples} to validate, {dataset.test_examples} to test; "
        f"{dataset.positive_examples} positive, {dataset.deals} deals)"
    ]
    lines += [f"  dropped {count:>6}  {reason}" for reason, count in sorted(dataset.dropped.items(), key=lambda item: -item[1])]
    return "\n".join([*lines, f"  {dataset.directory}"])


def _model(model: dict[str, Any]) -> str:
    cost = "cost unknown" if model["training_cost_usd"] is None else f"${model['training_cost_usd']}"
    return (
        f"Model {model['model_version']} ({model['scope']}): {model['model_id']}\n"
        f"  job {model['fine_tuning_job_id']}, {model['trained_tokens']} tokens trained, {cost}, status {model['status']}"
    )
