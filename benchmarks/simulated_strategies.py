"""Strategies in worlds whose truth is known: the simulator's market with effects drawn anew for each seed, and messages drawn
from its rates at once. What is made of them is in `strategies.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import msgspec
import numpy as np

from flywheel_dagster.sandbox.simulator.odds import add, baseline, scaled, strategy, vector
from flywheel_dagster.sandbox.simulator.rates import _steps
from flywheel_dagster.sandbox.simulator.truth import Effects, default_truth
from flywheel_dagster.sandbox.simulator.world import ICP_SCORES, World
from flywheel_dagster.strategies.dimensions import RATES, WEIGHTS, Strategy
from flywheel_dagster.strategies.estimate.cells import Cells, Segment

WORTH = np.array([WEIGHTS[rate] for rate in RATES])  # of a reply, a meeting, a deal
_ROWS = {"reply_rate": 3, "meeting_rate": 6, "close_rate": 8}  # in Rates
_EFFECTS = {"open": 0.1, "reply": 0.25, "positive": 0.2, "meeting": 0.15, "deal": 0.15}
"""Standard deviations of a framework's or tone's effects, about those of the default truth; half of it for what the two add
together."""


@dataclass(frozen=True, eq=False)
class Market:
    """K strategies, S segments, I ICP scores."""

    strategies: list[Strategy]
    segments: list[Segment]
    mix: np.ndarray
    """(S): shares."""
    icp: np.ndarray
    """(I): shares."""
    chances: np.ndarray
    """(3, K, S, I): of a reply, a meeting and a deal."""

    def rates(self) -> np.ndarray:
        """(3, K): over the mix."""
        return np.asarray(self.chances @ self.icp @ self.mix)

    def values(self) -> np.ndarray:
        """(K, S): performance."""
        return np.asarray(np.tensordot(WORTH, self.chances @ self.icp, axes=1))


def drawn_world(seed: int, *, small: bool = False, organization: int = 0, apart: float = 0.0) -> World:
    """The default market with frameworks, tones and pairs of other, random effects; `small`: 18 segments instead of 450.

    Organisations of one seed have the same effects, each with deviations of its own of the size `apart` (1: as large as the effects).
    """
    random, own = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 5, organization])

    def effects(scale: float) -> Effects:
        sizes = {step: scale * size for step, size in _EFFECTS.items()}
        return Effects(**{step: float(random.normal(0, size) + apart * own.normal(0, size)) for step, size in sizes.items()})

    plain = World()
    truth = msgspec.structs.replace(
        default_truth(),
        frameworks={each: effects(1.0) for each in plain.frameworks},
        tones={each: effects(1.0) for each in plain.tones},
        strategies={f"{one}_{two}": effects(0.5) for one, two in product(plain.frameworks, plain.tones)},
    )
    if not small:
        return World(truth=truth)
    return World(
        truth=truth,
        channels={"email": 1.0},
        industries={"SaaS": 3.0, "Manufacturing": 2.0, "Finance": 1.0},
        roles={"VP Sales": 2.0, "CTO": 1.0, "CEO": 1.0},
        company_sizes={"11-50": 1.0, "201-1000": 1.0},
    )


def market(world: World, *, interaction: float = 0.0, seed: int = 0) -> Market:
    """The exact chances of every strategy in every segment. `interaction`: standard deviation on the log-odds scale of what a
    framework or tone adds with a channel, an industry, a role and a size, each (the simulator's own truth has none)."""
    t = world.truth
    strategies = list(product(world.frameworks, world.tones))
    levels = (world.channels, world.industries, world.roles, world.company_sizes)
    segments = list(product(*levels))
    known = (t.channels, t.industries, t.roles, t.company_sizes)
    icp = np.array([weight for _, weight in ICP_SCORES])
    of_icp = np.array([scaled(vector(t.icp), score - 0.5) for score, _ in ICP_SCORES])
    of_strategy = np.array([add(baseline(t.base), strategy(t, *each)) for each in strategies])
    of_segment = np.array(
        [np.sum([vector(of.get(level)) for of, level in zip(known, each, strict=True)], axis=0) for each in segments]
    )
    odds = of_strategy[:, None, None] + of_segment[None, :, None] + of_icp
    steps = _steps(t.base, odds.reshape(-1, 8), tracked=True)[[_ROWS[name] for name in RATES]]
    chances = steps.reshape(3, len(strategies), len(segments), len(icp))
    if interaction:
        chances = _shifted(chances, _interactions(np.random.default_rng([seed, 2]), strategies, segments, interaction))
    mix = np.array([np.prod([of[level] for of, level in zip(levels, each, strict=True)]) for each in segments])
    return Market(strategies, segments, mix / mix.sum(), icp / icp.sum(), chances)


def _shifted(chances: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + (1 / chances - 1) * np.exp(-shift)[None, :, :, None]))


