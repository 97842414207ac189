import numpy as np
import pytest
from scipy.stats import t

from flywheel_dagster.strategies.offline.interval import interval


def test_without_skewness_it_is_students() -> None:
    leads = np.tile([-1.0, -0.5, 0.5, 1.0], 25)
    error, lower, upper = interval(0.3, leads, 100)
    assert error == pytest.approx(np.sqrt((leads**2).sum() * 100 / 99) / 100)
    margin = t.ppf(0.975, 99) * error
    assert (lower, upper) == pytest.approx((0.3 - margin, 0.3 + margin))


def test_it_covers_where_a_few_large_scores_make_the_mean_and_the_plain_one_does_not() -> None:
    random = np.random.default_rng(1)
    missed = {"ours": 0, "plain": 0}
    for _ in range(600):
        scores = random.binomial(1, 0.02, 600) * random.exponential(10.0, 600)
        mean = float(scores.mean())
        error, lower, upper = interval(mean, scores - mean, 600)
        missed["ours"] += not lower <= 0.2 <= upper
        missed["plain"] += not abs(mean - 0.2) <= 1.96 * error
    assert missed["plain"] / 600 > 0.09
    assert missed["ours"] / 600 < 0.07


def test_where_nothing_varies_it_is_a_point() -> None:
    assert interval(0.2, np.zeros(5), 5) == (0.0, 0.2, 0.2)
