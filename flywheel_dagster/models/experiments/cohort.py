"""Who is compared: the units of a control and one variant in the order of their exposure, and what became of each.

A unit belongs to the arm of its first exposure (intention to treat). `share` is the variant's chance among the two arms when the unit was exposed: where
a second variant runs beside it, its units are left out and the share is renormalised, which leaves an experiment of two arms. An epoch is a stretch with
unchanged arms and shares; comparisons are made within epochs, because rates that drift while the share rises would be taken for an effect (Simpson's paradox).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flywheel_dagster.errors import InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_EVENTS = ("bounced", "spam_reported", "unsubscribed", "negative_reply", "replied", "meeting", "deal")
_MEASURES = ("value", "cost_usd", "sentiment")
CONTROL = "control"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Arrays of one length, a unit each, in order of exposure. Raises InputError if lengths differ or a value is out of range."""

    variant: Flags
    """True: the variant; False: control."""
    epoch: NDArray[np.int64]
    """A number of the epoch; only equality matters."""
    share: Floats
    """The variant's chance among the two arms at the exposure: above 0 and below 1, and one number in an epoch."""
    value: Floats
    """X of the unit at the age that is analysed: 0…1."""
    bounced: Flags
    spam_reported: Flags
    unsubscribed: Flags
    negative_reply: Flags
    replied: Flags
    meeting: Flags
    deal: Flags
    cost_usd: Floats
    """What its messages cost, in USD: 0 or more."""
    sentiment: Floats
    """Mean sentiment of its replies, -1…1; nan where there is none."""

    def __post_init__(self) -> None:
        for field in fields(self):
            array = getattr(self, field.name)
            if array.shape != self.variant.shape or array.ndim != 1:
                raise InputError(f"{field.name} has the shape {array.shape}, variant {self.variant.shape}; give one value a unit")
        _inside("share", self.share, 0.0, 1.0, ends=False)
        _inside("value", self.value, 0.0, 1.0)
        _inside("cost_usd", self.cost_usd, 0.0, np.inf)
        _inside("sentiment", self.sentiment[~np.isnan(self.sentiment)], -1.0, 1.0)
        _, first, inverse = np.unique(self.epoch, return_index=True, return_inverse=True)
        changed = np.flatnonzero(self.share != self.share[first][inverse])
        if changed.size:
            raise InputError(f"the share changes within epoch {self.epoch[changed[0]]}; a change of shares begins a new epoch")

    def __len__(self) -> int:
        return len(self.variant)

    @classmethod
    def of(cls, variant: ArrayLike, *, epoch: ArrayLike, share: ArrayLike, value: ArrayLike, **others: ArrayLike) -> Self:
        """A cohort of anything that becomes arrays; a single number holds for every unit. What isn't given didn't happen, or cost nothing."""
        flags = np.asarray(variant, dtype=np.bool_)
        given = {**dict.fromkeys(_EVENTS, False), "cost_usd": 0.0, "sentiment": np.nan, "value": value, "share": share, **others}
        if unknown := set(given) - {field.name for field in fields(cls)}:
            raise InputError(f"a cohort has no {', '.join(sorted(unknown))}")
        columns = {name: _column(name, each, np.bool_ if name in _EVENTS else np.float64, flags) for name, each in given.items()}
        return cls(flags, _column("epoch", epoch, np.int64, flags), **columns)

    @classmethod
    def from_columns(cls, columns: Mapping[str, ArrayLike], *, variant: str) -> Self:
        """One comparison out of a whole experiment: `variant` ("variant_a") against control.

        `columns`: `arm` (text), `epoch`, `control_share` and `variant_share` (the two arms' chances at the exposure: together 1, or less where another
        variant runs beside them; of the rows of other arms they are not looked at), `value`, and what else a cohort holds.
        """
        arm = np.asarray(columns["arm"], dtype=np.str_)
        chosen = (arm == CONTROL) | (arm == variant)
        ours = {name: np.asarray(column)[chosen] for name, column in columns.items()}
        control_share = ours.pop("control_share").astype(np.float64)
        variant_share = ours.pop("variant_share").astype(np.float64)
        if not (np.all(control_share > 0) and np.all(variant_share > 0)):
            raise InputError(f"a unit of {CONTROL} or {variant} was exposed when one of the two had no share; leave such units out")
        share = np.round(variant_share / (control_share + variant_share), 12)  # equal shares are equal, however they were written
        return cls.of(ours.pop("arm") == variant, share=share, **ours)


def _column(name: str, given: ArrayLike, kind: type[Any], like: Flags) -> NDArray[Any]:
    array = np.asarray(given)
    if array.dtype == object:  # None: it didn't happen, or isn't known
        array = np.array([(False if kind is np.bool_ else np.nan) if each is None else each for each in array.ravel()]).reshape(
            array.shape
        )
    if array.dtype.kind not in "biuf" or (kind is not np.float64 and not np.all(array == array.astype(kind))):
        raise InputError(f"{name} holds something that is no {np.dtype(kind).name}; look at the column {name}")
    array = array.astype(kind)
    return np.broadcast_to(array, like.shape) if array.ndim == 0 else array


def _inside(name: str, array: Floats, low: float, high: float, *, ends: bool = True) -> None:
    within = (array >= low) & (array <= high) if ends else (array > low) & (array < high)
    if not np.all(within):
        wrong = float(array[np.argmin(within)])
        raise InputError(
            f"{name} is {wrong:g} for a unit; it lies {'from' if ends else 'between'} {low:g} {'to' if ends else 'and'} {high:g}"
        )
