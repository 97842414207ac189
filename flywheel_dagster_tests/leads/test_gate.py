"""What the gate decides, and what it says."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.gate import Action, judge
from flywheel_dagster.leads.policies import EVIDENCE, PLAIN, Policy
from flywheel_dagster_tests.thoroughness import examples

Scores = NDArray[np.float64]


def _leads(rows: int, *, seed: int = 1, rate: float = 0.3) -> tuple[NDArray[np.bool_], Scores]:
    """Outcomes, and the chance that each lead had."""
    random = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + 1.8 * random.normal(size=rows))))
    return random.random(rows) < chance, chance


def _blurred(chance: Scores, by: float, *, seed: int = 2) -> Scores:
    odds = np.log(chance / (1 - chance)) + by * np.random.default_rng(seed).normal(size=chance.size)
    return 1 / (1 + np.exp(-odds / (1 + by**2 / 4)))


def test_a_first_version_that_ranks_leads_replaces_the_prior() -> None:
    converted, chance = _leads(200)
    found = judge(converted, None, chance)
    assert found.action is Action.DEPLOY
    assert found.numbers["against"] == "prior" and found.numbers["deployed_auc"] == 0.5
    assert found.numbers["difference"] >= 0.02 and found.numbers["lower"] > 0 and found.numbers["level"] == pytest.approx(0.025)
    assert f"AUC {found.numbers['candidate_auc']:.3f} against 0.500 on 200 leads" in found.reason


def test_a_first_version_that_ranks_nothing_does_not() -> None:
    converted, chance = _leads(200)
    assert judge(converted, None, np.random.default_rng(3).permutation(chance)).action is Action.KEEP


def test_a_clear_gain_is_deployed_and_an_equal_version_kept() -> None:
    converted, chance = _leads(1_000)
    poor = _blurred(chance, 3.0)
    assert judge(converted, poor, chance).action is Action.DEPLOY
    equal = judge(converted, chance, _blurred(chance, 0.05))
    assert equal.action is Action.KEEP and "of the 0.020 that a change is worth" in equal.reason


def test_a_gain_that_may_be_chance_is_kept_back_and_says_how_many_leads_would_show_it() -> None:
    converted, chance = _leads(60, seed=12, rate=0.4)
    found = judge(converted, _blurred(chance, 0.8), chance)
    assert found.numbers["difference"] > 0.02 and found.action is Action.KEEP
    assert "may be chance" in found.reason and "more told leads would show it" in found.reason
    assert judge(converted, _blurred(chance, 0.8), chance, policy=PLAIN).action is Action.DEPLOY


@pytest.mark.parametrize(
    ("converted", "lost", "said"),
    [
        (9, 10, "31 more told leads and 1 more converted"),
        (4, 200, "6 more converted"),
        (60, 3, "7 more lost"),
        (0, 0, "50 more told leads, 10 more converted and 10 more lost"),
    ],
)
def test_too_few_leads_are_counted_with_what_is_missing(converted: int, lost: int, said: str) -> None:
    outcome = np.arange(converted + lost) < converted
    found = judge(outcome, outcome * 0.1, outcome * 0.9)
    assert found.action is Action.INSUFFICIENT and found.reason.endswith(said)


def test_the_plain_rule_needs_one_lead_of_each_outcome() -> None:
    assert judge([True, False], None, [0.9, 0.1], policy=PLAIN).action is Action.DEPLOY
    assert judge([True, True], None, [0.9, 0.1], policy=PLAIN).reason.endswith("1 more lost")


def test_scores_that_are_worth_nothing_are_kept_back_however_well_they_rank() -> None:
    converted, chance = _leads(1_000)
    found = judge(converted, _blurred(chance, 3.0), chance**12)
    assert found.action is Action.KEEP and "Brier score" in found.reason and "calibration" in found.reason


def test_every_further_look_asks_for_more_and_all_together_spend_alpha() -> None:
    converted, chance = _leads(300, seed=4)
    blurred = _blurred(chance, 1.2)
    bounds = [judge(converted, blurred, chance, look=look).numbers["lower"] for look in range(1, 8)]
    assert bounds == sorted(bounds, reverse=True) and len(set(bounds)) == 7
    assert sum(EVIDENCE.level(look) for look in range(1, 100_000)) == pytest.approx(EVIDENCE.alpha, rel=1e-4)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), max_size=80),
    st.integers(1, 50),
    st.sampled_from([EVIDENCE, PLAIN]),
)
@settings(max_examples=examples(1_000, quick=50))
def test_whatever_is_given_numbers_are_plain_json_and_a_gain_is_never_deployed_unseen(
    rows: list[tuple[bool, float, float]], look: int, policy: Policy
) -> None:
    converted, deployed, candidate = ([row[place] for row in rows] for place in range(3))
    found = judge(converted, deployed, candidate, policy=policy, look=look)
    assert json.loads(json.dumps(found.numbers, allow_nan=False)) == found.numbers
    if found.action is Action.DEPLOY:
        assert found.numbers["difference"] >= policy.margin
        assert policy is PLAIN or (len(rows) >= 50 and found.numbers["lower"] > 0)


def test_numbers_that_make_no_rule_are_refused() -> None:
    with pytest.raises(InputError, match="probability of error"):
        Policy(alpha=0.7)
    with pytest.raises(InputError, match="minimum_rows"):
        Policy(minimum_rows=1)
