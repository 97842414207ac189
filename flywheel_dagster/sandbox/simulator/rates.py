"""The exact expected rates of a simulated market, by summation over its segments: what estimates are compared with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from flywheel_dagster.errors import InputError
from flywheel_dagster.sandbox.simulator.odds import (
    CLICK,
    DEAL,
    DELIVERY,
    MEETING,
    OPEN,
    POSITIVE,
    REPLY,
    VALUE,
    Vector,
    baseline,
    scaled,
    strategy,
    vector,
)
from flywheel_dagster.sandbox.simulator.truth import Baseline, Effects
from flywheel_dagster.sandbox.simulator.world import World

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Weighted = list[tuple[Vector, float]]


@dataclass(frozen=True)
class Rates:
    """What becomes of a sent message in the end; each rate is a share of all messages sent (0..1).

    `open` and `click` are those of people, on channels that report them. `booked` counts every booking; `meeting` those not
    cancelled, as the column meeting_booked does; `meeting_completed` those held. `deal` is a won deal, `revenue` the mean in
    USD that a message sent earns, and `deal_value` the mean in USD of a won deal.
    """

    delivery: float
    open: float
    click: float
    reply: float
    positive_reply: float
    booked: float
    meeting: float
    meeting_completed: float
    deal: float
    revenue: float

    @property
    def deal_value(self) -> float:
        return self.revenue / self.deal

    @property
    def performance(self) -> float:
        """The mean of a message's value: 0.5 deal + 0.3 meeting + 0.2 reply."""
        return 0.5 * self.deal + 0.3 * self.meeting + 0.2 * self.reply


def expected_rates(
    world: World,
    *,
    framework: str | None = None,
    tone: str | None = None,
    industry: str | None = None,
    role: str | None = None,
    company_size: str | None = None,
    icp_score: float | None = None,
    channel: str | None = None,
    arm: str | None = None,
) -> Rates:
    """The true rates of messages with these properties; what isn't given is averaged over the world's own mix.

    They hold when everything has had its time: with `now` years after the anchor, and before `messy` loses anything. A world of
    few leads scatters more than its number of messages suggests, because messages to one lead share the lead's odds. Without
    an experiment in the world, `arm` may still be any that the truth knows. Raises InputError for a property it lacks.
    """
    import numpy as np

    truth = world.truth
    scores = world.icp_scores if icp_score is None else ((icp_score, 1.0),)
    arms = {each.name: each.share for each in world.arms}
    lead = [
        _factor("industry", industry, world.industries, truth.industries),
        _factor("role", role, world.roles, truth.roles),
        _factor("company_size", company_size, world.company_sizes, truth.company_sizes),
        _factor("arm", arm, arms, truth.models) if arm or arms else [],
        [(scaled(vector(truth.icp), score - 0.5), weight) for score, weight in scores],
    ]
    strategies = [
        (strategy(truth, one, two), world.frameworks[one] * world.tones[two])
        for one in _named("framework", framework, world.frameworks)
        for two in _named("tone", tone, world.tones)
    ]
    moved, weights = _sums([*lead, strategies, [(baseline(truth.base), 1.0)]])
    total = np.zeros(len(fields(Rates)))
    shares = {name: world.channels[name] for name in _named("channel", channel, world.channels)}
    for name, share in shares.items():
        steps = _steps(truth.base, moved + np.array(vector(truth.channels.get(name))), tracked=name in world.tracked_channels)
        total += share / sum(shares.values()) * (steps @ weights)
    return Rates(*(float(rate) for rate in total))


def strategy_ranking(world: World, metric: str = "reply", **fixed: str) -> list[tuple[str, str, Rates]]:
    """All (framework, tone, rates), the truly best by `metric` (a name in Rates, such as `performance`) first."""
    found = [
        (one, two, expected_rates(world, framework=one, tone=two, **fixed))  # type: ignore[arg-type]
        for one in world.frameworks
        for two in world.tones
    ]
    return sorted(found, key=lambda each: float(getattr(each[2], metric)), reverse=True)


def _named(kind: str, chosen: str | None, shares: Mapping[str, float]) -> Iterable[str]:
    if chosen is None:
        return [name for name, share in shares.items() if share > 0]
    if chosen not in shares:
        raise InputError(f"this world has no {kind} {chosen!r}; use {' or '.join(shares) or 'none'}")
    return [chosen]


def _factor(kind: str, chosen: str | None, shares: Mapping[str, float], known: Mapping[str, Effects]) -> Weighted:
    if chosen is not None:
        _named(kind, chosen, {**shares, **dict.fromkeys(known, 0.0)})
        return [(vector(known.get(chosen)), 1.0)]
    return [(vector(known.get(name)), share) for name, share in shares.items() if share > 0]


def _sums(factors: Iterable[Weighted]) -> tuple["Array", "Array"]:
    """Every sum of one vector from each factor, with its probability; the factors are independent."""
    import numpy as np

    vectors, weights = np.zeros((1, 8)), np.ones(1)
    for factor in factors:
        if factor:
            more = np.array([each for each, _ in factor])
            shares = np.array([share for _, share in factor])
            vectors = (vectors[:, None, :] + more[None, :, :]).reshape(-1, 8)
            weights = np.outer(weights, shares / shares.sum()).ravel()
    return vectors, weights


def _steps(base: Baseline, odds: "Array", *, tracked: bool) -> "Array":
    """The rates (rows, in the order of Rates) of each vector of log-odds (columns)."""
    import numpy as np

    def chance(log_odds: "Array") -> "Array":
        return 1 / (1 + np.exp(-log_odds))

    x = odds.T
    delivered = chance(x[DELIVERY])
    opened = delivered * chance(x[OPEN])
    clicked = opened * chance(x[CLICK])
    reply = opened * chance(x[REPLY]) + (delivered - opened) * chance(x[REPLY] + base.reply_unopened)
    positive = reply * chance(x[POSITIVE])
    neutral = (reply - positive) * base.neutral
    after_positive = positive * chance(x[MEETING])
    booked = (
        after_positive
        + neutral * chance(x[MEETING] + base.meeting_after_neutral)
        + clicked * (1 - chance(x[REPLY])) * chance(x[MEETING] + base.meeting_after_click)
    )
    standing = booked * (base.held + base.no_show)
    held = booked * base.held
    pipeline = held * base.pipeline + (positive - after_positive) * base.direct
    deal = pipeline * chance(x[DEAL])
    revenue = deal * np.exp(x[VALUE] + base.value_sigma**2 / 2)
    seen = float(tracked)
    return np.stack([delivered, opened * seen, clicked * seen, reply, positive, booked, standing, held, deal, revenue])
