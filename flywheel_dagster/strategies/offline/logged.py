"""Messages whose strategy was drawn with known odds, and what they earned; and how a target policy would have drawn instead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import Codes, Floats, Segment

Target = Callable[[Segment], Mapping[Strategy, float]] | Mapping[Segment, Mapping[Strategy, float]]
"""A policy: by segment the probability of each strategy."""


@dataclass(frozen=True, eq=False)
class Logged:
    """One entry a message: n of them.

    `propensities` are the probabilities with which the strategies sent were drawn when they were, `rewards` lie in [0, 1] and
    are matured. All messages that were drawn belong here, whatever became of them. Raises InputError for lengths that differ,
    propensities that are missing, 0 or above 1, and rewards outside [0, 1].
    """

    strategies: Sequence[Strategy]
    segments: Sequence[Segment]
    leads: Sequence[str]
    propensities: ArrayLike
    rewards: ArrayLike

    def __post_init__(self) -> None:
        chances, rewards = (np.asarray(each, dtype=np.float64) for each in (self.propensities, self.rewards))
        if not chances.shape == rewards.shape == (len(self.strategies),) == (len(self.segments),) == (len(self.leads),):
            raise InputError("logged messages need as many strategies, segments, leads, propensities and rewards")
        if not len(chances):
            raise InputError("there are no logged messages; a policy's value needs some whose strategy was suggested")
        wrong = int((~((chances > 0) & (chances <= 1))).sum())
        if wrong:
            raise InputError(
                f"{wrong:,} of {len(chances):,} messages have no propensity, or one outside (0, 1]; leave out messages whose strategy wasn't suggested, "
                "and never suggest one with the probability 0"
            )
        if not np.all((rewards >= 0) & (rewards <= 1)):
            raise InputError("rewards lie between 0 and 1, without gaps; leave out messages that aren't old enough")
        object.__setattr__(self, "propensities", chances)
        object.__setattr__(self, "rewards", rewards)

    def __len__(self) -> int:
        return len(self.strategies)


@dataclass(frozen=True, eq=False)
class Aimed:
    """A log with the target policy's probabilities: S segments, K strategies of either."""

    segments: list[Segment]
    strategies: list[Strategy]
    segment: Codes
    strategy: Codes
    probabilities: Floats
    """(S, K): the target's."""
    lead: Codes
    propensities: Floats
    rewards: Floats

    @property
    def weights(self) -> Floats:
        """(n): how much likelier the target would have drawn what was sent."""
        return self.probabilities[self.segment, self.strategy] / self.propensities

    @property
    def unsupported(self) -> float:
        """The share of the target's draws that would be strategies of which the log has none."""
        missing = np.setdiff1d(np.arange(len(self.strategies)), self.strategy)
        return float(self.probabilities[self.segment][:, missing].sum() / len(self.segment))


def aimed(logged: Logged, target: Target) -> Aimed:
    """Raises InputError where the target has no distribution for a segment of the log."""
    segments = sorted(set(logged.segments))
    rows = [_distribution(target, segment) for segment in segments]
    strategies = sorted(set(logged.strategies).union(*rows))
    column = {strategy: place for place, strategy in enumerate(strategies)}
    probabilities = np.zeros((len(segments), len(strategies)))
    for place, row in enumerate(rows):
        for strategy, probability in row.items():
            probabilities[place, column[strategy]] = probability
    number = {segment: place for place, segment in enumerate(segments)}
    _, lead = np.unique(np.array(logged.leads, dtype=object).astype(str), return_inverse=True)
    return Aimed(
        segments=segments,
        strategies=strategies,
        segment=np.array([number[each] for each in logged.segments]),
        strategy=np.array([column[each] for each in logged.strategies]),
        probabilities=probabilities,
        lead=lead,
        propensities=np.asarray(logged.propensities, dtype=np.float64),
        rewards=np.asarray(logged.rewards, dtype=np.float64),
    )


def _distribution(target: Target, segment: Segment) -> Mapping[Strategy, float]:
    row = target(segment) if callable(target) else target.get(segment)
    if row is None:
        raise InputError(
            f"the target policy says nothing on the segment {segment}; give it a distribution for every segment of the log"
        )
    numbers = np.array(list(row.values()), dtype=np.float64)
    if not (np.all(numbers >= 0) and abs(float(numbers.sum()) - 1) < 1e-6):
        raise InputError(f"the target policy's probabilities in {segment} are not 0 or more with the sum 1")
    return row
