"""Which strategy to suggest for a lead, with exact odds: Thompson sampling (Thompson 1933; Russo et al. 2018) above a floor."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import PERFORMANCE, Strategy
from flywheel_dagster.strategies.estimate.cells import Segment
from flywheel_dagster.strategies.estimate.draws import Draws, JointDraws
from flywheel_dagster.strategies.estimate.metrics import parts
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.rates import Mix, SegmentDraws, chances, checked

DRAWS = 1_024
FLOOR = 0.1
LEAST = 0.002
"""No allowed strategy is less likely, so that no weight 1/propensity exceeds 500 (unless more than 250 are allowed, which share
a floor of a half)."""
_LARGEST_FLOOR = 0.5


class Policy:
    """The suggestions of one organisation and dimension. Keep it: it holds the draws, about a thousand a coefficient and metric."""

    def __init__(self, posteriors: Mapping[str, Posterior], *, mix: Mix, metric: str = PERFORMANCE) -> None:
        """Raises InputError for an unknown metric, and where it needs a posterior that isn't given."""
        self._weights = parts(metric, posteriors)
        self._segments = SegmentDraws(JointDraws({name: posteriors[name] for name in self._weights}, number=DRAWS), mix)
        self._keys = next(iter(posteriors.values())).keys
        self._together = lru_cache(maxsize=32)(self._segments.together)

    def probabilities(self, segment: Segment, allowed: Sequence[Strategy], *, floor: float = FLOOR) -> dict[Strategy, float]:
        """By allowed strategy the probability with which it is to be suggested for a lead of this segment ("" where unknown).

        With the probability 1 - floor a strategy is taken as often as it is the best in draws of the posterior; the rest is
        shared evenly. A strategy that was never tried is as uncertain as its values and its group. Raises InputError for
        strategies that aren't distinct or of another dimension, and for a floor outside 0..1.
        """
        if not 0 <= floor <= 1:
            raise InputError(f"floor is {floor}; give the share of suggestions made at random, between 0 and 1")
        strategies = checked(sorted(allowed))
        if len(strategies[0]) != self._keys:
            raise InputError(f"the strategy {strategies[0]} isn't one of this dimension, which has {self._keys} keys")
        best = np.bincount(self.values(segment, tuple(strategies)).argmax(axis=0), minlength=len(strategies)) / DRAWS
        mixed = above_floor(best, floor)
        return dict(zip(strategies, mixed.tolist(), strict=True))

    def values(self, segment: Segment, strategies: tuple[Strategy, ...]) -> Draws:
        """(strategies, DRAWS): draws of the metric of each in this segment."""
        total = np.zeros((len(strategies), DRAWS), dtype=np.float32)
        for metric, weight in self._weights.items():
            log_odds = np.broadcast_to(self._segments.base(metric, segment), total.shape).copy()
            for key in range(self._keys):
                values = sorted({each[key] for each in strategies})
                rows = np.stack([self._segments.value(metric, key, value, segment) for value in values])
                log_odds += rows[[values.index(each[key]) for each in strategies]]
            together = self._together(metric, strategies)
            if together is not None:
                log_odds += together
            total += np.float32(weight) * chances(log_odds)
        return total


def thompson(
    posteriors: Mapping[str, Posterior],
    segment: Segment,
    allowed: Sequence[Strategy],
    *,
    mix: Mix,
    floor: float = FLOOR,
    metric: str = PERFORMANCE,
) -> dict[Strategy, float]:
    """The probabilities of one suggestion, without keeping the draws for the next."""
    return Policy(posteriors, mix=mix, metric=metric).probabilities(segment, allowed, floor=floor)


def above_floor(best: np.ndarray, floor: float) -> np.ndarray:
    """Probabilities of which none is below floor/K or LEAST."""
    share = min(max(floor, LEAST * len(best)), max(floor, _LARGEST_FLOOR))
    mixed = (1 - share) * best + share / len(best)
    return np.asarray(mixed / mixed.sum())


def drawn(probabilities: Mapping[Strategy, float], key: str) -> tuple[Strategy, float]:
    """The strategy that falls to a key (of a request, or of a lead and step), and its probability. The same key gets the same
    one."""
    number = int.from_bytes(blake2b(key.encode(), digest_size=8, person=b"suggestion").digest(), "big") / 2**64
    strategies = sorted(probabilities)
    passed = np.cumsum([probabilities[each] for each in strategies])
    chosen = strategies[min(int(np.searchsorted(passed, number * passed[-1], side="right")), len(strategies) - 1)]
    return chosen, probabilities[chosen]
