"""Did the arms get the shares they should have? If not, something lost units of one arm, and no difference can be believed.

Pearson's chi-square over epochs (Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD 2019).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from flywheel_dagster.models.experiments.totals import Totals

_LEAST_EXPECTED = 5  # Cochran's rule: with fewer expected units the statistic isn't chi-square


class SampleRatio(NamedTuple):
    """Of one comparison."""

    chi_square: float
    degrees: int
    """One for each epoch that has enough units."""
    p_value: float
    """1 where no epoch has."""
    variant_units: float
    expected: float
    """Of the variant, in the epochs that count."""


def sample_ratio(totals: Totals) -> SampleRatio:
    """The test of totals without leading axes."""
    units = totals.units.sum(axis=-1)
    expected = units * totals.share
    counted = units * np.minimum(totals.share, 1 - totals.share) >= _LEAST_EXPECTED
    variance = np.where(counted, expected * (1 - totals.share), 1.0)
    square = float((counted * (totals.units[:, 1] - expected) ** 2 / variance).sum())
    degrees = int(counted.sum())
    p_value = float(chdtrc(degrees, square)) if degrees else 1.0
    return SampleRatio(square, degrees, p_value, float(totals.units[counted, 1].sum()), float(expected[counted].sum()))
