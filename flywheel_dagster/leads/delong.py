"""The area under the ROC curve (AUC) with its uncertainty, for one score and for two scores of the same rows. No rule of decision belongs here.

E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson: Comparing the areas under two or more correlated ROC curves, Biometrics 44 (1988) 837–845;
in O(n log n) by placements, which are differences of midranks, as in X. Sun, W. Xu: Fast implementation of DeLong's algorithm, IEEE SPL 21 (2014).
"""

from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An AUC, or a difference of two, with its variance and the degrees of freedom that the variance was estimated with (Satterthwaite's).

    Few rows of one outcome make few degrees: bounds by Student's t hold there, while normal ones are too narrow.
    """

    value: float
    variance: float
    degrees: float

    @property
    def standard_error(self) -> float:
        return sqrt(self.variance)

    def lower(self, alpha: float) -> float:
        """The one-sided lower bound that is missed with probability `alpha` (0…0.5)."""
        return self.value - self._margin(alpha)

    def upper(self, alpha: float) -> float:
        """The one-sided upper bound that is missed with probability `alpha` (0…0.5)."""
        return self.value + self._margin(alpha)

    def p_value(self, at: float = 0.0) -> float:
        """One-sided: how probable a value as high as this one is where the truth is `at`."""
        if self.variance == 0:
            return 0.0 if self.value > at else 1.0
        return float(stdtr(self.degrees, (at - self.value) / self.standard_error))

    def _margin(self, alpha: float) -> float:
        return float(stdtrit(self.degrees, 1 - alpha)) * self.standard_error if self.variance else 0.0


def auc(converted: ArrayLike, scores: ArrayLike) -> float:
    """The probability that a converted lead scores higher than a lost one, ties counting half. Raises ValueError unless both outcomes are there."""
    of_converted, _ = _placements(converted, scores)
    return float(of_converted.mean())


def auc_variance(converted: ArrayLike, scores: ArrayLike) -> float:
    """The variance of `auc`."""
    return estimate(converted, scores).variance


def estimate(converted: ArrayLike, scores: ArrayLike) -> Estimate:
    """The AUC of one score."""
    return _estimate(*_placements(converted, scores))


def paired(converted: ArrayLike, first: ArrayLike, second: ArrayLike) -> Estimate:
    """The AUC of `second` minus that of `first`, of the same rows: what both get right or wrong together adds no uncertainty."""
    one, other = _placements(converted, first), _placements(converted, second)
    return _estimate(other[0] - one[0], other[1] - one[1])


def interval(converted: ArrayLike, scores: ArrayLike, *, alpha: float = 0.05) -> tuple[float, float]:
    """The two-sided interval of one AUC, within 0…1, that misses with probability `alpha`: symmetric on the scale of log-odds, where an AUC near 1
    is closer to normal. A perfect ranking counts as so many agreeing pairs as the rarer outcome has rows (Clopper and Pearson)."""
    found = estimate(converted, scores)
    value, pairs = found.value, min(np.count_nonzero(converted), np.count_nonzero(~np.asarray(converted, dtype=bool)))
    if found.variance == 0 and value in (0.0, 1.0):
        reach = 1 - (alpha / 2) ** (1 / pairs)
        return (1 - reach, 1.0) if value else (0.0, reach)
    if found.variance == 0:
        return value, value
    middle = log(value / (1 - value)) if 0 < value < 1 else inf
    margin = found._margin(alpha / 2) / (value * (1 - value))
    return 1 / (1 + exp(min(margin - middle, 700))), 1 / (1 + exp(max(-margin - middle, -700)))


def _placements(converted: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """For each converted row the share of lost ones that score lower, for each lost row the share of converted ones that score higher."""
    outcome, values = np.asarray(converted, dtype=bool), np.asarray(scores, dtype=np.float64)
    if outcome.ndim != 1 or outcome.shape != values.shape:
        raise ValueError(f"outcomes {outcome.shape} and scores {values.shape} are two lists of one length")
    if np.isnan(values).any():
        raise ValueError("a score is not a number")
    high, low = np.sort(values[outcome]), np.sort(values[~outcome])
    if not high.size or not low.size:
        raise ValueError(f"an AUC needs both outcomes: {high.size} converted, {low.size} lost")
    return _share_below(values[outcome], low), 1 - _share_below(values[~outcome], high)


def _share_below(values: Floats, others: Floats) -> Floats:
    """The share of the sorted `others` below each value, equal ones by half."""
    both = np.searchsorted(others, values, side="left") + np.searchsorted(others, values, side="right")
    return both / (2 * others.size)


def _estimate(of_converted: Floats, of_lost: Floats) -> Estimate:
    """The variance is a sum over the outcomes, as in Welch's test; with one row of an outcome there is none to estimate it from."""
    parts = [(each.var(ddof=1) / each.size, each.size - 1) if each.size > 1 else (inf, 1) for each in (of_converted, of_lost)]
    variance = float(sum(part for part, _ in parts))
    degrees = 1.0 if variance in (0, inf) else variance**2 / sum(part**2 / free for part, free in parts)
    return Estimate(float(of_converted.mean()), variance, float(degrees))
