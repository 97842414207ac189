"""The evidence on strategies: how often each was tried in each segment, and how often it worked. Nothing about what is made of
it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import Strategy

Segment = tuple[str, str, str, str]
"""Channel, industry, role and company size; "" where unknown."""
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Texts = TypeVar("Texts", Strategy, Segment)

FIELDS = ("channel", "industry", "role", "company_size")


@dataclass(frozen=True, eq=False)
class Cells:
    """Trials and successes of one metric by strategy and segment, one entry a cell; neither order nor repetition matters.

    `trials` may be fractions: a young message without an answer counts the share F of answers that come within its age, an
    answered one counts whole. That is its likelihood, for log(1 - pF) is close to F·log(1 - p). `keys`, how many keys the
    dimension has, is needed only where there are no cells. Raises InputError for lengths that differ, and for numbers that are
    negative, infinite or missing.
    """

    strategies: Sequence[Strategy]
    segments: Sequence[Segment]
    trials: ArrayLike
    successes: ArrayLike
    keys: int = 0

    def __post_init__(self) -> None:
        trials, successes = (np.asarray(each, dtype=np.float64) for each in (self.trials, self.successes))
        if not trials.shape == successes.shape == (len(self.strategies),) == (len(self.segments),):
            raise InputError("cells need as many strategies, segments, trials and successes")
        for name, numbers in (("trials", trials), ("successes", successes)):
            if not np.all(np.isfinite(numbers) & (numbers >= 0)):
                raise InputError(f"{name} are numbers of 0 or more, without gaps")
        lengths = {len(each) for each in self.strategies} | ({self.keys} if self.keys else set())
        if len(lengths) != 1 or 0 in lengths:
            raise InputError(
                "all strategies need one value for each key of their dimension; without cells, say how many `keys` it has"
            )
        if any(len(each) != len(FIELDS) for each in set(self.segments)):
            raise InputError(f"a segment is {', '.join(FIELDS)}")
        object.__setattr__(self, "keys", lengths.pop())
        object.__setattr__(self, "trials", trials)
        object.__setattr__(self, "successes", successes)

    @classmethod
    def empty(cls, keys: int) -> Self:
        """No evidence, for a dimension of so many keys."""
        return cls([], [], [], [], keys)

    @cached_property
    def merged(self) -> "Merged":
        """One cell for each pair of strategy and segment, in their order; trials are at least the successes."""
        strategies, strategy = _coded(self.strategies)
        segments, segment = _coded(self.segments)
        trials, successes = np.asarray(self.trials, dtype=np.float64), np.asarray(self.successes, dtype=np.float64)
        pair = strategy * max(len(segments), 1) + segment
        order = np.lexsort((successes, trials, pair))  # so that sums are rounded the same in any order
        pairs, first = np.unique(pair[order], return_index=True)
        whole, worked = (_summed(each[order], first) for each in (trials, successes))
        strategy, segment = np.divmod(pairs, max(len(segments), 1))
        return Merged(strategies, segments, strategy, segment, np.maximum(whole, worked), worked)


class Merged(NamedTuple):
    """Cells whose strategies and segments are numbers into the two lists."""

    strategies: list[Strategy]
    segments: list[Segment]
    strategy: Codes
    segment: Codes
    trials: Floats
    successes: Floats


def _summed(numbers: Floats, first: Codes) -> Floats:
    """Sums of the stretches that begin at `first`, to millionths: the same however a number was cut up, for a difference in the last bit may end the
    search for λ a round later."""
    if not len(first):
        return numbers
    sums: Floats = np.add.reduceat(numbers, first)
    return np.round(sums, 6)


def _coded(values: Sequence[Texts]) -> tuple[list[Texts], Codes]:
    known = sorted(set(values))
    number = {value: position for position, value in enumerate(known)}
    return known, np.fromiter((number[value] for value in values), dtype=np.int64, count=len(values))
