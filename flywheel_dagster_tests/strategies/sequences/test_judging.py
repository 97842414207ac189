"""Many sequences judged together: little data doesn't lead, and chance is supported seldom."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flywheel_dagster.strategies.sequences.judging import Counted, Judged, Step, adjusted_p_values, judge, without_repeats
from flywheel_dagster.strategies.sequences.rules import Level
from flywheel_dagster.strategies.sequences.shrinkage import shrunken_rates


def counted(table: list[tuple[int, int]]) -> list[Counted]:
    """First touches with (leads, successes) each, all at one point."""
    leads, successes = (sum(column) for column in zip(*table, strict=True))
    return [
        Counted(
            Level.STRATEGY,
            (Step(order=1, strategy=f"s{place}"),),
            *(np.array([each], dtype=np.int64) for each in (n, wins, leads, successes)),
        )
        for place, (n, wins) in enumerate(table)
    ]


def judged(table: list[tuple[int, int]]) -> list[Judged]:
    return judge(counted(table), false_discoveries=0.1)


def test_one_of_one_does_not_lead() -> None:
    found = judged([(1, 1), (400, 60), (500, 20), (450, 24), (300, 10), (250, 9)])
    assert found[0].lift == max(each.lift or 0 for each in found)
    ranked = sorted(found, key=lambda each: (each.supported, each.shrunken_rate / each.expected_rate), reverse=True)
    assert ranked[0] is found[1]
    assert found[1].supported and not found[0].supported


def test_nothing_to_judge_is_nothing() -> None:
    assert judge([], false_discoveries=0.1) == []


def test_rates_that_differ_no_more_than_by_chance_are_shrunken_to_what_is_expected() -> None:
    for each in judged([(100, 5), (100, 5), (100, 6), (100, 4), (100, 5)]):
        assert each.shrunken_rate == pytest.approx(0.05, abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_p_values_are_adjusted_as_scipy_does(p_values: list[float]) -> None:
    assert adjusted_p_values(np.array(p_values)) == pytest.approx(stats.false_discovery_control(p_values))


def test_a_coarser_level_that_generalises_from_one_sequence_is_left_out() -> None:
    arrays = [np.array([each], dtype=np.int64) for each in (40, 4, 90, 8)]
    exact = Counted(Level.CHANNEL_GAP_STRATEGY, (Step(order=1, channel="email", strategy="PAS"),), *arrays)
    repeated = Counted(Level.CHANNEL_GAP, (Step(order=1, channel="email"),), *arrays)
    wider = Counted(Level.STRATEGY, (Step(order=1, strategy="PAS"),), np.array([50], dtype=np.int64), *arrays[1:])
    other = Counted(Level.CHANNEL_GAP, (Step(order=1, channel="phone"),), *arrays)
    assert without_repeats([exact, repeated, wider, other]) == [exact, wider, other]


def test_the_more_leads_the_less_is_shrunken() -> None:
    expected = np.full(6, 0.1)
    leads = np.array([10.0, 40.0, 160.0, 640.0, 640.0, 640.0])
    successes = np.array([2.0, 8.0, 32.0, 128.0, 32.0, 32.0])
    rates = shrunken_rates(leads, successes, expected)[:4]
    assert all(before < after < 0.2 for before, after in pairwise(rates))


def _false_share(random: np.random.Generator, lifts: np.ndarray) -> tuple[bool, float, int]:
    """A campaign of 12 first touches, 4 % succeed, some truly better: is anything supported, which share of it wrongly, and how many truly better are found."""
    leads = random.integers(20, 300, lifts.size)
    found = judged(list(zip(leads.tolist(), random.binomial(leads, 0.04 * lifts).tolist(), strict=True)))
    supported = np.array([each.supported for each in found])
    return (
        bool(supported.any()),
        float((supported & (lifts <= 1)).sum() / max(1, supported.sum())),
        int((supported & (lifts > 1)).sum()),
    )


campaigns = pytest.mark.parametrize("campaigns", [25, pytest.param(1_000, marks=pytest.mark.acceptance)])


@campaigns
def test_in_a_world_without_any_effect_little_is_supported(campaigns: int) -> None:
    random = np.random.default_rng(11)
    anything = [_false_share(random, np.ones(12))[0] for _ in range(campaigns)]
    assert np.mean(anything) <= 0.1 + 2 * (0.1 * 0.9 / campaigns) ** 0.5


@campaigns
def test_where_some_are_better_few_of_the_supported_are_chance(campaigns: int) -> None:
    random = np.random.default_rng(12)
    lifts = np.array([3.0, 3.0] + [1.0] * 10)
    shares, found = zip(*(_false_share(random, lifts)[1:] for _ in range(campaigns)), strict=True)
    assert np.mean(shares) <= 0.1
    assert np.mean(found) > 0.5
