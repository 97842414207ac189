"""What a policy would have earned, from the messages whose strategy was drawn: no message need be sent to find out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.counts import Ages
from flywheel_dagster.strategies.dimensions import PERFORMANCE, Strategy, name_of
from flywheel_dagster.strategies.estimate.cells import Segment
from flywheel_dagster.strategies.offline.estimate import Value, estimate
from flywheel_dagster.strategies.offline.logged import Logged

REPLY_DAYS = 14  # of a message that wasn't answered for so long, hardly any reply comes


@dataclass(frozen=True)
class PolicyValue:
    """A policy's mean reward a message (0..1) by three estimators, each (estimate, lower, upper) with a 95 % interval, beside what the log itself earned.

    `doubly_robust` is the one to read; where the three differ by more than their intervals, trust none. `unsupported` is the share of the policy's draws of which
    the log has nothing; `effective_messages` says how many messages of its own would tell as much.
    """

    metric: str
    messages: int
    leads: int
    logged: float
    inverse_propensity: tuple[float, float, float]
    self_normalized: tuple[float, float, float]
    doubly_robust: tuple[float, float, float]
    effective_messages: float
    largest_weight: float
    unsupported: float


def matured(metric: str, ages: Ages) -> timedelta:
    """How old a message must be to be judged by a metric: by its slowest part."""
    days = {"reply_rate": REPLY_DAYS, "meeting_rate": ages.meeting_days, "close_rate": ages.deal_days, PERFORMANCE: ages.deal_days}
    return timedelta(days=days[metric])


def evaluated(rows: Iterable[Mapping[str, Any]], policy: str | Mapping[str, float], metric: str) -> PolicyValue:
    """The value of a policy: one strategy's name (PAS_professional), or probabilities by name, over the leads of the drawn messages.

    Raises InputError for probabilities that don't add up to 1, a strategy that isn't named like one, and where no drawn message is old enough or all
    came to the same: an interval can't be had from these.
    """
    shares = {policy: 1.0} if isinstance(policy, str) else dict(policy)
    found = list(rows)
    sent = {name_of(pair): pair for pair in {(row["framework"], row["tone"]) for row in found}}
    target: dict[Strategy, float] = {sent.get(name) or _pair(name): share for name, share in shares.items()}
    if not found:
        raise InputError("no drawn message is old enough yet: use suggest_strategy, and hand the suggestion to track_agent_message")
    if len({row["reward"] for row in found}) == 1:
        raise InputError(
            f"the {len(found):,} drawn messages that are old enough all came to the same; wait until some have brought what others haven't"
        )
    logged = Logged(
        [(row["framework"], row["tone"]) for row in found],
        [_segment(row) for row in found],
        [row["lead_id"] for row in found],
        [row["propensity"] for row in found],
        [row["reward"] for row in found],
    )
    told = estimate(logged, lambda _: target)
    return PolicyValue(
        metric=metric,
        messages=told.messages,
        leads=told.leads,
        logged=sum(row["reward"] for row in found) / len(found),
        inverse_propensity=_bounds(told.ips),
        self_normalized=_bounds(told.snips),
        doubly_robust=_bounds(told.dr),
        effective_messages=told.effective_sample_size,
        largest_weight=told.largest_weight,
        unsupported=told.unsupported,
    )


def _pair(name: str) -> tuple[str, str]:
    framework, separator, tone = name.partition("_")
    if not (framework and separator and tone):
        raise InputError(f"{name!r} is no strategy; name it like {name_of(('PAS', 'professional'))}")
    return framework, tone


def _segment(row: Mapping[str, Any]) -> Segment:
    return row["channel"], row["industry"], row["role"], row["company_size"]


def _bounds(value: Value) -> tuple[float, float, float]:
    return value.estimate, value.lower, value.upper
