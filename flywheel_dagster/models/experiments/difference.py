"""The difference between the arms' means, within epochs.

The estimator is the coefficient of the arm in a least-squares regression on arm and epoch: each epoch's difference in means, weighted by n1·n0/(n1+n0)
(Mantel-Haenszel weights; Angrist, Econometrica 66 (1998) for the regression). It needs no model of the outcome, because units are randomised within
epochs: it is the augmented inverse-propensity estimator with the epoch's own arm means as predictions, weighted by share·(1 - share), the weights of least
variance where the effect is the same in all epochs (Crump et al., Biometrika 96 (2009)). Its variance is the sum over epochs and arms, as in Welch's test
(HC2 of the regression).
"""

from typing import NamedTuple

import numpy as np

from flywheel_dagster.models.experiments.cohort import Floats
from flywheel_dagster.models.experiments.totals import Totals

_LEAST = 1e-12  # a variance below this share of the mean square is rounding, not variation


class Difference(NamedTuple):
    """Leading axes as in the totals. What can't be told (an arm without two units in any common epoch, no variation) is nan."""

    control: Floats
    """Mean of each arm, with the same weights of epochs for both."""
    variant: Floats
    estimate: Floats
    """Variant minus control."""
    standard_error: Floats
    control_error: Floats
    """Standard errors of the two means."""
    variant_error: Floats
    effective_units: Floats
    """Units at an even split that would tell as much: 4·Σ n1·n0/(n1+n0). 1,000 units at a share of 10 % are worth 360."""


def difference(totals: Totals, sums: Floats, squares: Floats) -> Difference:
    """Of a measure's sum and sum of squares by epoch and arm, (…, epochs, 2). An epoch counts from the second unit of both arms on."""
    count = np.maximum(totals.units, 2.0)
    mean = sums / count
    raw = squares / count
    variance = raw - mean**2
    variance = np.where(variance > _LEAST * raw, variance, 0.0)
    weight, whole = totals.weight[..., None], totals.information[..., None]
    means = (weight * mean).sum(axis=-2) / whole
    errors = (weight**2 * variance / (count - 1)).sum(axis=-2) / whole**2
    error = errors[..., 0] + errors[..., 1]
    return Difference(
        control=means[..., 0],
        variant=means[..., 1],
        estimate=means[..., 1] - means[..., 0],
        standard_error=np.sqrt(np.where(error > 0, error, np.nan)),
        control_error=np.sqrt(errors[..., 0]),
        variant_error=np.sqrt(errors[..., 1]),
        effective_units=4 * totals.information,
    )


def arm_means(totals: Totals, sums: Floats) -> Floats:
    """(…, 2): the arms' means of a count or sum a unit, with the weights of `difference`; nan where they can't be told."""
    means: Floats = (totals.weight[..., None] * (sums / np.maximum(totals.units, 1.0))).sum(axis=-2) / totals.information[..., None]
    return means
