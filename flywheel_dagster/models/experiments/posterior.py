"""What one would bet: the probability that the variant is better, and what a wrong choice is expected to cost. Reported beside the verdict, never its reason.

Normal posteriors of both arms' means, each with the same prior from control's history; expected losses in closed form (Stucchio, "Bayesian A/B testing at
VWO", 2015, with a normal difference). A posterior isn't made for many looks: read it as a bet, not as proof.
"""

from math import erfc, exp, inf, isfinite, pi, sqrt
from typing import NamedTuple

from flywheel_dagster.models.experiments.difference import Difference


class Prior(NamedTuple):
    """What is known before: control's mean X in the past, worth so many units in each arm."""

    mean: float
    strength: float


class Posterior(NamedTuple):
    """Of the difference in X, variant minus control."""

    probability_better: float
    loss_of_promoting: float
    """Expected X a unit that is lost if the variant is promoted though it is worse."""
    loss_of_keeping: float
    mean: float
    standard_deviation: float


def posterior(found: Difference, *, units: tuple[float, float], prior: Prior | None = None) -> Posterior | None:
    """Of one comparison (no leading axes), with the units of control and variant. None where an arm shows no variation yet.

    The prior pulls an arm of n units towards its mean with the weight strength/(strength + n).
    """
    errors = float(found.control_error), float(found.variant_error)
    if not all(isfinite(each) and each > 0 for each in errors):
        return None
    arms = [
        _shrunk(float(mean), error, n, prior) for mean, error, n in zip((found.control, found.variant), errors, units, strict=True)
    ]
    (control, control_variance), (variant, variant_variance) = arms
    mean, deviation = variant - control, sqrt(control_variance + variant_variance)
    return Posterior(_normal(mean / deviation), _loss(mean, deviation), _loss(-mean, deviation), mean, deviation)


def _shrunk(mean: float, error: float, units: float, prior: Prior | None) -> tuple[float, float]:
    strength = prior.strength if prior else 0.0
    kept = units / (units + strength)
    return kept * mean + (1 - kept) * (prior.mean if prior else 0.0), kept * error**2


def _loss(mean: float, deviation: float) -> float:
    """E[max(-D, 0)] of a normal D."""
    z = mean / deviation if deviation else inf
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) - mean * _normal(-z)


def _normal(z: float) -> float:
    return 0.5 * erfc(-z / sqrt(2))
