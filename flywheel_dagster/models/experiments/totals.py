"""What the statistics need of a cohort: counts and sums by epoch and arm. Nothing here depends on the order of units.

All arrays have the shape (…, epochs, 2): control first, then the variant. Leading axes are looks, or many experiments at once: everything made from totals
follows them.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.cohort import Cohort, Flags, Floats


@dataclass(frozen=True, eq=False)
class Totals:
    """Counts and sums of a cohort."""

    share: Floats
    """(…, epochs): the variant's chance among the two arms."""
    units: Floats
    value: Floats
    value_squared: Floats
    valued: Floats
    """Units whose value is above 0: the events that a comparison of means lives on."""
    replied: Floats
    meeting: Floats
    deal: Floats
    bounced: Floats
    spam_reported: Floats
    unsubscribed: Floats
    negative_reply: Floats
    cost: Floats
    """USD."""
    cost_squared: Floats
    cost_of_met: Floats
    """USD that were spent on the units with a meeting."""
    sentiment: Floats
    sentiments: Floats
    """Units whose sentiment is known."""

    @cached_property
    def weight(self) -> Floats:
        """(…, epochs): n1·n0/(n1+n0), how much an epoch tells about a difference; 0 where an arm has fewer than two units."""
        control, variant = self.units[..., 0], self.units[..., 1]
        return np.where(np.minimum(control, variant) >= 2, control * variant / np.maximum(control + variant, 1.0), 0.0)

    @cached_property
    def information(self) -> Floats:
        """(…): the sum of the weights; nan where nothing can be told."""
        whole = self.weight.sum(axis=-1)
        return np.where(whole > 0, whole, np.nan)

    @classmethod
    def of(cls, cohort: Cohort, *, ends: NDArray[np.int64] | None = None) -> Self:
        """The totals of all units; or, with `ends` (ascending numbers of units, each a look), of the first so many: then looks are the leading axis."""
        numbers, first, epoch = np.unique(cohort.epoch, return_index=True, return_inverse=True)
        if ends is None:
            looks, look = 1, np.zeros(len(cohort), dtype=np.int64)
        else:
            if np.any(np.diff(ends) < 0) or (len(ends) and not 0 <= ends[0] <= ends[-1] <= len(cohort)):
                raise InputError(f"looks are ascending numbers of units, from 0 to {len(cohort)}")
            looks, look = len(ends), np.searchsorted(ends, np.arange(len(cohort)), side="right")
        cell = (look * len(numbers) + epoch) * 2 + cohort.variant
        kept = look < looks

        def total(weight: Floats | Flags) -> Floats:
            sums = np.bincount(cell[kept], weights=np.asarray(weight, dtype=np.float64)[kept], minlength=looks * len(numbers) * 2)
            by_look: Floats = np.cumsum(sums.reshape(looks, len(numbers), 2), axis=0, dtype=np.float64)
            return by_look[0] if ends is None else by_look

        known = ~np.isnan(cohort.sentiment)
        return cls(
            share=cohort.share[first],
            units=total(np.ones(len(cohort))),
            value=total(cohort.value),
            value_squared=total(cohort.value**2),
            valued=total(cohort.value > 0),
            replied=total(cohort.replied),
            meeting=total(cohort.meeting),
            deal=total(cohort.deal),
            bounced=total(cohort.bounced),
            spam_reported=total(cohort.spam_reported),
            unsubscribed=total(cohort.unsubscribed),
            negative_reply=total(cohort.negative_reply),
            cost=total(cohort.cost_usd),
            cost_squared=total(cohort.cost_usd**2),
            cost_of_met=total(cohort.cost_usd * cohort.meeting),
            sentiment=total(np.where(known, cohort.sentiment, 0.0)),
            sentiments=total(known),
        )

    def at(self, *place: int) -> Self:
        """The totals at one place of the leading axes. Epochs that had no unit yet stay, empty."""
        sums = {name: getattr(self, name)[place] for name in _SUMS}
        return type(self)(share=self.share[place] if self.share.ndim > 1 else self.share, **sums)


_SUMS = tuple(field.name for field in fields(Totals) if field.name != "share")
