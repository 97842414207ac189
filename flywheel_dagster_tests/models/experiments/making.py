"""Cohorts for tests: a fixed one without random numbers, for figures made by other programs, and random ones."""

import numpy as np

from flywheel_dagster.models.experiments.cohort import Cohort


def fixed_cohort(epochs: int = 3) -> Cohort:
    """600 units in up to three epochs with shares 10 %, 50 % and 30 %, and rates that rise with the epoch."""
    unit = np.arange(600)
    epoch = np.minimum(np.repeat([0, 1, 2], [150, 250, 200]), epochs - 1)
    share = np.array([0.1, 0.5, 0.3])[epoch]

    def happens(chance: np.ndarray | float, prime: int) -> np.ndarray:
        return (unit * prime) % 997 / 997 < chance

    replied = happens(0.08 + 0.04 * epoch, 331)
    meeting = replied & happens(0.4, 571)
    deal = meeting & happens(0.5, 823)
    return Cohort.of(
        happens(share, 7919),
        epoch=epoch,
        share=share,
        value=0.2 * replied + 0.3 * meeting + 0.5 * deal,
        replied=replied,
        meeting=meeting,
        deal=deal,
        bounced=happens(0.03, 389),
        cost_usd=0.01 + (unit * 613) % 997 / 99_700,
        sentiment=np.where(replied, (unit * 277) % 997 / 498.5 - 1, np.nan),
    )


def random_cohort(
    random: np.random.Generator, units: int, *, lift: float = 0.0, ramp: bool = True, drift: float = 0.0, reply: float = 0.08
) -> Cohort:
    """Half of the units in an epoch with a share of 10 %, half with 50 %, if `ramp`; rates rise evenly from 1 - drift to 1 + drift."""
    epoch = (np.arange(units) >= units // 2).astype(int) if ramp else np.zeros(units, dtype=int)
    share = np.where(epoch == 1, 0.5, 0.1)
    variant = random.random(units) < share
    rate = reply * (1 + lift * variant) * (1 + drift * np.linspace(-1, 1, units))
    replied = random.random(units) < rate
    meeting = replied & (random.random(units) < 0.25)
    deal = meeting & (random.random(units) < 0.25)
    value = 0.2 * replied + 0.3 * meeting + 0.5 * deal
    return Cohort.of(
        variant,
        epoch=epoch,
        share=share,
        value=value,
        replied=replied,
        meeting=meeting,
        deal=deal,
        cost_usd=random.gamma(2, 0.01, units),
    )
