"""Each verdict with its reason, by the default policy and the plain rules."""

import json
from dataclasses import replace

import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.policies import RATES, SCORE, Policy
from flywheel_dagster.models.experiments.posterior import Prior
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Verdict
from flywheel_dagster_tests.models.experiments.making import random_cohort


def _cohort(lift: float, units: int = 16_000, seed: int = 1) -> Cohort:
    return random_cohort(np.random.default_rng(seed), units, lift=lift)


def _failed(judgement: object) -> set[str]:
    return {each.name for each in judgement.criteria if not each.passed}  # type: ignore[attr-defined]


def test_a_much_better_variant_is_promoted() -> None:
    found = judge(Totals.of(_cohort(0.6)), days=40)
    assert found.verdict is Verdict.PROMOTE and not _failed(found)
    assert found.lower > 0 and found.relative_improvement is not None and found.relative_improvement > 0.05
    assert found.control_score is not None and found.estimate == pytest.approx((found.variant_score or 0) - found.control_score)
    assert found.posterior is not None and found.posterior.probability_better > 0.99
    assert "of control's" in found.reason


def test_an_equal_variant_is_inconclusive_and_says_why() -> None:
    found = judge(Totals.of(_cohort(0.0)), days=40)
    assert found.verdict is Verdict.INCONCLUSIVE and "may be chance" in found.reason


def test_a_worse_variant_is_rolled_back() -> None:
    found = judge(Totals.of(replace(_cohort(-0.6), cost_usd=np.zeros(16_000))), days=8)
    assert found.verdict is Verdict.ROLL_BACK and found.upper < 0 and "shown to be worse" in found.reason


def test_a_variant_that_cannot_win_any_more_is_not_kept_waiting() -> None:
    found = judge(Totals.of(_cohort(-0.02, units=400_000)), days=40)
    assert found.verdict is Verdict.KEEP and "no longer" in found.reason and found.upper > 0


def test_a_margin_is_asked_of_the_estimate_too() -> None:
    cohort = _cohort(0.6)
    assert judge(Totals.of(cohort), days=40, policy=Policy(margin=2.0)).verdict is Verdict.KEEP


@pytest.mark.parametrize(
    ("given", "name", "said"),
    [
        ({"days": 13}, "runtime", "13.0 days of 14"),
        ({"days": 40, "feeds_alive": False}, "feeds", "feed is silent"),
        ({"days": 40, "policy": Policy(minimum_events=100_000)}, "events", "too few events"),
    ],
)
def test_a_promotion_waits_for(given: dict[str, object], name: str, said: str) -> None:
    found = judge(Totals.of(_cohort(0.6)), **given)  # type: ignore[arg-type]
    assert found.verdict is Verdict.INCONCLUSIVE and name in _failed(found) and said in found.reason


def test_a_mismatch_of_shares_is_inconclusive_under_every_rule() -> None:
    cohort = _cohort(0.6)
    lost = cohort.variant & (np.arange(len(cohort)) % 5 == 0)
    totals = Totals.of(Cohort(**{name: column[~lost] for name, column in vars(cohort).items()}))
    for policy in (Policy(), SCORE, RATES):
        found = judge(totals, days=40, policy=policy)
        assert found.verdict is Verdict.INCONCLUSIVE and "sample-ratio mismatch" in found.reason


def test_a_breached_guardrail_rolls_back_even_a_winner_under_every_rule() -> None:
    cohort = _cohort(0.6)
    exposed = Totals.of(replace(cohort, spam_reported=cohort.variant & (np.arange(len(cohort)) % 50 == 0)))
    for policy in (Policy(), SCORE, RATES):
        found = judge(Totals.of(cohort), exposed=exposed, days=1, feeds_alive=False, policy=policy)
        assert found.verdict is Verdict.ROLL_BACK and "spam reports" in found.reason and "worse than control" in found.reason


def test_two_variants_share_the_probability_of_error() -> None:
    totals = Totals.of(_cohort(0.3))
    one, two = judge(totals, days=40), judge(totals, days=40, variants=2)
    assert two.alpha == one.alpha / 2 and two.lower < one.lower and two.upper > one.upper


