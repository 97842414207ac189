"""Checks that people see in the UI. The questions are asked in `datasets/gates.py`; blocking ones stop a run before money is spent.

They run inside the step that writes the dataset: Dagster's checks with partitions of their own are not for production yet.
"""

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import Dataset
from flywheel_dagster.datasets.gates import Verdict, enough_examples, no_lead_on_both_sides, no_outcome_twice, valid_chat_format
from flywheel_dagster.datasets.weeks import stale_weeks
from flywheel_dagster.names import TRAINING_JSONL
from flywheel_dagster.presentation import table
from flywheel_dagster.settings import Settings

DATASET_CHECKS = [
    dg.AssetCheckSpec(
        "enough_examples",
        asset=TRAINING_JSONL,
        blocking=True,
        description="Enough examples to learn from (FLYWHEEL_MIN_EXAMPLES, 50 by default).",
    ),
    dg.AssetCheckSpec(
        "valid_chat_format",
        asset=TRAINING_JSONL,
        blocking=True,
        description="Every line follows the provider's rules for chat examples.",
    ),
    dg.AssetCheckSpec(
        "no_lead_on_both_sides", asset=TRAINING_JSONL, blocking=True, description="No lead is trained on and validated with."
    ),
    dg.AssetCheckSpec(
        "no_outcome_twice", asset=TRAINING_JSONL, blocking=True, description="Every outcome stands in the dataset once."
    ),
    dg.AssetCheckSpec(
        "weeks_are_current",
        asset=TRAINING_JSONL,
        description="No week of training rows is older than its outcomes. Warns only: outcomes change all the time.",
    ),
]


def check_dataset(connection: psycopg.Connection[TupleRow], dataset: Dataset, settings: Settings) -> list[dg.AssetCheckResult]:
    """The results of all checks of `training_jsonl`."""
    stale = stale_weeks(connection, outcome_note=settings.outcome_note)
    return [
        _result("enough_examples", enough_examples(dataset, settings.min_examples)),
        _result("valid_chat_format", valid_chat_format(dataset)),
        _result("no_lead_on_both_sides", no_lead_on_both_sides(connection, dataset)),
        _result("no_outcome_twice", no_outcome_twice(dataset)),
        dg.AssetCheckResult(
            check_name="weeks_are_current",
            passed=not stale,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(stale)} weeks have newer outcomes; materialize scored_training_rows for them, or switch on the sensor changed_outcomes"
            if stale
            else "all weeks are current",
            metadata={"stale_weeks": len(stale), "sample": table([{"week": week} for week in stale[:10]])},
        ),
    ]


def _result(name: str, verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(check_name=name, passed=verdict.passed, description=verdict.description, metadata=verdict.numbers)
