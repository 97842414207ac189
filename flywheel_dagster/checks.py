"""Checks that people see in the UI. The questions are asked in `datasets/gates.py`; blocking ones stop a run before money is spent."""

import dagster as dg

from flywheel_dagster.datasets.assemble import Dataset, current_dataset
from flywheel_dagster.datasets.gates import Verdict, enough_examples, no_lead_on_both_sides, no_outcome_twice, valid_chat_format
from flywheel_dagster.datasets.weeks import stale_weeks
from flywheel_dagster.names import TRAINING_JSONL
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import table
from flywheel_dagster.resources import Flywheel


def _current(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> Dataset:
    scope = context.partition_key
    with flywheel.connection() as connection:
        dataset = current_dataset(connection, scope, flywheel.settings().training_data_dir)
    if dataset is None:
        raise dg.Failure(
            description=f"scope {scope!r} has no dataset; materialize training_jsonl for it first", allow_retries=False
        )
    return dataset


def _result(verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=verdict.passed, description=verdict.description, metadata=verdict.numbers)


@dg.asset_check(asset=TRAINING_JSONL, name="enough_examples", blocking=True, partitions_def=scopes)
def enough(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> dg.AssetCheckResult:
    """Enough examples to learn from (FLYWHEEL_MIN_EXAMPLES, 50 by default)."""
    return _result(enough_examples(_current(context, flywheel), flywheel.settings().min_examples))


@dg.asset_check(asset=TRAINING_JSONL, name="valid_chat_format", blocking=True, partitions_def=scopes)
def chat_format(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> dg.AssetCheckResult:
    """Every line follows the provider's rules for chat examples."""
    return _result(valid_chat_format(_current(context, flywheel)))


@dg.asset_check(asset=TRAINING_JSONL, name="no_lead_on_both_sides", blocking=True, partitions_def=scopes)
def one_side(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> dg.AssetCheckResult:
    """No lead is trained on and validated with."""
    dataset = _current(context, flywheel)
    with flywheel.connection() as connection:
        return _result(no_lead_on_both_sides(connection, dataset))


@dg.asset_check(asset=TRAINING_JSONL, name="no_outcome_twice", blocking=True, partitions_def=scopes)
def once(context: dg.AssetCheckExecutionContext, flywheel: Flywheel) -> dg.AssetCheckResult:
    """Every outcome stands in the dataset once."""
    return _result(no_outcome_twice(_current(context, flywheel)))


@dg.asset_check(asset=TRAINING_JSONL, name="weeks_are_current", partitions_def=scopes)
def current(flywheel: Flywheel) -> dg.AssetCheckResult:
    """No week of training rows is older than its outcomes. Does not block: outcomes change all the time."""
    with flywheel.connection() as connection:
        stale = stale_weeks(connection, outcome_note=flywheel.settings().outcome_note)
    return dg.AssetCheckResult(
        passed=not stale,
        severity=dg.AssetCheckSeverity.WARN,
        description="all weeks are current"
        if not stale
        else f"{len(stale)} weeks have newer outcomes; materialize scored_training_rows for them, or switch on the sensor changed_outcomes",
        metadata={"stale_weeks": len(stale), "sample": table([{"week": week} for week in stale[:10]])},
    )


CHECKS = [enough, chat_format, one_side, once, current]