def test_nobody_exposed_is_inconclusive_without_a_warning() -> None:
    found = judge(Totals.of(Cohort.of([], epoch=[], share=[], value=[])), days=0)
    assert found.verdict is Verdict.INCONCLUSIVE and found.estimate is None and found.posterior is None
    assert found.lower == -np.inf and found.upper == np.inf


def test_everybody_in_one_arm_is_inconclusive() -> None:
    found = judge(Totals.of(Cohort.of(np.zeros(3, dtype=bool), epoch=0, share=0.1, value=0.2)), days=40)
    assert found.verdict is Verdict.INCONCLUSIVE and "both_arms" in _failed(found)


def test_the_record_is_plain_json() -> None:
    record = judge(Totals.of(_cohort(0.0, units=600)), days=1, prior=Prior(0.03, 100)).record()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again["verdict"] == "inconclusive" and again["lower"] is None
    assert set(again["posterior"]) >= {"probability_better", "loss_of_promoting", "loss_of_keeping"}
    assert {"name", "value", "threshold", "passed", "text"} == set(again["criteria"][0])


def test_the_plain_rule_of_scores_promotes_chance() -> None:
    promoted = [
        judge(Totals.of(_cohort(0.0, units=2_000, seed=seed)), days=7, policy=SCORE).verdict is Verdict.PROMOTE
        for seed in range(60)
    ]
    assert 0.2 < np.mean(promoted) < 0.6


def test_the_plain_rule_keeps_control_when_the_score_is_no_better() -> None:
    found = judge(Totals.of(_cohort(-0.6)), days=40, policy=SCORE)
    assert found.verdict in (Verdict.KEEP, Verdict.ROLL_BACK) and "score" in _failed(found)


def _rates(**changed: object) -> Totals:
    """1,000 units in each arm: replies 80 and 100, deals 10 and 12, meetings 20 and 20."""
    unit, variant = np.arange(2_000) % 1_000, np.arange(2_000) >= 1_000
    replied = unit < np.where(variant, 100, 80)
    cohort = Cohort.of(
        variant,
        epoch=0,
        share=0.5,
        value=0.2 * replied,
        **{
            "replied": replied,
            "deal": unit < np.where(variant, 12, 10),
            "meeting": unit < 20,
            "cost_usd": 0.01,
            "sentiment": np.where(replied, np.where(variant, 0.4, 0.3), np.nan),
            **changed,
        },
    )
    return Totals.of(cohort)


def test_the_plain_rule_of_rates_promotes_when_all_four_hold() -> None:
    found = judge(_rates(), days=7, policy=RATES)
    assert found.verdict is Verdict.PROMOTE and "reply rate +25.0%" in found.reason


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"replied": np.arange(2_000) % 1_000 < 80}, "reply_rate"),
        ({"deal": np.arange(2_000) % 1_000 < 10}, "deal_rate"),
        ({"sentiment": np.where(np.arange(2_000) >= 1_000, 0.2, 0.3)}, "mean_sentiment"),
        ({"sentiment": np.nan}, "mean_sentiment"),
        ({"cost_usd": np.where(np.arange(2_000) >= 1_000, 0.02, 0.01)}, "cost_a_meeting_no_higher"),
        ({"meeting": False}, "cost_a_meeting_no_higher"),
    ],
)
def test_the_plain_rule_of_rates_keeps_control_when_one_fails(changed: dict[str, object], name: str) -> None:
    found = judge(_rates(**changed), days=7, policy=RATES)
    assert found.verdict is Verdict.KEEP and _failed(found) == {name}


def test_the_plain_rule_of_rates_waits_for_replies_to_compare_with() -> None:
    assert judge(_rates(replied=False), days=7, policy=RATES).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0.0}, {"guardrail_alpha": 0.7}, {"reversal_probability": 0.4}, {"planned_units": 0}, {"minimum_events": 1}]
)
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Policy(**wrong)  # type: ignore[arg-type]


def test_no_variant_is_no_experiment() -> None:
    with pytest.raises(InputError, match="1 variant or more"):
        judge(_rates(), days=7, variants=0)
