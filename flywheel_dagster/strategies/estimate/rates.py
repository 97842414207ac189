"""Draws of a strategy's log-odds in a segment, added up from the draws of coefficients."""

from collections.abc import Mapping

import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import FIELDS, Segment
from flywheel_dagster.strategies.estimate.design import INTERCEPT
from flywheel_dagster.strategies.estimate.draws import Draws, JointDraws

_REMEMBERED = 4_096  # means over the mix: whoever asks may make up any number of values

Mix = Mapping[Segment, float]
"""How many of an organisation's messages go to each segment; the weights need not add up to 1."""


class SegmentDraws:
    """What each part of a strategy adds in one segment. A field that is unknown ("") counts with the mean effect over the
    organisation's mix."""

    def __init__(self, draws: JointDraws, mix: Mix) -> None:
        self._draws = draws
        self._levels = [_shares(mix, position) for position in range(len(FIELDS))]
        self._means: dict[tuple[str, ...], Draws] = {}

    def base(self, metric: str, segment: Segment) -> Draws:
        """The intercept and the segment's own effects."""
        return sum(
            (self._effect(metric, (field,), place, segment) for place, field in enumerate(FIELDS)),
            self._draws.of(metric, INTERCEPT),
        )

    def value(self, metric: str, key: int, value: str, segment: Segment) -> Draws:
        """A decision's value: everywhere, and what it adds here."""
        group = f"value_{key}"
        return sum(
            (self._effect(metric, (f"{group}:{field}", value), place, segment) for place, field in enumerate(FIELDS)),
            self._draws.of(metric, (group, value)),
        )

    def together(self, metric: str, strategies: list[Strategy]) -> Draws | None:
        """(strategies, number): what values add as a pair; None where strategies are single values."""
        if len(strategies[0]) < 2:
            return None
        return np.stack([self._draws.of(metric, ("strategy", *each)) for each in strategies])

    def _effect(self, metric: str, prefix: tuple[str, ...], place: int, segment: Segment) -> Draws:
        if segment[place]:
            found = self._draws.known(metric, (*prefix, segment[place]))
            return self._none if found is None else found
        key = (metric, *prefix)
        if key not in self._means:
            if len(self._means) >= _REMEMBERED:
                self._means.clear()
            known = [(share, self._draws.known(metric, (*prefix, level))) for level, share in self._levels[place].items()]
            self._means[key] = sum((np.float32(share) * each for share, each in known if each is not None), self._none)
        return self._means[key]

    @property
    def _none(self) -> Draws:
        return np.zeros(self._draws.number, dtype=np.float32)


def chances(log_odds: Draws) -> Draws:
    """The logistic function, in place."""
    np.negative(log_odds, out=log_odds)
    np.exp(log_odds, out=log_odds)
    log_odds += np.float32(1)
    return np.reciprocal(log_odds, out=log_odds)


def checked(strategies: list[Strategy]) -> list[Strategy]:
    """The same, if they are distinct and of one dimension. Raises InputError otherwise, and for none."""
    if not strategies or len(set(strategies)) < len(strategies) or len({len(each) for each in strategies}) > 1:
        raise InputError("give at least one strategy, each once, with one value for each key of the dimension")
    return strategies


def _shares(mix: Mix, position: int) -> dict[str, float]:
    """By level of a field its share in the mix."""
    total = sum(mix.values())
    shares: dict[str, float] = {}
    for segment, weight in sorted(mix.items()):
        shares[segment[position]] = shares.get(segment[position], 0.0) + weight / total if total else 0.0
    return shares
