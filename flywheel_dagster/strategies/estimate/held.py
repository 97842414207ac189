"""A strategy against all others within the same segments, from raw counts: no model, so a check on what the model says."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import Cells, Floats


class Held(NamedTuple):
    """The difference in the rate, strategy minus others, with the segment held."""

    difference: float | None
    """None where no segment has both; then the rest is nan or 0."""
    lower: float
    upper: float
    """Of the 95 % interval."""
    standard_error: float
    p_value: float
    """Two-sided, of no difference."""
    segments: int
    """In which both were tried."""
    share_compared: float
    """Of the strategy's trials: those in segments where others were tried too."""


def held(cells: Cells, strategy: Strategy) -> Held:
    """The Mantel-Haenszel risk difference over segments (Greenland & Robins, Biometrics 41 (1985)), with the variance of Sato,
    Greenland & Robins (Biometrics 45 (1989)), which holds for a few large segments as for many small ones.

    Raises InputError for a strategy that the cells don't have.
    """
    one, other = apart(cells, strategy)
    both = (one[0] > 0) & (other[0] > 0)
    compared = float(one[0][both].sum() / one[0].sum()) if one[0].sum() else 0.0
    if not both.any():
        return Held(None, np.nan, np.nan, np.nan, np.nan, 0, compared)
    (n, a), (m, b) = one[:, both], other[:, both]
    whole = n + m
    weight = (n * m / whole).sum()
    difference = float(((a * m - b * n) / whole).sum() / weight)
    balance = ((n**2 * b - m**2 * a + n * m * (m - n) / 2) / whole**2).sum()
    chance = ((a * (m - b) + b * (n - a)) / whole).sum() / 2
    error = float(np.sqrt(max(difference * balance + chance, 0.0)) / weight)
    margin = float(norm.ppf(0.975)) * error
    p_value = float(2 * norm.sf(abs(difference) / error)) if error else 1.0
    return Held(difference, difference - margin, difference + margin, error, p_value, int(both.sum()), compared)


def apart(cells: Cells, strategy: Strategy) -> tuple[Floats, Floats]:
    """Twice (2, segments): trials and successes of the strategy, and of all others. Raises InputError for a strategy that the
    cells don't have."""
    merged = cells.merged
    if strategy not in merged.strategies:
        raise InputError(
            f"the strategy {'_'.join(strategy)} has no messages; there are {', '.join(map('_'.join, merged.strategies)) or 'none'}"
        )
    own = merged.strategy == merged.strategies.index(strategy)

    def sums(which: NDArray[np.bool_]) -> Floats:
        counted = (merged.trials, merged.successes)
        return np.stack([np.bincount(merged.segment[which], of[which], len(merged.segments)).astype(np.float64) for of in counted])

    return sums(own), sums(~own)
