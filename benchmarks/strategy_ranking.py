"""Whether strategies are ranked as in truth, by shrunken estimates and by raw rates, and what other organisations' findings add."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from benchmarks.simulated_strategies import (
    WORTH,
    Assignment,
    Market,
    Sent,
    by_icp,
    by_segment,
    cells,
    drawn_world,
    evenly,
    market,
    send,
    unevenly,
)
from flywheel_dagster.strategies.dimensions import RATES
from flywheel_dagster.strategies.estimate.fit import fit_rates
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.prior import Prior, population_prior
from flywheel_dagster.strategies.estimate.ranking import standardised


class Setting(NamedTuple):
    """How messages come to their strategies, and how much strategies depend on the segment."""

    name: str
    assign: Assignment
    interaction: float = 0.0


SETTINGS = (
    Setting("evenly", evenly),
    Setting("100 : 1", unevenly),
    Setting("by segment", by_segment),
    Setting("by segment, which matters", by_segment, 0.15),
    Setting("by lead, unseen", by_icp),
)
MESSAGES = (200, 2_000, 20_000)


class Ranks(NamedTuple):
    """Of one seed, by metric (reply, meeting, close, performance)."""

    shrunken: np.ndarray
    """Rank correlation with the truth (Spearman)."""
    raw: np.ndarray
    covered: np.ndarray
    """Share of the 95 % intervals that hold the truth."""


def learnt(of: Market, sent: Sent, priors: Mapping[str, Prior] | None = None) -> dict[str, Posterior]:
    """Posteriors when everything has had its time."""
    whole = np.ones(len(sent.strategy))
    by_metric = zip(RATES, sent.outcomes, strict=True)
    return fit_rates({name: cells(of, sent.strategy, sent.segment, whole, each) for name, each in by_metric}, priors=priors)


def ranks(seed: int, messages: int, setting: Setting) -> Ranks:
    of = market(drawn_world(seed), interaction=setting.interaction, seed=seed)
    sent = send(np.random.default_rng([seed, messages]), of, messages, setting.assign)
    seen = np.bincount(sent.segment, minlength=len(of.segments))
    draws = standardised(
        learnt(of, sent), of.strategies, {of.segments[place]: float(seen[place]) for place in np.flatnonzero(seen)}
    )
    rates = np.stack([draws[name] for name in RATES])
    believed = np.concatenate([rates, np.tensordot(WORTH, rates, axes=1)[None]])
    truth = np.vstack([of.rates(), WORTH @ of.rates()])
    tried = np.bincount(sent.strategy, minlength=len(of.strategies))
    raw = [
        np.where(tried > 0, np.bincount(sent.strategy, each, len(of.strategies)) / np.maximum(tried, 1), each.mean())
        for each in (*sent.outcomes, sent.values)
    ]
    lower, upper = np.quantile(believed, [0.025, 0.975], axis=-1)
    return Ranks(
        np.array([_spearman(*pair) for pair in zip(believed.mean(axis=-1), truth, strict=True)]),
        np.array([_spearman(*pair) for pair in zip(raw, truth, strict=True)]),
        ((lower <= truth) & (truth <= upper)).mean(axis=1),
    )


def _spearman(one: np.ndarray, two: np.ndarray) -> float:
    """0 where all are alike."""
    return 0.0 if np.ptp(one) == 0 else float(np.corrcoef(rankdata(one), rankdata(two))[0, 1])


OTHERS, OTHERS_MESSAGES, APART = 5, 5_000, 0.5


def newcomer(seed: int, messages: int) -> np.ndarray:
    """(2, 4): rank correlations by metric of an organisation with so many messages, alone, and with what OTHERS found;
    organisations differ half as much as strategies do."""
    posteriors = []
    for organization in range(OTHERS):
        of = market(drawn_world(seed, small=True, organization=organization + 1, apart=APART))
        posteriors.append(learnt(of, send(np.random.default_rng([seed, 6, organization]), of, OTHERS_MESSAGES, unevenly)))
    priors = {name: prior for name in RATES if (prior := population_prior(each[name] for each in posteriors)) is not None}
    of = market(drawn_world(seed, small=True, apart=APART))
    sent = send(np.random.default_rng([seed, 7]), of, messages, evenly)
    truth = np.vstack([of.rates(), WORTH @ of.rates()])
    mix = dict(zip(of.segments, of.mix.tolist(), strict=True))
    found = []
    for known in ({}, priors):
        draws = standardised(learnt(of, sent, known), of.strategies, mix)
        rates = np.stack([draws[name].mean(axis=1) for name in RATES])
        believed = np.vstack([rates, WORTH @ rates])
        found.append([_spearman(*pair) if messages or known else 0.0 for pair in zip(believed, truth, strict=True)])
    return np.array(found)
