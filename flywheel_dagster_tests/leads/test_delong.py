"""AUC and its variance: against brute force, against a bootstrap, and intervals that hold the truth on few rows."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm

from flywheel_dagster.leads.delong import auc, estimate, interval, paired
from flywheel_dagster_tests.thoroughness import examples

_ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=40)


def _parted(rows: list[tuple[bool, int, int]]) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    converted = np.array([row[0] for row in rows])
    assume(2 <= converted.sum() <= len(rows) - 2)
    return converted, np.array([row[1] for row in rows], dtype=float), np.array([row[2] for row in rows], dtype=float)


def _pairs(converted: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(converted, lost): 1 where the converted lead scores higher, ½ where they tie."""
    high, low = scores[converted][:, None], scores[~converted][None, :]
    return (high > low) + 0.5 * (high == low)


@given(_ROWS)
@settings(max_examples=examples(1_000, quick=50))
def test_auc_and_variance_are_those_of_all_pairs(rows: list[tuple[bool, int, int]]) -> None:
    converted, first, second = _parted(rows)
    one, other = _pairs(converted, first), _pairs(converted, second)
    assert auc(converted, first) == pytest.approx(one.mean())
    difference = other - one
    of_converted, of_lost = difference.mean(axis=1), difference.mean(axis=0)
    expected = of_converted.var(ddof=1) / len(of_converted) + of_lost.var(ddof=1) / len(of_lost)
    found = paired(converted, first, second)
    assert (found.value, found.variance) == (pytest.approx(difference.mean()), pytest.approx(expected, abs=1e-15))


@given(_ROWS)
@settings(max_examples=examples(1_000, quick=50))
def test_only_the_order_of_scores_counts(rows: list[tuple[bool, int, int]]) -> None:
    converted, scores, _ = _parted(rows)
    same = estimate(converted, np.exp(scores / 3) - 40)
    assert same == estimate(converted, scores)
    turned = estimate(converted, -scores)
    assert turned.value == pytest.approx(1 - same.value) and turned.variance == pytest.approx(same.variance, abs=1e-15)


def test_the_variance_of_a_difference_is_that_of_a_bootstrap() -> None:
    random = np.random.default_rng(5)
    outcome = random.random(400) < 0.3
    shared = outcome + random.normal(size=400)
    first, second = shared + random.normal(size=400), shared + 0.5 * random.normal(size=400)

    def difference(rows: NDArray[np.intp]) -> float:
        return auc(outcome[rows], second[rows]) - auc(outcome[rows], first[rows])

    drawn = bootstrap((np.arange(400),), difference, n_resamples=1_000, vectorized=False, random_state=random, method="percentile")
    assert paired(outcome, first, second).standard_error == pytest.approx(drawn.standard_error, rel=0.1)


def test_a_score_is_no_better_than_itself_and_all_ties_tell_nothing() -> None:
    converted = np.arange(20) < 7
    same = paired(converted, np.arange(20.0), np.arange(20.0))
    assert (same.value, same.variance, same.lower(0.025), same.p_value()) == (0, 0, 0, 1)
    assert interval(converted, np.zeros(20)) == (0.5, 0.5)


def test_a_perfect_ranking_of_few_leads_is_not_certain() -> None:
    converted = np.arange(50) < 10
    assert interval(converted, -np.arange(50.0)) == (pytest.approx(0.6915, abs=1e-4), 1.0)
    assert interval(converted, np.arange(50.0)) == (0.0, pytest.approx(0.3085, abs=1e-4))


@pytest.mark.parametrize(
    ("converted", "scores"), [([True, True], [1, 2]), ([], []), ([True, False], [1, float("nan")]), ([True], [1, 2])]
)
def test_what_has_no_auc_is_refused(converted: list[bool], scores: list[float]) -> None:
    with pytest.raises(ValueError, match=r"both outcomes|not a number|one length"):
        auc(converted, scores)


def misses(rows: int, converted: int, *, repeats: int, seed: int, apart: float = 1.0) -> tuple[float, float, float]:
    """Shares of samples whose interval misses the AUC that two normal scores have in truth, and whose one-sided bounds of a difference without
    gain (level 0.025) lie above 0: by Student's t, and by the normal distribution."""
    random = np.random.default_rng(seed)
    truth = float(norm.cdf(apart / np.sqrt(2)))
    outcome = np.arange(rows) < converted
    missed = by_t = by_normal = 0
    for _ in range(repeats):
        shared = random.normal(size=rows)
        first, second = (apart * outcome + np.sqrt(0.5) * shared + np.sqrt(0.5) * random.normal(size=rows) for _ in range(2))
        low, high = interval(outcome, first)
        missed += not low <= truth <= high
        found = paired(outcome, first, second)
        by_t += found.lower(0.025) > 0
        by_normal += found.value > norm.ppf(0.975) * found.standard_error
    return missed / repeats, by_t / repeats, by_normal / repeats


@pytest.mark.parametrize(("rows", "converted"), [(50, 10), (200, 40)])
def test_intervals_hold_the_truth(rows: int, converted: int) -> None:
    missed, by_t, _ = misses(rows, converted, repeats=600, seed=rows)
    assert missed < 0.075 and by_t < 0.045
