"""Rates pulled towards what is expected, as far as chance explains their spread, so that 1 of 1 does not lead.

Empirical Bayes: sequence i has a true rate from a beta distribution with its expected rate as mean, and a strength κ that all of them share; κ has the
greatest likelihood of the successes, which are then beta-binomial (Casella, The American Statistician 39 (1985), for the idea). Where the rates differ
no more than chance makes them, κ grows without bound and nothing of the differences is left.
"""

from typing import cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import betaln

Floats = npt.NDArray[np.float64]

_WEAKEST, _STRONGEST = 1.0, 1e6  # leads that a prior is worth


def shrunken_rates(leads: Floats, successes: Floats, expected: Floats) -> Floats:
    """Posterior mean rates, 0..1, of sequences that were compared with each other; `expected` are rates, too."""
    strength = _strength(leads, successes, expected)
    rates: Floats = (successes + strength * expected) / (leads + strength)
    return rates


def _strength(leads: Floats, successes: Floats, expected: Floats) -> float:
    open_ = (expected > 0) & (expected < 1)
    if not open_.any():
        return _STRONGEST
    n, s, m = leads[open_], successes[open_], expected[open_]

    def surprise(log_strength: float) -> float:
        a, b = np.exp(log_strength) * m, np.exp(log_strength) * (1 - m)
        return -float((betaln(s + a, n - s + b) - betaln(a, b)).sum())

    found = minimize_scalar(surprise, bounds=(np.log(_WEAKEST), np.log(_STRONGEST)), method="bounded")
    return cast("float", np.exp(found.x))
