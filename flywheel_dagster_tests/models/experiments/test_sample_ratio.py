import numpy as np
import pytest

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.sample_ratio import sample_ratio
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import fixed_cohort, random_cohort


@pytest.mark.parametrize(
    ("epochs", "square", "p_value"), [(3, 0.33610582010582013, 0.9531008753866095), (1, 0.46296296296296297, 0.49624247444426284)]
)
def test_it_is_pearsons_chi_square_over_epochs(epochs: int, square: float, p_value: float) -> None:
    """scipy 1.17.1: the sum of stats.chisquare([n0, n1], [(1 - p)·n, p·n]).statistic over the epochs of `fixed_cohort(epochs)`, and stats.chi2.sf of it."""
    found = sample_ratio(Totals.of(fixed_cohort(epochs)))
    assert (found.chi_square, found.degrees, found.p_value) == pytest.approx((square, epochs, p_value), abs=1e-9)


def test_a_lost_tenth_of_an_arm_is_found_though_the_share_changed() -> None:
    cohort = random_cohort(np.random.default_rng(5), 20_000)
    lost = cohort.variant & (np.arange(20_000) % 10 == 0)
    rest = Cohort(**{name: column[~lost] for name, column in vars(cohort).items()})
    assert sample_ratio(Totals.of(cohort)).p_value > 0.001 > sample_ratio(Totals.of(rest)).p_value


def test_a_few_units_mismatch_nothing() -> None:
    few = Cohort.of([True] * 4, epoch=0, share=0.1, value=0.0)
    assert sample_ratio(Totals.of(few)) == (0.0, 0, 1.0, 0.0, 0.0)


def test_equal_arms_mismatch_as_rarely_as_promised() -> None:
    random = np.random.default_rng(6)
    counts = np.stack([random.binomial(1_000, 0.1, 2_000), random.binomial(5_000, 0.5, 2_000)], axis=1)
    whole = np.array([1_000, 5_000])
    none = np.zeros((2, 2))
    others = dict.fromkeys(set(Totals.__dataclass_fields__) - {"share", "units"}, none)
    found = [
        sample_ratio(Totals(share=np.array([0.1, 0.5]), units=np.stack([whole - each, each], axis=1), **others)).p_value
        for each in counts
    ]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)
