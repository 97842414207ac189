"""How far today's leads, and what becomes of them, have moved from those that a version learnt from. Pure numbers; no model and no database.

Stability of a population: PSI = Σ (p − q) ln(p / q) over bins; by custom below 0.1 nothing, from 0.25 on a shift. Without any drift a PSI of n new rows
against N is near (1/n + 1/N) · χ² with one degree less than bins (B. Yurdakul, Statistical Properties of Population Stability Index, 2018), and so
above 0.1 by chance alone for 100 rows in ten bins. A shift is called one only beyond both.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtri

from flywheel_dagster.leads.delong import Estimate, estimate

SOME, MUCH = 0.1, 0.25
"""Of the PSI, by custom."""
LEAST = 50
"""Rows that a batch needs before it says anything."""
_BINS, _ERROR = 10, 0.01
_MISSING, _OTHER = ("missing",), ("other",)

Bin: TypeAlias = tuple[object, ...]


class Shift(StrEnum):
    """SOME is worth a look, MUCH a new version."""

    NONE = "none"
    SOME = "some"
    MUCH = "much"


@dataclass(frozen=True)
class Stability:
    """A field's PSI between `rows` new values and those learnt from, and how high chance alone would make it (in 1 % of all looks at all fields)."""

    name: str
    psi: float
    by_chance: float
    rows: int

    @property
    def shift(self) -> Shift:
        """What custom calls the PSI, unless chance explains it."""
        if self.psi < SOME or self.psi <= self.by_chance:
            return Shift.NONE
        return Shift.MUCH if self.psi >= MUCH else Shift.SOME


@dataclass(frozen=True)
class Batch:
    """Leads told of one after the other, with the version's scores: `rows`, the mean score, the share that converted, how many standard errors lie
    between them, and the AUC (None where one outcome is missing)."""

    rows: int
    predicted: float
    observed: float
    deviations: float
    auc: Estimate | None

    @property
    def calibrated(self) -> bool:
        """False where the rates differ by more than 0.05, and by more than chance explains (1 %)."""
        return abs(self.observed - self.predicted) <= 0.05 or abs(self.deviations) <= float(ndtri(1 - _ERROR / 2))

    def falls_below(self, auc: float, *, standard_error: float) -> bool:
        """Whether the batch's AUC is lower than one that was measured before by more than chance explains (1 %)."""
        if self.auc is None:
            return False
        both = Estimate(self.auc.value - auc, self.auc.variance + standard_error**2, self.auc.degrees)
        return both.upper(_ERROR) < 0


def stabilities(
    learnt: Sequence[Mapping[str, object]], new: Sequence[Mapping[str, object]], fields: Sequence[str]
) -> list[Stability]:
    """Each field's stability, the least stable first. A value that is absent or null is a bin of its own."""
    found = [
        stability(name, [row.get(name) for row in learnt], [row.get(name) for row in new], looks=len(fields)) for name in fields
    ]
    return sorted(found, key=lambda each: -each.psi)


def stability(name: str, learnt: Sequence[object], new: Sequence[object], *, looks: int = 1) -> Stability:
    """One field's stability: numbers in tenths of what was learnt from, words by the ten that were most frequent; `looks` is how many fields are looked at."""
    numbers = [each for each in map(_number, learnt) if each is not None]
    given = sum(each is not None for each in learnt)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _BINS + 1)[1:-1])) if numbers and 2 * len(numbers) > given else None
    words = Counter(str(each) for each in learnt if each is not None)
    frequent = {word for word, _ in words.most_common(_BINS)}
    before = Counter(_bin(each, edges, frequent) for each in learnt)
    after = Counter(_bin(each, edges, frequent) for each in new)
    bins = sorted(before.keys() | after.keys(), key=str)
    psi = 0.0
    for each in bins:  # half a row more in each bin keeps an empty one finite
        p = (after[each] + 0.5) / (len(new) + 0.5 * len(bins))
        q = (before[each] + 0.5) / (len(learnt) + 0.5 * len(bins))
        psi += (p - q) * log(p / q)
    noise = 1 / max(1, len(new)) + 1 / max(1, len(learnt))
    by_chance = noise * float(chdtri(len(bins) - 1, _ERROR / max(1, looks))) if len(bins) > 1 else 0.0
    return Stability(name, psi, by_chance, len(new))


def batches(converted: ArrayLike, scores: ArrayLike, *, most: int = 12) -> list[Batch]:
    """Leads in the order in which they were told of, in up to `most` equal parts of LEAST rows or more; none where there are fewer."""
    outcome, given = np.asarray(converted, dtype=bool), np.asarray(scores, dtype=np.float64)
    parts = min(most, outcome.size // LEAST)
    if parts == 0:
        return []
    return [batch(*both) for both in zip(np.array_split(outcome, parts), np.array_split(given, parts), strict=True)]


def batch(converted: NDArray[np.bool_], scores: NDArray[np.float64]) -> Batch:
    """What became of leads beside what was predicted of them."""
    error = sqrt(float(np.sum(scores * (1 - scores))))
    gap = float(np.sum(converted) - np.sum(scores))
    both = 0 < int(converted.sum()) < converted.size
    return Batch(
        rows=int(converted.size),
        predicted=float(scores.mean()),
        observed=float(converted.mean()),
        deviations=gap / error if error else 0.0,
        auc=estimate(converted, scores) if both else None,
    )


def _bin(value: object, edges: NDArray[np.float64] | None, frequent: set[str]) -> Bin:
    if value is None:
        return _MISSING
    number = _number(value)
    if edges is not None and number is not None:
        return ("number", int(np.searchsorted(edges, number, side="left")))
    word = str(value)
    return ("word", word) if edges is None and word in frequent else _OTHER


def _number(value: object) -> float | None:
    """A finite number; a boolean is a word."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None
