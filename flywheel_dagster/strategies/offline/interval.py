"""The interval of a mean over leads whose scores are few, large and on one side, as inverse propensities make them."""

import numpy as np
from scipy.stats import t

from flywheel_dagster.strategies.estimate.cells import Floats

_STRAIGHT = 1e-6  # skewness below which the transformation is the identity


def interval(mean: float, leads: Floats, messages: int) -> tuple[float, float, float]:
    """Standard error, lower and upper end (95 %) of a mean over messages; `leads` are the sums of scores less the mean, one a lead, at least two.

    The standard error is the one clustered by lead (Liang & Zeger 1986, times G/(G - 1)). Skewness is taken out by Hall's cubic
    transformation (Journal of the Royal Statistical Society B 54 (1992)), and the quantile is Student's with Satterthwaite's degrees
    of freedom, 2·G/(kurtosis - 1), as the error itself rests on few large scores.
    """
    count = len(leads)
    error = float(np.sqrt((leads**2).sum() * count / (count - 1)) / messages)
    if not error > 1e-12 * max(1.0, abs(mean)):  # all scores are the same, up to rounding
        return error, mean, mean
    centred = leads - leads.mean()
    spread = (centred**2).mean()
    kurtosis, skewness = float((centred**4).mean() / spread**2), float((centred**3).mean() / spread**1.5)
    freedom = min(count - 1.0, 2 * count / max(kurtosis - 1, 1e-9))
    quantile = float(t.ppf(0.975, freedom))
    bend = skewness / np.sqrt(count)
    return error, mean - error * _untransformed(quantile, bend), mean - error * _untransformed(-quantile, bend)


def _untransformed(value: float, bend: float) -> float:
    if abs(bend) < _STRAIGHT:
        return value
    return float(3 / bend * (np.cbrt(1 + bend * (value - bend / 6)) - 1))
