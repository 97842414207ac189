"""How often the intervals of a policy's value hold the truth, for logs drawn by fixed odds and by the sampler itself."""

import numpy as np

from benchmarks.simulated_strategies import (
    WORTH,
    Market,
    cells,
    drawn_world,
    market,
    react,
)
from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import Segment
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.policy import Policy
from flywheel_dagster.strategies.offline.estimate import Estimates, estimate
from flywheel_dagster.strategies.offline.logged import Logged

TOUCHES = 3


def gathered(seed: int, messages: int, *, adaptive: bool) -> tuple[Market, Logged]:
    """A log of leads with TOUCHES messages each; by a fixed policy that leans to some strategies, or by the sampler, which
    learns from replies in ten batches."""
    of = market(drawn_world(seed % 20, small=True), interaction=0.15, seed=seed % 20)
    random = np.random.default_rng([seed, 4])
    mix = dict(zip(of.segments, of.mix.tolist(), strict=True))
    leaning = np.exp(random.normal(0, 1, (len(of.segments), len(of.strategies))))
    odds = 0.9 * leaning / leaning.sum(axis=1, keepdims=True) + 0.1 / len(of.strategies)
    parts: list[tuple[np.ndarray, ...]] = []
    for batch in range(10):
        if adaptive:
            odds = _of_replies(of, parts, mix)
        leads = messages // TOUCHES // 10
        segment = np.repeat(random.choice(len(of.segments), leads, p=of.mix), TOUCHES)
        icp = np.repeat(random.choice(len(of.icp), leads, p=of.icp), TOUCHES)
        passed = np.cumsum(odds[segment], axis=1)
        chosen = np.minimum((random.random(len(segment))[:, None] > passed).sum(axis=1), len(of.strategies) - 1)
        outcomes = react(random, of, chosen, segment, icp)
        parts.append((chosen, segment, batch * leads + np.arange(len(segment)) // TOUCHES, odds[segment, chosen], *outcomes))
    chosen, segment, lead, propensity, *outcomes = (np.concatenate(each) for each in zip(*parts, strict=True))
    strategies, segments = [of.strategies[k] for k in chosen], [of.segments[k] for k in segment]
    return of, Logged(strategies, segments, lead.astype(str).tolist(), propensity, WORTH @ np.array(outcomes))


def _of_replies(of: Market, parts: list[tuple[np.ndarray, ...]], mix: dict[Segment, float]) -> np.ndarray:
    strategy, segment, reply = (
        (np.concatenate([part[place] for part in parts]) for place in (0, 1, 4)) if parts else (np.zeros(0, dtype=np.int64),) * 3
    )
    drawn = Policy({"reply_rate": fit(cells(of, strategy, segment, np.ones(len(reply)), reply))}, mix=mix, metric="reply_rate")
    rows = [drawn.probabilities(each, of.strategies) for each in of.segments]
    return np.array([[row[strategy] for strategy in of.strategies] for row in rows])


def targets(of: Market) -> dict[str, dict[Segment, dict[Strategy, float]]]:
    """The policies whose value is asked for."""
    even = dict.fromkeys(of.strategies, 1 / len(of.strategies))
    values = of.values()
    best, always = values.argmax(axis=0), int((values @ of.mix).argmax())
    mostly = [dict.fromkeys(of.strategies, 0.3 / len(of.strategies)) for _ in of.segments]
    for place, row in enumerate(mostly):
        row[of.strategies[best[place]]] += 0.7
    return {
        "each alike": dict.fromkeys(of.segments, even),
        "mostly the segment's best": dict(zip(of.segments, mostly, strict=True)),
        "always the best": {segment: {of.strategies[always]: 1.0} for segment in of.segments},
    }


def truth_of(of: Market, target: dict[Segment, dict[Strategy, float]]) -> float:
    """A policy's exact value."""
    odds = np.array([[target[segment].get(strategy, 0.0) for strategy in of.strategies] for segment in of.segments])
    return float((odds.T * of.values()) @ of.mix @ np.ones(len(of.strategies)))


def offline(seed: int, messages: int, *, adaptive: bool) -> dict[str, tuple[Estimates, float]]:
    """By target its estimates and its true value."""
    of, logged = gathered(seed, messages, adaptive=adaptive)
    return {name: (estimate(logged, target), truth_of(of, target)) for name, target in targets(of).items()}
