"""The estimator against statsmodels, against drifting rates, and its symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.models.experiments.cohort import Cohort
from flywheel_dagster.models.experiments.difference import Difference, difference
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster_tests.models.experiments.making import fixed_cohort, random_cohort


def _of(cohort: Cohort) -> Difference:
    totals = Totals.of(cohort)
    return difference(totals, totals.value, totals.value_squared)


@pytest.mark.parametrize(
    ("epochs", "estimate", "error"),
    [(3, -0.006110313366239083, 0.017159114636632104), (1, -0.0011509591326105198, 0.01948972395480128)],
)
def test_it_is_the_regression_on_arm_and_epoch(epochs: int, estimate: float, error: float) -> None:
    """By statsmodels 0.15.0, with a, e, x of `fixed_cohort(epochs)` and K epochs:
    sm.OLS(x, np.column_stack([a] + [e == k for k in range(K)]).astype(float)).fit().params[0], and the error by
    f = sm.OLS(x, np.column_stack([a & (e == k) for k in range(K)] + [e == k for k in range(K)]).astype(float)).fit(cov_type="HC2");
    f.t_test(np.concatenate([w, np.zeros(K)])).sd with w = n1·n0/(n1 + n0) of each epoch, normed to 1.
    For one epoch the error is Welch's: scipy 1.17.1 ttest_ind(x[a], x[~a], equal_var=False).statistic is -0.05905466569355777.
    """
    found = _of(fixed_cohort(epochs))
    assert found.estimate == pytest.approx(estimate, abs=1e-9) and found.standard_error == pytest.approx(error, abs=1e-9)
    if epochs == 1:
        assert found.estimate / found.standard_error == pytest.approx(-0.05905466569355777, abs=1e-9)


def test_rates_that_rise_with_the_share_are_not_taken_for_an_effect() -> None:
    random = np.random.default_rng(1)
    pooled, by_epoch = [], []
    for _ in range(20):
        cohort = random_cohort(random, 20_000, drift=0.6)
        pooled.append(_of(replace(cohort, epoch=np.zeros(20_000, dtype=int), share=np.full(20_000, 0.3))).estimate)
        by_epoch.append(_of(cohort).estimate)
    error = np.std(by_epoch) / np.sqrt(20)
    assert np.mean(pooled) > 10 * error  # Simpson's paradox: the variant has more of the late units
    assert abs(np.mean(by_epoch)) < 3 * error


def test_its_error_is_that_of_repetitions() -> None:
    random = np.random.default_rng(2)
    found = [_of(random_cohort(random, 5_000, lift=0.3)) for _ in range(200)]
    assert np.std([each.estimate for each in found]) == pytest.approx(np.mean([each.standard_error for each in found]), rel=0.15)


@pytest.mark.parametrize("units", [0, 1, 3])
def test_too_few_units_tell_nothing(units: int) -> None:
    found = _of(Cohort.of(np.arange(units) % 2 == 1, epoch=0, share=0.5, value=np.full(units, 0.5)))
    assert np.isnan(found.estimate) and np.isnan(found.standard_error)


def test_what_does_not_vary_has_no_error_to_judge_by() -> None:
    found = _of(Cohort.of(np.arange(100) % 2 == 1, epoch=0, share=0.5, value=np.full(100, 0.2)))
    assert found.estimate == 0 and np.isnan(found.standard_error)


def test_an_epoch_with_a_single_unit_of_an_arm_does_not_count() -> None:
    cohort = fixed_cohort()
    lone = cohort.variant & (cohort.epoch == 0) & (np.cumsum(cohort.variant) > 1)
    kept = ~lone
    thinned = Cohort(**{name: column[kept] for name, column in vars(cohort).items()})
    later = Cohort(**{name: column[cohort.epoch > 0] for name, column in vars(cohort).items()})
    assert _of(thinned).estimate == pytest.approx(float(_of(later).estimate))


def test_a_share_of_ten_percent_is_worth_thirty_six_percent_of_the_units() -> None:
    found = _of(Cohort.of(np.arange(1000) % 10 == 0, epoch=0, share=0.1, value=np.arange(1000) / 1000))
    assert found.effective_units == pytest.approx(360)


@st.composite
def _cohorts(draw: st.DrawFn) -> Cohort:
    return random_cohort(
        np.random.default_rng(draw(st.integers(0, 10**6))), draw(st.integers(40, 400)), reply=0.4, ramp=draw(st.booleans())
    )


@settings(max_examples=30, deadline=None)
@given(_cohorts(), st.randoms(use_true_random=False))
def test_the_order_of_units_does_not_matter(cohort: Cohort, random: object) -> None:
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(cohort))  # type: ignore[attr-defined]
    shuffled = Cohort(**{name: column[order] for name, column in vars(cohort).items()})
    np.testing.assert_allclose(_of(cohort), _of(shuffled), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(_cohorts())
def test_swapping_the_arms_negates_the_estimate(cohort: Cohort) -> None:
    one, other = _of(cohort), _of(replace(cohort, variant=~cohort.variant, share=1 - cohort.share))
    np.testing.assert_allclose([one.estimate, one.standard_error], [-other.estimate, other.standard_error], atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(_cohorts(), st.floats(0.01, 1.0))
def test_scaled_values_scale_estimate_and_error(cohort: Cohort, factor: float) -> None:
    one, other = _of(cohort), _of(replace(cohort, value=factor * cohort.value))
    np.testing.assert_allclose(
        [factor * one.estimate, factor * one.standard_error], [other.estimate, other.standard_error], atol=1e-10
    )


@settings(max_examples=30, deadline=None)
@given(_cohorts())
def test_an_epoch_without_units_changes_nothing(cohort: Cohort) -> None:
    totals = Totals.of(cohort)
    more = {name: np.concatenate([array, np.zeros_like(array[:1])]) for name, array in vars(totals).items() if name != "share"}
    wider = Totals(share=np.append(totals.share, 0.3), **more)
    np.testing.assert_allclose(
        difference(totals, totals.value, totals.value_squared), difference(wider, wider.value, wider.value_squared)
    )
