"""Turns log-odds that rank leads into log-odds that are true: Platt's line (1999), held near the identity while there are few rows."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from flywheel_dagster.leads.learning.table import Bools, Floats

_SPREAD_OF_INTERCEPT, _SPREAD_OF_SLOPE = 1.0, 0.3
"""Standard deviations of the line's normal prior around the identity."""
_LEAST_SLOPE = 0.01
"""A score never ranks leads the other way round than what it was learnt from."""


class Line(NamedTuple):
    """True log-odds are intercept + slope x log-odds."""

    intercept: float
    slope: float

    def of(self, log_odds: Floats) -> Floats:
        return self.intercept + self.slope * log_odds


IDENTITY = Line(0.0, 1.0)


def calibrate(converted: Bools, log_odds: Floats) -> Line:
    """The line at the mode of its posterior, for log-odds of rows that were not learnt from."""
    line = _fit(converted, log_odds, np.array([_SPREAD_OF_INTERCEPT, _SPREAD_OF_SLOPE]))
    return line._replace(slope=max(line.slope, _LEAST_SLOPE))


def describe(converted: Bools, log_odds: Floats) -> Line:
    """Calibration intercept and slope as they are (Cox, Biometrika 45 (1958)): 0 and 1 are perfect, a slope below 1 boasts."""
    return _fit(converted, log_odds, np.array([100.0, 100.0]))


def _fit(converted: Bools, log_odds: Floats, spread: Floats) -> Line:
    """Newton's method on two numbers, halving steps that lead down."""
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    center, precision = np.array(IDENTITY), spread**-2.0

    def loss(line: Floats) -> float:
        at = design @ line
        return float((np.logaddexp(0.0, at) - converted * at).sum() + ((line - center) ** 2 * precision).sum() / 2)

    line = center
    for _ in range(100):
        rate = expit(design @ line)
        slope = design.T @ (rate - converted) + precision * (line - center)
        curvature = design.T @ (design * (rate * (1 - rate))[:, None]) + np.diag(precision)
        step = np.linalg.solve(curvature, slope)
        while np.abs(step).max() > 1e-10 and loss(line - step) > loss(line):
            step = step / 2
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    return Line(float(line[0]), float(line[1]))
