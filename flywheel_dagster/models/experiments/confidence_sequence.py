"""Bounds of a difference in means that hold at every look: asymptotic confidence sequences.

Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52 (2024):
estimate ± σ·sqrt(2(nρ²+1)/(n²ρ²)·log(sqrt(nρ²+1)/α)), and one-sided estimate - σ·sqrt(2(nρ²+1)/(n²ρ²)·log(1 + sqrt(nρ²+1)/(2α))). The latter follows from
Robbins' half-normal mixture 2·exp(y²/2)·Φ(y)/sqrt(nρ²+1), of which 2·exp(y²/2)·Φ(y) ≥ 2·exp(y²/2) - 1. With σ²/n the estimate's variance, both are so many
standard errors, and that many depends on n and ρ alone. n is counted in effective units (`difference`), so a ramp from 10 % to 50 % is one path.
"""

from math import log
from typing import NamedTuple

import numpy as np

from flywheel_dagster.models.experiments.cohort import Flags, Floats
from flywheel_dagster.models.experiments.difference import Difference, difference
from flywheel_dagster.models.experiments.totals import Totals


class Bounds(NamedTuple):
    """Of a difference: lower may be -inf and upper inf."""

    lower: Floats
    upper: Floats


def rho_squared(planned_units: float, alpha: float, *, two_sided: bool = False) -> float:
    """ρ² that makes the sequence (nearly) tightest at so many units: the paper's closed form, at 2α for one side."""
    level = -2 * log(alpha if two_sided else 2 * alpha)
    return (level + log(level + 1)) / planned_units


def standard_errors(effective_units: Floats, *, planned_units: float, alpha: float, two_sided: bool = False) -> Floats:
    """How many standard errors the bound is away from the estimate. inf without units."""
    grown = np.maximum(effective_units, 1e-9) * rho_squared(planned_units, alpha, two_sided=two_sided)
    height = np.sqrt(grown + 1)
    reached = np.log(height / alpha) if two_sided else np.log1p(height / (2 * alpha))
    return np.sqrt(2 * (1 + 1 / grown) * reached)


def bounds(
    found: Difference, *, planned_units: float, alpha: float, enough: Flags | bool = True, two_sided: bool = False
) -> Bounds:
    """The bounds of a difference, leading axes as there. One-sided, each misses the truth at any look with probability ≤ `alpha`; two-sided, the pair does.

    Where `enough` is false, or nothing varies, they say nothing: -inf and inf.
    """
    away = (
        standard_errors(found.effective_units, planned_units=planned_units, alpha=alpha, two_sided=two_sided) * found.standard_error
    )
    known = np.isfinite(away) & enough
    return Bounds(np.where(known, found.estimate - away, -np.inf), np.where(known, found.estimate + away, np.inf))


def enough_events(totals: Totals, minimum: float) -> Flags:
    """Where both arms have so many units with a value above 0."""
    return np.asarray(totals.valued.sum(axis=-2).min(axis=-1) >= minimum)


class Path(NamedTuple):
    """A sequence over time, for a plot: a point for each look."""

    units: Floats
    """Units of both arms that counted at the look."""
    estimate: Floats
    lower: Floats
    upper: Floats


def path(totals: Totals, *, planned_units: float, alpha: float, minimum_events: int) -> Path:
    """The difference in X and its one-sided bounds at each look, the leading axis of the totals; nan, -inf and inf where nothing can be told yet."""
    found = difference(totals, totals.value, totals.value_squared)
    lower, upper = bounds(found, planned_units=planned_units, alpha=alpha, enough=enough_events(totals, minimum_events))
    return Path(totals.units.sum(axis=(-2, -1)), found.estimate, lower, upper)
