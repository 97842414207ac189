"""Checks that people see in the UI. The questions are asked in `datasets/gates.py`; blocking ones stop a run before money is spent.

They run inside the step that writes the dataset: Dagster's checks with partitions of their own are not for production yet.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.gates import (
    Verdict,
    enough_examples,
    manifest_names_every_line,
    no_address_left,
    no_group_on_both_sides,
    no_lead_on_both_sides,
    valid_chat_format,
    valid_pairs,
)
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.weeks import stale_weeks
from flywheel_dagster.names import MODEL_EVALUATION, PREFERENCE_PAIRS, REPLY_SENTIMENT, TRAINING_JSONL
from flywheel_dagster.outcomes.weeks import partitioned
from flywheel_dagster.presentation import table
from flywheel_dagster.replies.judging import Tally
from flywheel_dagster.replies.weekly import ENOUGH, WeekOfReplies, shift
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.examination.report import Examination


def _fit_to_train_on(asset: str) -> list[dg.AssetCheckSpec]:
    """What every dataset must be, whatever its lines look like."""
    said = {
        "no_lead_on_both_sides": "No lead is trained on and validated with.",
        "no_group_on_both_sides": "No group of near-duplicate messages is trained on and validated with.",
        "no_address_left": "No line has an e-mail address, but for organizations that switched redaction off.",
    }
    return [dg.AssetCheckSpec(name, asset=asset, blocking=True, description=description) for name, description in said.items()]


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
        "manifest_names_every_line",
        asset=TRAINING_JSONL,
        blocking=True,
        description="The manifest has each member once, and the files have the lines that it declares.",
    ),
    *_fit_to_train_on(TRAINING_JSONL),
    dg.AssetCheckSpec(
        "weeks_are_current",
        asset=TRAINING_JSONL,
        description="No week of training rows is older than its outcomes. Warns only: outcomes change all the time.",
    ),
]

PAIR_CHECKS = [
    dg.AssetCheckSpec(
        "valid_pairs",
        asset=PREFERENCE_PAIRS,
        blocking=True,
        description="Every line follows the DPO format, and the KTO rows theirs.",
    ),
    *_fit_to_train_on(PREFERENCE_PAIRS),
]

EVALUATION_CHECKS = [
    dg.AssetCheckSpec(
        "fit_to_serve",
        asset=MODEL_EVALUATION,
        blocking=True,
        description="No criterion of the examination failed; otherwise the model is registered as failed and can't be deployed.",
    )
]

REPLY_CHECKS = [
    dg.AssetCheckSpec(
        "models_answer",
        asset=REPLY_SENTIMENT,
        description="Rules stood in for the model in less than 5 % of what it was asked.",
    ),
    dg.AssetCheckSpec(
        "labels_agree_with_scores", asset=REPLY_SENTIMENT, description="Every judged reply's label is that of its score."
    ),
    dg.AssetCheckSpec(
        "replies_say_what_they_said",
        asset=REPLY_SENTIMENT,
        description="The shares of labels are those of the week before, as far as chance allows. Warns only: markets change.",
    ),
]
_MOST_FALLBACKS = 0.05


def check_replies(tally: Tally, filled: list[WeekOfReplies], found: Mapping[date, WeekOfReplies]) -> list[dg.AssetCheckResult]:
    """The results of all checks of `reply_sentiment`: for the weeks of this run, `found` has the ones before them, too."""
    return [_models_answer(tally, filled), _labels_agree(filled), _no_shift(filled, found)]


def _models_answer(tally: Tally, filled: list[WeekOfReplies]) -> dg.AssetCheckResult:
    stood_in = max(sum(week.stood_in for week in filled), tally.fallbacks.total())
    asked = stood_in + sum(week.methods["llm"] for week in filled)
    share = stood_in / asked if asked else 0.0
    why = ", ".join(f"{reason} {count}" for reason, count in tally.fallbacks.most_common(3))
    return dg.AssetCheckResult(
        check_name="models_answer",
        passed=share < _MOST_FALLBACKS,
        severity=dg.AssetCheckSeverity.WARN,
        description="no model was asked"
        if not asked
        else f"rules stood in for {stood_in} of {asked} ({share:.1%})"
        + (f"; now: {why}; see why_rules_answered, mend the cause and materialize the weeks again" if why else ""),
        metadata={
            "share": share,
            "asked": asked,
            "stood_in": stood_in,
            "why_rules_answered": table([{"reason": reason, "replies": count} for reason, count in tally.fallbacks.most_common()]),
        },
    )


def _labels_agree(filled: list[WeekOfReplies]) -> dg.AssetCheckResult:
    wrong = [week for week in filled if week.disagreeing]
    count = sum(week.disagreeing for week in wrong)
    return dg.AssetCheckResult(
        check_name="labels_agree_with_scores",
        passed=not count,
        description=f"{count} replies have a label that their score contradicts; whoever gives track_reply a label of its own should leave it out"
        if count
        else "all labels are those of their scores",
        metadata={"disagreeing": count, "sample": table([{"week": week.week, "replies": week.disagreeing} for week in wrong[:10]])},
    )


def _no_shift(filled: list[WeekOfReplies], found: Mapping[date, WeekOfReplies]) -> dg.AssetCheckResult:
    pairs = [(week, found[before]) for week in filled if (before := week.week - timedelta(weeks=1)) in found]
    shifts = [(week.week, shift(before.labels, week.labels)) for week, before in pairs]
    compared = [(week, seen) for week, seen in shifts if seen.distance is not None]
    notable = [(week, seen) for week, seen in compared if seen.is_notable]
    if notable:
        said = f"{len(notable)} of {len(compared)} weeks differ from the one before; look at their replies, and at the method and version that judged them"
    else:
        said = (
            f"{len(compared)} weeks compared, none differs notably"
            if compared
            else f"too few replies to compare (fewer than {ENOUGH} a week)"
        )
    return dg.AssetCheckResult(
        check_name="replies_say_what_they_said",
        passed=not notable,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={
            "weeks_compared": len(compared),
            "notable": table([{"week": week, "distance": seen.distance, "p": seen.p_value} for week, seen in notable[:10]]),
        },
    )


def check_dataset(connection: psycopg.Connection[TupleRow], dataset: Dataset, settings: Settings) -> list[dg.AssetCheckResult]:
    """The results of all checks of `training_jsonl`."""
    stale = partitioned(stale_weeks(connection, outcome_note=settings.outcome_note))
    return [
        _result("enough_examples", enough_examples(dataset, settings.min_examples)),
        _result("valid_chat_format", valid_chat_format(dataset)),
        _result("manifest_names_every_line", manifest_names_every_line(connection, dataset)),
        *_fitness(connection, dataset),
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


def check_pairs(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> list[dg.AssetCheckResult]:
    """The results of all checks of `preference_pairs`."""
    return [
        _result("valid_pairs", valid_pairs(dataset)),
        *_fitness(connection, dataset),
    ]


def _fitness(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> list[dg.AssetCheckResult]:
    """The results of `_fit_to_train_on`."""
    return [
        _result("no_lead_on_both_sides", no_lead_on_both_sides(connection, dataset)),
        _result("no_group_on_both_sides", no_group_on_both_sides(connection, dataset)),
        _result("no_address_left", no_address_left(connection, dataset)),
    ]


def check_examination(examination: Examination) -> list[dg.AssetCheckResult]:
    """The results of all checks of `model_evaluation`."""
    failed = examination.failed
    lacking = [each.name for each in examination.findings.criteria if each.verdict == "insufficient"]
    said = "; ".join(
        f"{each.name} is {each.value:.4g}, must be {each.comparison} {each.threshold:.4g}: {each.explanation}"
        for each in failed
        if each.value is not None and each.threshold is not None
    )
    verdict = said or f"{len(examination.findings.criteria) - len(lacking)} criteria passed"
    return [
        dg.AssetCheckResult(
            check_name="fit_to_serve",
            passed=examination.passed,
            description=verdict + (f"; too little to judge {', '.join(lacking)}" if lacking else ""),
            metadata={"criteria": table(examination.rows())},
        )
    ]


def _result(name: str, verdict: Verdict) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(check_name=name, passed=verdict.passed, description=verdict.description, metadata=verdict.numbers)
