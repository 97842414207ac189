"""Which coefficients the mixed model has for given evidence, and the sums over cells that fitting needs. Nothing about priors.

A name is a group and its levels: ("intercept",), ("value_0", "PAS") a value of the first key, ("strategy", "PAS", "casual") what
the two add together, ("industry", "SaaS") the segment, ("value_0:industry", "PAS", "SaaS") what the value adds there. A group
has one variance.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import FIELDS, Codes, Floats, Merged, Segment

Name = tuple[str, ...]

INTERCEPT: Name = ("intercept",)
MOST_VALUES, MOST_STRATEGIES, MOST_LEVELS, MOST_INTERACTIONS = 64, 128, 24, 48
"""Coefficients of one key, of strategies, of one segment field, of one key with one field. Beyond these, levels with the fewest
trials have none."""


def names_of(strategy: Strategy, segment: Segment) -> Iterator[Name]:
    """The coefficients that add up to the log-odds of a message with this strategy in this segment; as many for each of a
    dimension."""
    yield INTERCEPT
    yield from strategy_names(strategy)
    yield from zip(FIELDS, segment, strict=True)
    for key, value in enumerate(strategy):
        for field, level in zip(FIELDS, segment, strict=True):
            yield f"value_{key}:{field}", value, level


def strategy_names(strategy: Strategy) -> Iterator[Name]:
    """Those of the strategy alone. A strategy of one key is its value."""
    for key, value in enumerate(strategy):
        yield f"value_{key}", value
    if len(strategy) > 1:
        yield "strategy", *strategy


def groups_of(keys: int) -> list[str]:
    """The groups of coefficients in a dimension of so many keys."""
    return [name[0] for name in names_of(("",) * keys, ("", "", "", ""))]


class Factor(NamedTuple):
    """A column of the design in which each cell has one of several levels, or (the last code) none that has a coefficient."""

    start: int
    levels: int
    codes: Codes

    @property
    def stop(self) -> int:
        return self.start + self.levels


class Design:
    """The coefficients (d of them) and where they stand in each of N cells. Sums over cells are by factor, never N x d."""

    def __init__(self, cells: Merged, also: Iterable[Name] = ()) -> None:
        """`also`: names that get a coefficient without having cells."""
        self.names: list[Name] = []
        self.factors: list[Factor] = []
        keys = range(len(cells.strategies[0])) if cells.strategies else range(0)
        self._add(cells, [INTERCEPT], np.zeros(len(cells.trials), dtype=np.int64), 1)
        values = {
            key: self._add(cells, *_levels(cells.strategies, cells.strategy, f"value_{key}", key), MOST_VALUES) for key in keys
        }
        if len(keys) > 1:
            self._add(cells, [("strategy", *each) for each in cells.strategies], cells.strategy, MOST_STRATEGIES)
        for position, field in enumerate(FIELDS):
            level = self._add(cells, *_levels(cells.segments, cells.segment, field, position), MOST_LEVELS)
            for key in keys:
                self._add(cells, *_crossed(f"value_{key}:{field}", *values[key], *level), MOST_INTERACTIONS)
        known = set(self.names)
        self.names += sorted(set(also) - known)
        none = len(self.names)
        self._places = np.stack([np.where(each.codes < each.levels, each.start + each.codes, none) for each in self.factors])

    def _add(self, cells: Merged, names: list[Name], codes: Codes, most: int) -> tuple[list[Name], Codes]:
        """A factor of the levels with the most trials; gives back their names and codes, -1 for none."""
        trials = np.bincount(codes[codes >= 0], weights=cells.trials[codes >= 0], minlength=len(names))
        by_trials = sorted(range(len(names)), key=lambda each: (-trials[each], names[each]))
        kept = sorted(by_trials[:most], key=names.__getitem__)
        number = np.full(len(names) + 1, -1)
        number[kept] = np.arange(len(kept))
        kept_names, numbered = [names[each] for each in kept], number[codes]
        self.factors.append(Factor(len(self.names), len(kept), np.where(numbered < 0, len(kept), numbered)))
        self.names += kept_names
        return kept_names, numbered

    def log_odds(self, coefficients: Floats) -> Floats:
        """(N): the sum of each cell's coefficients."""
        return np.asarray(np.append(coefficients, 0.0)[self._places].sum(axis=0))

    def sums(self, of_cells: Floats) -> Floats:
        """(d): for each coefficient the sum over its cells, X'r."""
        found = np.zeros(len(self.names))
        for factor in self.factors:
            found[factor.start : factor.stop] = np.bincount(factor.codes, of_cells, factor.levels + 1)[:-1]
        return found

    def information(self, weights: Floats) -> Floats:
        """(d, d): for each pair of coefficients the sum over the cells that have both, X'WX."""
        found = np.zeros((len(self.names),) * 2)
        for position, one in enumerate(self.factors):
            for two in self.factors[position:]:
                block = np.bincount(one.codes * (two.levels + 1) + two.codes, weights, (one.levels + 1) * (two.levels + 1))
                found[one.start : one.stop, two.start : two.stop] = block.reshape(one.levels + 1, two.levels + 1)[:-1, :-1]
        return np.triu(found) + np.triu(found, 1).T


def _levels(of: Sequence[tuple[str, ...]], codes: Codes, group: str, position: int) -> tuple[list[Name], Codes]:
    """The names of what stands at a position, and each cell's number among them."""
    names: list[Name] = sorted({(group, each[position]) for each in of})
    number = {name: place for place, name in enumerate(names)}
    return names, np.array([number[group, each[position]] for each in of], dtype=np.int64)[codes]


def _crossed(group: str, values: list[Name], value: Codes, levels: list[Name], level: Codes) -> tuple[list[Name], Codes]:
    """The pairs that occur; -1 where either has no coefficient of its own."""
    pair = np.where((value < 0) | (level < 0), -1, value * max(len(levels), 1) + level)
    seen, codes = np.unique(pair, return_inverse=True)
    names: list[Name] = [
        (group, values[each // len(levels)][1], levels[each % len(levels)][1]) for each in seen.tolist() if each >= 0
    ]
    return names, codes.astype(np.int64) - int(bool(seen.size) and seen[0] < 0)
