"""Strategies from best to worst, each with an estimate that isn't fooled by few messages or by good leads, and whether there is
enough data to say."""

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

import numpy as np

from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import Segment
from flywheel_dagster.strategies.estimate.draws import Draws, JointDraws
from flywheel_dagster.strategies.estimate.metrics import parts
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.rates import Mix, SegmentDraws, chances, checked

DRAWS, SEGMENTS = 2_000, 100
LEAST_TRIALS = 30.0
WIDEST = 0.5
"""Half of the interval's width, relative to the estimate, that still says something: about 15 successes."""
SURE = 0.95


class Ranked(NamedTuple):
    """A strategy by one metric. Rates are what it would have if it were sent to the organisation's own mix of segments."""

    strategy: Strategy
    estimate: float
    lower: float
    upper: float
    """Of the 95 % credible interval."""
    probability_best: float
    enough_data: bool
    reason: str
    """Why there isn't enough, in words; "" where there is."""
    raw: float | None
    """Successes over trials, as they are; None without trials."""
    trials: float


def ranked(
    posteriors: Mapping[str, Posterior], *, metric: str, mix: Mix, evidence: Mapping[Strategy, tuple[float, float]]
) -> list[Ranked]:
    """The strategies of the evidence by one metric, the best estimate first; performance needs the posteriors of all three
    rates.

    `evidence` has each strategy's trials and what came of them (successes, or the sum of values). The estimate is the posterior
    mean of the rate standardised over the mix (direct standardisation; Rothman, Greenland & Lash, Modern Epidemiology, chapter
    15): a strategy that got the good leads gains nothing by it. Of a mix of more than SEGMENTS segments so many are taken.
    Enough data means: at least LEAST_TRIALS trials of its own, and an interval of at most ± WIDEST of the estimate, or a
    decision: better or worse than the mean of all others, or the best, with a probability of SURE. Raises InputError for an
    unknown metric, one whose posterior is missing, and for strategies of several dimensions.
    """
    weights = parts(metric, posteriors)
    strategies = checked(sorted(evidence))
    rates = standardised({name: posteriors[name] for name in weights}, strategies, mix)
    draws: Draws = sum((np.float32(weights[name]) * rates[name] for name in weights), np.zeros(1, dtype=np.float32))
    return _table(draws, strategies, evidence)


def standardised(posteriors: Mapping[str, Posterior], strategies: list[Strategy], mix: Mix) -> dict[str, Draws]:
    """By metric (strategies, DRAWS): draws of the rate that each strategy would have over the mix."""
    draws = JointDraws(posteriors, number=DRAWS)
    segments = SegmentDraws(draws, mix)
    chosen = _sampled(mix)
    found = {}
    for metric in posteriors:
        together = segments.together(metric, strategies)
        total = np.zeros((len(strategies), DRAWS), dtype=np.float32)
        for segment, share in chosen:
            base = segments.base(metric, segment)
            values = {
                (key, value): segments.value(metric, key, value, segment)
                for key in range(len(strategies[0]))
                for value in {each[key] for each in strategies}
            }
            log_odds = np.stack([base + sum(values[key, value] for key, value in enumerate(each)) for each in strategies])
            total += np.float32(share) * chances(log_odds if together is None else log_odds + together)
        found[metric] = total
    return found


def _sampled(mix: Mix) -> list[tuple[Segment, float]]:
    """Segments and their shares: all, or SEGMENTS at even distances along the sorted weights (systematic sampling, proportional
    to size)."""
    segments = sorted(segment for segment, weight in mix.items() if weight > 0)
    if not segments:
        return [(("", "", "", ""), 1.0)]
    passed = np.cumsum([mix[segment] for segment in segments])
    if len(segments) <= SEGMENTS:
        return list(zip(segments, (np.diff(passed, prepend=0.0) / passed[-1]).tolist(), strict=True))
    places = np.searchsorted(passed, (np.arange(SEGMENTS) + 0.5) / SEGMENTS * passed[-1])
    found, times = np.unique(places, return_counts=True)
    return [(segments[place], float(count) / SEGMENTS) for place, count in zip(found, times, strict=True)]


def _table(draws: Draws, strategies: list[Strategy], evidence: Mapping[Strategy, tuple[float, float]]) -> list[Ranked]:
    estimate = draws.mean(axis=1, dtype=np.float64)
    lower, upper = np.quantile(draws, [0.025, 0.975], axis=1)
    best = np.bincount(draws.argmax(axis=0), minlength=len(strategies)) / draws.shape[1]
    others = (draws.sum(axis=0) - draws) / max(len(strategies) - 1, 1)
    better = (draws > others).mean(axis=1)
    rows = []
    for place, strategy in enumerate(strategies):
        trials, gained = evidence[strategy]
        decided = len(strategies) > 1 and max(best[place], better[place], 1 - better[place]) >= SURE
        width = (upper[place] - lower[place]) / 2 / estimate[place]
        reason = _missing(trials, float(width), decided=bool(decided), interval=(lower[place], upper[place]))
        rows.append(
            Ranked(
                strategy=strategy,
                estimate=float(estimate[place]),
                lower=float(lower[place]),
                upper=float(upper[place]),
                probability_best=float(best[place]),
                enough_data=not reason,
                reason=reason,
                raw=gained / trials if trials else None,
                trials=trials,
            )
        )
    return sorted(rows, key=lambda each: (-each.estimate, each.strategy))


def _missing(trials: float, width: float, *, decided: bool, interval: tuple[float, float]) -> str:
    if trials < LEAST_TRIALS:
        return f"{trials:.0f} of at least {LEAST_TRIALS:.0f} messages that are old enough"
    if width <= WIDEST or decided:
        return ""
    more = ceil(trials * ((width / WIDEST) ** 2 - 1))
    lower, upper = interval
    return f"somewhere between {lower:.2%} and {upper:.2%}, no clear difference from the others; about {more:,} more messages would tell"
