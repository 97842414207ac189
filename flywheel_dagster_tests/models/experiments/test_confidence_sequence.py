"""The bounds against GrowthBook's, and where they must not pretend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.confidence_sequence import bounds, enough_events, path, rho_squared, standard_errors
from flywheel_dagster.models.experiments.difference import difference
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import fixed_cohort, random_cohort


def _totals(units: list[float], sums: list[float], squares: list[float]) -> Totals:
    """One epoch with nothing but values."""
    none = np.zeros((1, 2))
    names = set(Totals.__dataclass_fields__) - {"share", "units", "value", "value_squared"}
    return Totals(
        share=np.array([0.5]),
        units=np.array([units]),
        value=np.array([sums]),
        value_squared=np.array([squares]),
        **dict.fromkeys(names, none),
    )


def test_two_sided_it_is_growthbooks_sequential_test() -> None:
    """gbstats 0.8.0: SequentialTwoSidedTTest(a, b, SequentialConfig(difference_type="absolute", sequential_tuning_parameter=5000, alpha=0.05)) with
    a = SampleMeanStatistic(n=4000, sum=90.0, sum_squares=45.0), b = SampleMeanStatistic(n=4000, sum=118.0, sum_squares=61.5)."""
    totals = _totals([4000, 4000], [90, 118], [45, 61.5])
    found = bounds(difference(totals, totals.value, totals.value_squared), planned_units=5000, alpha=0.05, two_sided=True)
    assert found == pytest.approx((-0.0006572366192760032, 0.014657236619276003), abs=1e-9)


def test_one_sided_it_is_growthbooks_published_fixture() -> None:
    """gbstats' own tests (growthbook/growthbook, packages/stats/tests, TestSequentialOneSidedGreaterTTest, absolute): n 3000 and 3461, estimate
    0.23437666666666668, standard deviation 0.12983081254184736, α 0.05, tuned for 5000: lower bound -0.12656844172804982. It counts units as they are."""
    away = standard_errors(np.array(6461.0), planned_units=5000, alpha=0.05)
    assert 0.23437666666666668 - away * 0.12983081254184736 == pytest.approx(-0.12656844172804982, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("units", [10.0, 1_000.0, 100_000.0])
def test_the_closed_form_lies_just_outside_the_mixture_it_comes_from(units: float, alpha: float) -> None:
    """Robbins' half-normal mixture itself: 2·exp(y²/2)·Φ(y)/sqrt(nρ²+1) reaches 1/α a little before the closed form says so."""
    grown = units * rho_squared(5_000, alpha)
    y = float(standard_errors(np.array(units), planned_units=5_000, alpha=alpha)) * np.sqrt(grown / (grown + 1))
    mixture = 2 * np.exp(y**2 / 2) * stats.norm.cdf(y) / np.sqrt(grown + 1)
    assert 1 / alpha <= mixture <= 1.15 / alpha


def test_it_is_tightest_where_planned() -> None:
    """In units of the drift that could be told apart: bound·sqrt(planned/n) is least near n = planned, within the flat bottom of the closed form."""
    units = np.geomspace(100, 200_000, 400)
    wide = {planned: standard_errors(units, planned_units=planned, alpha=0.05) for planned in (1_000, 20_000)}
    assert wide[1_000][units < 1_500].max() > wide[1_000][np.argmin(abs(units - 1_000))]
    assert (wide[1_000] < wide[20_000])[units < 2_000].all() and (wide[1_000] > wide[20_000])[units > 10_000].all()


def test_no_bound_pretends_before_there_are_events() -> None:
    cohort = random_cohort(np.random.default_rng(3), 3_000)
    walked = path(Totals.of(cohort, ends=np.arange(0, 3_001, 10)), planned_units=5_000, alpha=0.05, minimum_events=25)
    events = np.minimum(np.cumsum(cohort.variant & (cohort.value > 0)), np.cumsum(~cohort.variant & (cohort.value > 0)))
    known = np.append(0, events)[np.arange(0, 3_001, 10)] >= 25
    assert np.isfinite(walked.lower).tolist() == known.tolist() and known.any() and not known[:20].any()
    assert np.all(walked.lower[known] < walked.estimate[known]) and walked.units[-1] == 3_000


def test_nothing_that_varies_means_no_bound() -> None:
    cohort = Cohort.of(np.arange(200) % 2 == 1, epoch=0, share=0.5, value=np.where(np.arange(200) % 2 == 1, 0.2, 0.1))
    totals = Totals.of(cohort)
    found = bounds(
        difference(totals, totals.value, totals.value_squared), planned_units=100, alpha=0.05, enough=enough_events(totals, 25)
    )
    assert found == (-np.inf, np.inf)


@given(st.floats(1e-4, 0.4), st.floats(1e-4, 0.4), st.floats(1.0, 1e6), st.integers(10, 10**6), st.booleans())
def test_bounds_widen_as_alpha_falls(one: float, other: float, units: float, planned: int, two_sided: bool) -> None:
    """At a fixed ρ; ρ itself is tuned to alpha, so it is kept by planning at the same nρ²."""
    low, high = sorted((one, other))
    same = {alpha: planned * rho_squared(1, alpha, two_sided=two_sided) for alpha in (low, high)}
    wide, narrow = (
        standard_errors(np.array(units), planned_units=same[alpha], alpha=alpha, two_sided=two_sided) for alpha in (low, high)
    )
    assert wide >= narrow


@given(st.sampled_from([(0.01, 0.025), (0.025, 0.05), (0.05, 0.1), (0.001, 0.05)]), st.floats(100.0, 100_000.0))
def test_bounds_widen_as_alpha_falls_as_they_are_tuned(alphas: tuple[float, float], units: float) -> None:
    wide, narrow = (standard_errors(np.array(units), planned_units=5_000, alpha=alpha) for alpha in alphas)
    assert wide > narrow


def test_the_path_ends_where_the_whole_cohort_is() -> None:
    cohort = fixed_cohort()
    totals = Totals.of(cohort)
    walked = path(Totals.of(cohort, ends=np.array([300, 600])), planned_units=500, alpha=0.05, minimum_events=5)
    found = difference(totals, totals.value, totals.value_squared)
    lower, upper = bounds(found, planned_units=500, alpha=0.05)
    assert (walked.estimate[-1], walked.lower[-1], walked.upper[-1]) == pytest.approx(
        (float(found.estimate), float(lower), float(upper))
    )
