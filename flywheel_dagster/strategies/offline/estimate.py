"""What a target policy would have earned a message, from messages that another policy sent: three estimates with intervals, and
how far to trust them."""

from typing import NamedTuple

import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.estimate.cells import Codes, Floats
from flywheel_dagster.strategies.offline.interval import interval
from flywheel_dagster.strategies.offline.logged import Logged, Target, aimed
from flywheel_dagster.strategies.offline.outcome_model import predicted


class Value(NamedTuple):
    """A mean reward a message, with its 95 % interval."""

    estimate: float
    lower: float
    upper: float
    standard_error: float


class Estimates(NamedTuple):
    """Of one policy. Where the three differ by more than their errors, trust none of them."""

    ips: Value
    """Inverse propensity: unbiased, wide."""
    snips: Value
    """Self-normalised: hardly biased, narrower, never outside the rewards' range."""
    dr: Value
    """Doubly robust: the outcome model's prediction, corrected by weighted residuals. As unbiased as the first, narrowest if the
    model is any good."""
    effective_sample_size: float
    """So many messages sent by the target itself would tell as much (Kish 1965)."""
    largest_weight: float
    clipped: float
    """Share of messages whose weight was cut."""
    unsupported: float
    """Share of the target's draws that the log couldn't have made, at least: strategies of which it has none, and those that weren't allowed for some of its
    messages. Nothing is known of these."""
    messages: int
    leads: int


def estimate(logged: Logged, target: Target, *, clip: float | None = None) -> Estimates:
    """The value of the target policy over the log's own segments.

    IPS: the mean of w·r with w = target's probability / propensity (Horvitz & Thompson 1952). SNIPS: Σ w·r / Σ w (Swaminathan &
    Joachims, NeurIPS 2015). DR: the mean of Σ_a target(a)·q(a) + w·(r - q(sent)), with q cross-fitted by lead (Dudík, Langford &
    Li, ICML 2011; AIPW of Robins, Rotnitzky & Zhao 1994). Intervals are clustered by lead and allow for skewness (`interval`). By
    default no weight is cut; `clip` cuts those above it, which trades variance for bias. A log that an adaptive policy gathered
    keeps IPS unbiased, and DR nearly so, as long as propensities are those of the time and none is tiny; that intervals still cover
    then is shown by simulation, not by theory (Hadad et al., PNAS 118 (2021)). Raises InputError for fewer than two leads, and for a
    clip of 0 or less.

    Weights have the mean 1 where every draw of the target could have been made in the log; where their interval lies below 1, some couldn't.
    """
    if clip is not None and clip <= 0:
        raise InputError(f"clip is {clip}; give a largest weight above 0, or None for no cut")
    log = aimed(logged, target)
    leads = int(log.lead.max()) + 1
    if leads < 2:
        raise InputError("all logged messages went to one lead; an interval needs at least two leads")
    full = log.weights
    weights = full if clip is None else np.minimum(full, clip)
    sent, drawn = predicted(log)
    ratio = float((weights * log.rewards).sum() / weights.sum()) if weights.any() else np.nan
    scores = weights * (log.rewards - ratio) / weights.mean() + ratio if weights.any() else np.full(len(logged), np.nan)
    return Estimates(
        ips=_value(weights * log.rewards, log.lead),
        snips=_value(scores, log.lead),
        dr=_value(drawn + weights * (log.rewards - sent), log.lead),
        effective_sample_size=float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0,
        largest_weight=float(full.max()),
        clipped=float((full > weights).mean()),
        unsupported=max(log.unsupported, 1 - _value(full, log.lead).upper),
        messages=len(logged),
        leads=leads,
    )


def _value(scores: Floats, lead: Codes) -> Value:
    """The mean of scores, one a message."""
    mean = float(scores.mean())
    error, lower, upper = interval(mean, np.asarray(np.bincount(lead, scores - mean), dtype=np.float64), len(scores))
    return Value(mean, lower, upper, error)
