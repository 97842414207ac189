"""Suggestions: the strategy to try next for a lead, drawn with a probability that is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import RATES, Strategy, metric_named, name_of
from flywheel_dagster.strategies.estimate.cells import Cells, Segment
from flywheel_dagster.strategies.estimate.fit import fit_rates
from flywheel_dagster.strategies.estimate.policy import Policy, drawn
from flywheel_dagster.strategies.estimate.posterior import Posterior

_FIELDS = ("industry", "role", "company_size")
Allowed = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Suggestion:
    """A strategy to use: its decisions by key, and the probability (0..1) with which it was drawn from `probabilities`, those of all that were allowed.

    `learnt_from` is "own messages", "other organizations" or "nothing yet". Hand it to `track_agent_message`, so that the propensity is kept.
    """

    id: str
    strategy: str
    decisions: dict[str, str]
    propensity: float
    probabilities: dict[str, float]
    metric: str
    channel: str
    learnt_from: str
    as_of: datetime | None

    def was_followed(self, framework: str | None, tone: str | None) -> bool:
        """Whether a message has what was suggested."""
        return self.decisions == {"framework": framework, "tone": tone}


class Lesson:
    """What is known of a dimension, ready to be asked. It remembers its draws, so keep it while it is current."""

    def __init__(self, row: Mapping[str, Any] | None, keys: Sequence[str], organization_id: str) -> None:
        self.keys = tuple(keys)
        self.made_at: datetime | None = None if row is None else row["made_at"]
        self.learnt_from = "nothing yet"
        self.strategies: list[Strategy] = []
        self._mix: dict[Segment, float] = {}
        if row is not None:
            self.learnt_from = "own messages" if row["organization_id"] == organization_id else "other organizations"
            self.strategies = [tuple(each) for each in row["strategies"]]
            self._mix = {(channel, industry, role, size): sent for (channel, industry, role, size), sent in row["mix"]}
        self._seen = [{segment[place] for segment in self._mix} for place in range(4)]
        learnt = {} if row is None else {metric: Posterior.of_json(each) for metric, each in row["posteriors"].items()}
        self._posteriors = fit_rates(dict.fromkeys(RATES, Cells.empty(len(self.keys)))) | learnt
        self._policies: dict[str, Policy] = {}

    def probabilities(
        self, channel: str, lead_context: Mapping[str, Any], *, allowed: Allowed | None, metric: str, floor: float
    ) -> dict[Strategy, float]:
        """With which probability each allowed strategy is drawn for a lead. Raises InputError where none is known or none allowed."""
        among = self.strategies if allowed is None else [self._strategy(each) for each in allowed]
        if not among:
            raise InputError(
                "no strategy is known yet: name those that may be used, such as allowed=[('PAS', 'professional'), ('AIDA', 'casual')]"
            )
        if metric_named(metric) not in self._policies:
            self._policies[metric] = Policy(self._posteriors, mix=self._mix, metric=metric)
        return self._policies[metric].probabilities(self._segment(channel, lead_context), list(dict.fromkeys(among)), floor=floor)

    def suggest(
        self, channel: str, lead_context: Mapping[str, Any], *, allowed: Allowed | None, metric: str, floor: float
    ) -> Suggestion:
        """One of the strategies, drawn."""
        probabilities = self.probabilities(channel, lead_context, allowed=allowed, metric=metric, floor=floor)
        id = str(uuid4())
        strategy, propensity = drawn(probabilities, id)
        return Suggestion(
            id=id,
            strategy=name_of(strategy),
            decisions=dict(zip(self.keys, strategy, strict=True)),
            propensity=propensity,
            probabilities={name_of(each): share for each, share in probabilities.items()},
            metric=metric,
            channel=channel,
            learnt_from=self.learnt_from,
            as_of=self.made_at,
        )

    def _strategy(self, given: Sequence[str]) -> Strategy:
        strategy = tuple(given.split("_") if isinstance(given, str) else given)
        if len(strategy) != len(self.keys):
            raise InputError(
                f"{given!r} is no strategy of {' and '.join(self.keys)}; give a value of each, such as ('PAS', 'professional')"
            )
        return strategy

    def _segment(self, channel: str, lead_context: Mapping[str, Any]) -> Segment:
        """The lead's kind; what no message has gone to yet is as unknown as what isn't told."""
        told = (channel, *(str(lead_context.get(name) or "")[:60] for name in _FIELDS))  # as they are counted
        channel, industry, role, size = (
            value if value in seen else "(other)" if "(other)" in seen else "" for value, seen in zip(told, self._seen, strict=True)
        )
        return channel, industry, role, size
