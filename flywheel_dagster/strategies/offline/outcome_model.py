"""What a message of a strategy earns in a segment, as the mixed model predicts it for messages whose leads it hasn't seen."""

import numpy as np
from scipy.special import expit

from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import FIELDS, Cells, Codes, Floats, Segment
from flywheel_dagster.strategies.estimate.design import INTERCEPT
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.offline.logged import Aimed

FOLDS = 5


def folds_of(lead: Codes) -> Codes:
    """(n): a fold for each message, the same for all of a lead's; leads in an order that has nothing to do with time."""
    leads = int(lead.max()) + 1
    fold = np.random.default_rng(leads).permutation(leads) % FOLDS
    return fold[lead]


def predicted(log: Aimed) -> tuple[Floats, Floats]:
    """(n) and (n): for each message the reward expected of the strategy sent, and of the target's draw, by a model fitted to the
    other folds (cross-fitting; Chernozhukov et al., Econometrics Journal 21 (2018))."""
    fold = folds_of(log.lead)
    sent, drawn = np.empty(len(fold)), np.empty(len(fold))
    for each in range(FOLDS):
        here, there = fold == each, fold != each
        rewards = table(fit(_cells(log, there)), log.segments, log.strategies)
        sent[here] = rewards[log.segment[here], log.strategy[here]]
        drawn[here] = (log.probabilities * rewards).sum(axis=1)[log.segment[here]]
    return sent, drawn


def table(posterior: Posterior, segments: list[Segment], strategies: list[Strategy]) -> Floats:
    """(S, K): the rate at the posterior's mode; a level without a coefficient counts 0."""
    known: dict[tuple[str, ...], float] = dict(zip(posterior.names, posterior.mean.tolist(), strict=True))

    def effect(*name: str) -> float:
        return known.get(name, 0.0)

    base = [effect(*INTERCEPT) + sum(map(effect, FIELDS, segment)) for segment in segments]
    log_odds = np.array(base)[:, None] + np.array([effect("strategy", *each) for each in strategies])
    for key in range(posterior.keys):
        values = sorted({each[key] for each in strategies})
        group = f"value_{key}"
        here = [
            [
                effect(group, value)
                + sum(effect(f"{group}:{field}", value, level) for field, level in zip(FIELDS, segment, strict=True))
                for value in values
            ]
            for segment in segments
        ]
        log_odds += np.array(here)[:, [values.index(each[key]) for each in strategies]]
    return np.asarray(expit(log_odds))


def _cells(log: Aimed, which: np.ndarray) -> Cells:
    """One cell for each segment and strategy, so that the model never sees single messages."""
    pair = log.segment[which] * len(log.strategies) + log.strategy[which]
    places, cell = np.unique(pair, return_inverse=True)
    segment, strategy = np.divmod(places, len(log.strategies))
    return Cells(
        [log.strategies[each] for each in strategy],
        [log.segments[each] for each in segment],
        np.bincount(cell, minlength=len(places)),
        np.bincount(cell, log.rewards[which], len(places)),
        keys=len(log.strategies[0]),
    )
