"""The intervals hold what they promise, under simulation and against published figures, in whatever order the numbers come."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.training.examination.criteria import Rule, judge_answers, judge_difference, judge_rate
from flywheel_dagster.training.examination.statistics import Interval, mean_interval, wilson_interval

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False)


def differences(draw: random.Random, leads: int, *, effect: float = 0.0) -> tuple[list[float], list[int]]:
    """What is measured of two equal models: each lead has its own difference, and several prompts share it but for noise."""
    values: list[float] = []
    clusters: list[int] = []
    for lead in range(leads):
        own = draw.gauss(effect, 1)
        for _ in range(draw.choice((1, 1, 2, 4))):
            values.append(own + draw.gauss(0, 0.5))
            clusters.append(lead)
    return values, clusters


@pytest.mark.parametrize("leads", [12, 60])
def test_of_equal_models_the_interval_misses_zero_as_often_as_it_says(leads: int) -> None:
    draw, runs = random.Random(7), 1_500
    found = [mean_interval(*differences(draw, leads)) for _ in range(runs)]
    misses = sum(not each.low <= 0 <= each.high for each in found) / runs
    assert abs(misses - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)


def test_without_clusters_it_would_miss_far_too_often() -> None:
    draw, runs = random.Random(7), 500
    found = [mean_interval(values, range(len(values))) for values, _ in (differences(draw, 60) for _ in range(runs))]
    assert sum(not each.low <= 0 <= each.high for each in found) / runs > 0.12


def test_a_gate_on_equal_models_blocks_seldom_and_on_a_worse_one_mostly() -> None:
    draw, runs = random.Random(3), 400
    equal = [judge_difference("x", mean_interval(*differences(draw, 60)), 0.1, "").verdict for _ in range(runs)]
    worse = [judge_difference("x", mean_interval(*differences(draw, 60, effect=-0.6)), 0.1, "").verdict for _ in range(runs)]
    assert equal.count("failed") / runs < 0.05
    assert worse.count("failed") / runs > 0.95
    assert worse.count("passed") == 0


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 5)), min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(pairs: list[tuple[float, int]], order: random.Random) -> None:
    shuffled = order.sample(pairs, len(pairs))
    one, other = (mean_interval(*zip(*each, strict=True)) for each in (pairs, shuffled))
    assert (one.estimate, one.clusters) == (other.estimate, other.clusters)
    assert one.low == pytest.approx(other.low, rel=1e-9, abs=1e-9)


@given(st.lists(NUMBERS, min_size=2, max_size=30), st.floats(0.1, 10), NUMBERS)
def test_the_interval_moves_and_grows_with_the_values(values: list[float], scale: float, shift: float) -> None:
    plain = mean_interval(values, range(len(values)))
    moved = mean_interval([value * scale + shift for value in values], range(len(values)))
    assert moved.estimate == pytest.approx(plain.estimate * scale + shift, abs=1e-6)
    assert moved.high - moved.low == pytest.approx((plain.high - plain.low) * scale, rel=1e-6, abs=1e-6)


def test_with_a_cluster_each_it_is_students_interval_and_with_one_it_says_nothing() -> None:
    found = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0], "abcde")
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (3.0, 3 - 2.776445 * 0.707107, 3 + 2.776445 * 0.707107), abs=1e-5
    )
    assert mean_interval([1.0, 2.0], "aa") == Interval(1.5, -math.inf, math.inf, 1)
    assert mean_interval([], "").low == -math.inf


def test_wilsons_interval_is_that_of_the_books() -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
    for successes, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson_interval(successes, trials)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0.0, 1.0)


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilsons_interval_holds_the_rate_and_stays_within_bounds(trials: int, share: float) -> None:
    found = wilson_interval(share * trials, trials)
    assert 0 <= found.low <= found.estimate + 1e-9
    assert found.estimate - 1e-9 <= found.high <= 1


@pytest.mark.parametrize(
    ("bad", "of", "verdict"), [(0, 100, "passed"), (5, 100, "passed"), (6, 100, "failed"), (1, 3, "passed"), (2, 3, "failed")]
)
def test_a_rate_blocks_above_its_threshold_but_never_for_a_single_answer(bad: int, of: int, verdict: str) -> None:
    rule = Rule("length", 0.05, "too long")
    assert judge_rate(rule, [["long"]] * bad + [[]] * (of - bad)).verdict == verdict


def test_of_a_single_bad_answer_among_few_it_is_said_that_it_counts_for_nothing() -> None:
    rule = Rule("length", 0.05, "too long")
    said = judge_rate(rule, [["long"], *[[]] * 4]).explanation
    assert "20% is more than the 5%" in said and "FLYWHEEL_TEST_SHARE" in said
    assert "more than" not in judge_rate(rule, [["long"], *[[]] * 99]).explanation


@pytest.mark.parametrize(("asked", "usable", "verdict"), [(0, 0, "failed"), (5, 0, "failed"), (5, 1, "passed")])
def test_who_never_answered_fails(asked: int, usable: int, verdict: str) -> None:
    found = judge_answers(asked, usable)
    assert (found.verdict, found.hard, "FLYWHEEL_TEST_SHARE" in found.explanation) == (verdict, True, asked == 0)


def test_what_may_never_be_blocks_for_a_single_answer_and_nothing_to_look_at_is_insufficient() -> None:
    rule = Rule("personal data", 0.0, "found", one_may=False)
    assert judge_rate(rule, [["phone"], *[[]] * 99]).verdict == "failed"
    assert judge_rate(rule, []).verdict == "insufficient"
