"""Asking several models at once and keeping the answer that a ranking puts first. As with a split by complexity, an experiment goes before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.chat import Messages
from flywheel_dagster.models.routing.assigned import Target


class Ranking(Protocol):
    """Tells how good messages are; a reward model, for one."""

    def __call__(self, asked: Messages, texts: Sequence[str]) -> Sequence[float]:
        """A score for each text that was written to what was asked, in their order; more is better. Called in a thread."""
        ...


@dataclass(frozen=True)
class Ensemble:
    """The models to ask, and who ranks their answers. `members` None in the list stands for the model that was assigned."""

    members: Sequence[Target | None]
    ranking: Ranking

    def __post_init__(self) -> None:
        if len(set(self.members)) < 2 or len(set(self.members)) < len(self.members):
            raise InputError(f"an ensemble needs at least two models, all different; {len(self.members)} were named")


def best_of(scores: Sequence[float], count: int) -> int:
    """The place of the highest of `count` scores, the first of equal ones; NaN is the lowest."""
    if len(scores) != count:
        raise InputError(f"the ranking gave {len(scores)} scores for {count} messages; let it give one for each")
    return max(range(count), key=lambda place: (-math.inf if math.isnan(scores[place]) else scores[place], -place))
