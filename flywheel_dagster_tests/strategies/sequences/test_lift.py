"""The exact lift: against brute force and scipy, and its bounds where normal approximations fail."""

from itertools import product
from math import comb, exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flywheel_dagster.strategies.sequences.lift import Counts, Lift, lift_of


def of(*points: tuple[int, int, int, int]) -> Lift:
    """Points as (leads, successes, all leads, all successes)."""
    leads, successes, all_leads, all_successes = (np.array(column, dtype=np.int64) for column in zip(*points, strict=True))
    return lift_of(leads, successes, all_leads, all_successes)


@st.composite
def _points(draw: st.DrawFn) -> tuple[int, int, int, int]:
    successes, failures = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    others_succeeded, others_failed = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    leads = successes + failures
    all_leads = leads + others_succeeded + others_failed
    return (leads, successes, all_leads, successes + others_succeeded) if 0 < leads < all_leads else (1, 0, 2, 1)


points = st.lists(_points(), min_size=1, max_size=4)


def weights(tables: list[tuple[int, int, int, int]]) -> dict[int, int]:
    """How many ways lead to each sum of successes, the margins being given: by counting all tables."""
    ways: dict[int, int] = {}
    for values in product(*(range(n + 1) for n, _, _, _ in tables)):
        way = 1
        for x, (n, _, total, wins) in zip(values, tables, strict=True):
            way *= comb(wins, x) * comb(total - wins, n - x)
        ways[sum(values)] = ways.get(sum(values), 0) + way
    return {x: way for x, way in ways.items() if way}


@settings(max_examples=60, deadline=None)
@given(points)
def test_chance_and_expectation_are_those_of_counting_all_tables(tables: list[tuple[int, int, int, int]]) -> None:
    ways, found, observed = weights(tables), of(*tables), sum(a for _, a, _, _ in tables)
    total = sum(ways.values())
    assert found.expected == pytest.approx(sum(x * way for x, way in ways.items()) / total)
    if found.lift is not None:
        assert found.p_value == pytest.approx(sum(way for x, way in ways.items() if x >= observed) / total)
        assert found.lift == pytest.approx(observed / found.expected)


@settings(max_examples=60, deadline=None)
@given(points)
def test_the_bounds_are_the_odds_at_which_what_was_seen_is_rare(tables: list[tuple[int, int, int, int]]) -> None:
    ways, found, observed = weights(tables), of(*tables), sum(a for _, a, _, _ in tables)
    if found.lift is None:
        return
    assert found.low is not None and found.high is not None
    assert found.low <= found.lift <= found.high

    def under(log_odds: float, count: bool) -> tuple[float, float, float]:
        chances = {x: way * exp(log_odds * (x - observed)) for x, way in ways.items()}
        total = sum(chances.values())
        tail = sum(chance for x, chance in chances.items() if (x >= observed if count else x <= observed))
        return tail / total, sum(x * chance for x, chance in chances.items()) / total, total

    for bound, upper in ((found.low, True), (found.high, False)):
        extreme = min(ways) if upper else max(ways)
        if observed == extreme:
            assert bound * found.expected == pytest.approx(extreme)
            continue
        low, high = -40.0, 40.0  # bisection on the mean, to find the odds that the bound stands for
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if under(middle, upper)[1] < bound * found.expected else (low, middle)
        assert under(low, upper)[0] == pytest.approx(0.025, rel=1e-3)


@pytest.mark.parametrize("table", [[[3, 37], [10, 950]], [[40, 160], [300, 2500]], [[700, 9300], [4000, 86000]]])
def test_one_point_is_fishers_test(table: list[list[int]]) -> None:
    (a, b), (c, d) = table
    found = of((a + b, a, a + b + c + d, a + c))
    assert found.p_value == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-6)


def test_strong_effects_in_large_campaigns_are_told_without_overflow() -> None:
    found = of((20_000, 4_000, 100_000, 5_000), (300, 5, 30_000, 4_000))
    assert found.lift is not None and found.low is not None and found.high is not None
    assert found.low < found.lift < found.high
    assert 0 <= found.p_value < 1e-300
    assert of((20_000, 10, 100_000, 5_000)).p_value == pytest.approx(1)


def test_without_a_success_or_without_others_who_differ_there_is_no_lift() -> None:
    assert of((30, 0, 60, 0)) == Lift(0.0, None, None, None, 1.0)
    assert of((30, 30, 60, 60)) == Lift(30.0, 1.0, 1.0, 1.0, 1.0)


def test_one_of_one_says_nothing() -> None:
    found = of((1, 1, 400, 20))
    assert found.lift == pytest.approx(20) and found.p_value == pytest.approx(0.05)
    assert found.low is not None and found.low < 1


def _tables(random: np.random.Generator, odds: float) -> tuple[Counts, Counts, Counts, Counts, float]:
    """Six points of differing rates; also the lift that the sequence truly has there, its leads being given."""
    leads, others = random.integers(2, 12, 6), random.integers(5, 60, 6)
    rate = random.uniform(0.01, 0.15, 6)
    better = odds * rate / (1 - rate + odds * rate)
    successes, theirs = random.binomial(leads, better), random.binomial(others, rate)
    expected = (leads * (leads * better + others * rate) / (leads + others)).sum()
    return leads, successes, leads + others, successes + theirs, float((leads * better).sum() / expected)


@pytest.mark.parametrize("odds", [1.0, 2.5])
@pytest.mark.parametrize("samples", [150, pytest.param(5_000, marks=pytest.mark.acceptance)])
def test_the_interval_covers_the_truth_with_few_events(odds: float, samples: int) -> None:
    random = np.random.default_rng(7)
    missed, false = 0, 0
    for _ in range(samples):
        *table, truth = _tables(random, odds)
        found = lift_of(*table)  # type: ignore[arg-type]
        missed += found.low is not None and found.high is not None and not found.low <= truth <= found.high
        false += found.p_value <= 0.05
    assert missed / samples <= 0.05 + 2 * (0.05 * 0.95 / samples) ** 0.5
    if odds == 1:
        assert false / samples <= 0.05 + 2 * (0.05 * 0.95 / samples) ** 0.5
