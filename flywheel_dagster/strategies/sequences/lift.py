"""How much more often a sequence's leads succeeded than all leads at the same points, exactly: no normal approximation, which with three meetings finds
support where there is none.

At a point with N leads and M successes, n of the leads got the sequence. If it makes no difference, its successes there are hypergeometric, and their sum
over the points is the sum of independent hypergeometric variables: the exact conditional test of several fourfold tables. If it multiplies the odds at
every point by ψ, the sum's distribution is the same one with each value x weighted by ψ^x (Gart, Biometrika 57 (1970); Agresti, Statistical Science 7
(1992)). Bounds for ψ follow from its tails, and each ψ means an expected number of successes, so a lift. The groups compared are the sequence's
leads and the others; the lift's denominator is all of them, so that a sequence which most leads got stays near 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_TRIMMED = 1e-30
_PRECISE = 1e-5  # log odds ratio


class Lift(NamedTuple):
    """Successes over what was expected, with bounds; None where no success was possible. `p_value` is that of "no better", one-sided."""

    expected: float
    """Successes that the sequence's leads would have had at the rates of all leads at the same points."""
    lift: float | None
    low: float | None
    high: float | None
    p_value: float


def lift_of(leads: Counts, successes: Counts, all_leads: Counts, all_successes: Counts, *, confidence: float = 0.95) -> Lift:
    """Of one sequence: arrays with an element a point, the sequence's leads and successes, and those of all leads there, itself among them."""
    expected = float((leads * all_successes / all_leads).sum())
    observed = int(successes.sum())
    if expected == 0:
        return Lift(0.0, None, None, None, 1.0)
    tells = (all_successes > 0) & (all_successes < all_leads) & (leads < all_leads)
    constant = int(successes[~tells].sum())
    if not tells.any():
        return Lift(expected, 1.0, 1.0, 1.0, 1.0)
    sum_ = _Sum.of(leads[tells], successes[tells], all_leads[tells], all_successes[tells])
    tail = (1 - confidence) / 2
    inside = observed - constant
    low = _root(lambda odds: sum_.at_least(inside, odds) - tail, start=sum_.tilt) if inside > sum_.least else None
    high = _root(lambda odds: tail - sum_.at_most(inside, odds), start=sum_.tilt) if inside < sum_.most else None
    return Lift(
        expected,
        observed / expected,
        (constant + (sum_.least if low is None else sum_.mean(low))) / expected,
        (constant + (sum_.most if high is None else sum_.mean(high))) / expected,
        sum_.chance(inside),
    )


class _Sum(NamedTuple):
    """The sum's distribution under the odds ratio exp(tilt) that fits what was observed, so that nothing of interest is trimmed away."""

    tilt: float
    values: Counts
    log_chances: Floats
    log_ratio: float
    """Of the norming constants: log Z(tilt) - log Z(0)."""
    least: int
    most: int

    @classmethod
    def of(cls, leads: Counts, successes: Counts, all_leads: Counts, all_successes: Counts) -> "_Sum":
        points = _Points(leads, all_leads, all_successes)
        least, most = int(points.lows.sum()), int(points.highs.sum())
        target = min(max(float(successes.sum()), least + 0.5), most - 0.5)
        tilt = _root(lambda log_odds: points.mean(log_odds) - target, start=0.0)
        chances, log_norms = points.under(tilt)
        first, summed = 0, np.ones(1)
        for low, each in zip(points.lows, np.split(chances, points.starts[1:]), strict=True):
            summed = np.convolve(summed, each)
            kept = np.flatnonzero(summed > _TRIMMED)
            first += int(low + kept[0])
            summed = summed[kept[0] : kept[-1] + 1]
        ratio = float((log_norms - points.under(0.0)[1]).sum())
        return cls(tilt, np.arange(first, first + summed.size), np.log(summed), ratio, least, most)

    def chance(self, observed: int) -> float:
        """Of so many or more, if the sequence makes no difference."""
        plain = self.log_chances - self.tilt * self.values + self.log_ratio
        if self.tilt >= 0:
            return min(1.0, float(np.exp(plain[self.values >= observed]).sum()))
        return max(0.0, 1 - float(np.exp(plain[self.values < observed]).sum()))

    def at_least(self, observed: int, log_odds: float) -> float:
        return float(self._under(log_odds)[self.values >= observed].sum())

    def at_most(self, observed: int, log_odds: float) -> float:
        return float(self._under(log_odds)[self.values <= observed].sum())

    def mean(self, log_odds: float) -> float:
        return float((self._under(log_odds) * self.values).sum())

    def _under(self, log_odds: float) -> Floats:
        weighted = self.log_chances + (log_odds - self.tilt) * self.values
        chances = np.exp(weighted - weighted.max())
        whole: Floats = chances / chances.sum()
        return whole


class _Points:
    """The hypergeometric variables of all points in one array, each from its least value to its greatest."""

    def __init__(self, leads: Counts, all_leads: Counts, all_successes: Counts) -> None:
        self.lows = np.maximum(0, leads - (all_leads - all_successes))
        self.highs = np.minimum(leads, all_successes)
        widths = self.highs - self.lows + 1
        self.starts = np.concatenate(([0], np.cumsum(widths)[:-1]))
        self._point = np.repeat(np.arange(widths.size), widths)
        self._values = np.arange(widths.sum()) - (self.starts - self.lows)[self._point]
        failures = (all_leads - all_successes)[self._point]
        self._log_weights = _log_choose(all_successes[self._point], self._values) + _log_choose(
            failures, leads[self._point] - self._values
        )

    def under(self, log_odds: float) -> tuple[Floats, Floats]:
        """Each value's chance at its point, and the logarithm of each point's norming constant."""
        weights = self._log_weights + log_odds * self._values
        greatest = np.maximum.reduceat(weights, self.starts)
        chances = np.exp(weights - greatest[self._point])
        norms = np.add.reduceat(chances, self.starts)
        return chances / norms[self._point], greatest + np.log(norms)

    def mean(self, log_odds: float) -> float:
        """Of the sum."""
        return float((self.under(log_odds)[0] * self._values).sum())


def _root(rising: Callable[[float], float], *, start: float) -> float:
    """Where a rising function is zero; looked for in ever wider steps from the start."""
    step = 0.5 if rising(start) < 0 else -0.5
    while rising(start + step) * step < 0:
        step *= 2
    return float(brentq(rising, start, start + step, xtol=_PRECISE))


def _log_choose(n: Counts, k: Counts) -> Floats:
    chosen: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return chosen
