import numpy as np
import pytest
from scipy import integrate, stats

from flywheel_dagster.models.experiments.difference import Difference
from flywheel_dagster.models.experiments.posterior import Prior, posterior


def _difference(control: float, variant: float, control_error: float, variant_error: float) -> Difference:
    error = np.hypot(control_error, variant_error)
    return Difference(*map(np.array, (control, variant, variant - control, error, control_error, variant_error, 1_000.0)))


def test_without_a_prior_it_is_growthbooks() -> None:
    """gbstats 0.8.0: EffectBayesianABTest(a, b, EffectBayesianConfig(difference_type="absolute", prior_effect=GaussianPrior(proper=False)))
    with a = SampleMeanStatistic(n=4000, sum=90.0, sum_squares=45.0), b = SampleMeanStatistic(n=4000, sum=118.0, sum_squares=61.5)."""
    errors = [np.sqrt((squares - total**2 / 4000) / 3999 / 4000) for total, squares in ((90.0, 45.0), (118.0, 61.5))]
    found = posterior(_difference(90 / 4000, 118 / 4000, *errors), units=(4000, 4000))
    assert found is not None
    assert found.probability_better == pytest.approx(0.9973305275902549, abs=1e-9)
    assert found.loss_of_keeping == pytest.approx(0.007002005330181685, abs=1e-9)
    assert found.loss_of_promoting == pytest.approx(2.005330181685585e-06, abs=1e-9)


def test_losses_are_the_integrals_they_stand_for() -> None:
    found = posterior(_difference(0.03, 0.028, 0.001, 0.003), units=(900, 100), prior=Prior(0.031, 200))
    assert found is not None
    density = stats.norm(found.mean, found.standard_deviation).pdf
    lost = integrate.quad(lambda gain: -gain * density(gain), -0.1, 0)[0]
    missed = integrate.quad(lambda gain: gain * density(gain), 0, 0.1)[0]
    assert (found.loss_of_promoting, found.loss_of_keeping) == pytest.approx((lost, missed), rel=1e-6)


def test_a_prior_weighs_as_many_units_as_it_says() -> None:
    found = posterior(_difference(0.02, 0.06, 0.002, 0.006), units=(900, 100), prior=Prior(0.03, 100))
    assert found is not None
    assert found.mean == pytest.approx((0.06 * 100 + 0.03 * 100) / 200 - (0.02 * 900 + 0.03 * 100) / 1000)
    assert found.standard_deviation == pytest.approx(np.sqrt(0.006**2 * 100 / 200 + 0.002**2 * 900 / 1000))


@pytest.mark.parametrize("error", [0.0, float("nan")])
def test_an_arm_without_variation_has_none(error: float) -> None:
    assert posterior(_difference(0.02, 0.03, 0.001, error), units=(10, 10)) is None