def _interactions(random: np.random.Generator, strategies: list[Strategy], segments: list[Segment], scale: float) -> np.ndarray:
    total = np.zeros((len(strategies), len(segments)))
    for key, field in product(range(2), range(4)):
        values, levels = sorted({each[key] for each in strategies}), sorted({each[field] for each in segments})
        effect = random.normal(0, scale, (len(values), len(levels)))
        total += effect[np.ix_([values.index(each[key]) for each in strategies], [levels.index(each[field]) for each in segments])]
    return total


class Sent(NamedTuple):
    """Messages: numbers of their strategy and segment, and (3, n) what came of them in the end."""

    strategy: np.ndarray
    segment: np.ndarray
    outcomes: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """(n): performance."""
        return np.asarray(WORTH @ self.outcomes)


Assignment = Callable[[np.random.Generator, Market, np.ndarray, np.ndarray], np.ndarray]
"""From segments (n) and ICP scores' numbers (n) to strategies (n)."""


def send(random: np.random.Generator, of: Market, messages: int, assign: Assignment) -> Sent:
    """Messages to leads of their own. Events are nested: one number decides, so that the rarer comes only with the more
    frequent."""
    segment = random.choice(len(of.segments), messages, p=of.mix)
    icp = random.choice(len(of.icp), messages, p=of.icp)
    chosen = assign(random, of, segment, icp)
    return Sent(chosen, segment, react(random, of, chosen, segment, icp))


def react(random: np.random.Generator, of: Market, strategy: np.ndarray, segment: np.ndarray, icp: np.ndarray) -> np.ndarray:
    """(3, n): replies, meetings, deals."""
    return np.asarray(random.random(len(strategy)) < of.chances[:, strategy, segment, icp], dtype=np.float64)


def evenly(random: np.random.Generator, of: Market, segment: np.ndarray, icp: np.ndarray) -> np.ndarray:
    return random.integers(len(of.strategies), size=len(segment))


def unevenly(random: np.random.Generator, of: Market, segment: np.ndarray, icp: np.ndarray) -> np.ndarray:
    """The first has a hundred times the messages of the last."""
    share = np.geomspace(1, 0.01, len(of.strategies))
    return random.permutation(len(of.strategies))[random.choice(len(of.strategies), len(segment), p=share / share.sum())]


def by_segment(random: np.random.Generator, of: Market, segment: np.ndarray, icp: np.ndarray) -> np.ndarray:
    """Some strategies get the good segments, others the bad ones, whatever they are worth."""
    base = np.log((of.chances[0] @ of.icp).mean(axis=0))
    return _leaning(random, of, ((base - of.mix @ base) / base.std())[segment])


def by_icp(random: np.random.Generator, of: Market, segment: np.ndarray, icp: np.ndarray) -> np.ndarray:
    """Some strategies get the leads of high ICP score, which no segment tells."""
    return _leaning(random, of, (icp - len(of.icp) / 2) / (len(of.icp) / 4))


def _leaning(random: np.random.Generator, of: Market, good: np.ndarray) -> np.ndarray:
    odds = np.exp(np.outer(good, random.permutation(np.linspace(-1, 1, len(of.strategies)))))
    passed = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    return np.minimum((random.random(len(good))[:, None] > passed).sum(axis=1), len(of.strategies) - 1)


def cells(of: Market, strategy: np.ndarray, segment: np.ndarray, trials: np.ndarray, successes: np.ndarray) -> Cells:
    """Counted by strategy and segment."""
    pair = strategy * len(of.segments) + segment
    places, cell = np.unique(pair, return_inverse=True)
    return Cells(
        [of.strategies[each // len(of.segments)] for each in places],
        [of.segments[each % len(of.segments)] for each in places],
        np.bincount(cell, trials, len(places)),
        np.bincount(cell, successes, len(places)),
        keys=2,
    )
