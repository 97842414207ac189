"""How good scores are, in numbers and curves that JSON can hold; of rows that were not learnt from."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from flywheel_dagster.leads.delong import estimate
from flywheel_dagster.leads.learning.calibration import describe
from flywheel_dagster.leads.learning.table import Bools, Floats

_BINS, _POINTS = 10, 100


@dataclass(frozen=True)
class Bin:
    """Leads with neighbouring scores."""

    predicted: float
    """Their mean score."""
    observed: float
    """The share that converted."""
    rows: int


@dataclass(frozen=True)
class Evaluation:
    """Of one set of scores."""

    rows: int
    converted: int
    auc: float
    auc_error: float | None
    """DeLong's standard error; None with one row of an outcome."""
    brier: float
    """The mean squared distance of score and outcome; the base rate b alone has b(1-b)."""
    log_loss: float
    """In nats a row."""
    calibration_intercept: float
    calibration_slope: float
    calibration: tuple[Bin, ...]
    """Up to ten bins of as many rows."""
    roc: tuple[tuple[float, float], ...]
    """From (0, 0) to (1, 1): the share of lost leads above a score, and that of converted ones."""


def evaluate(converted: Bools, log_odds: Floats) -> Evaluation:
    """Raises ValueError unless both outcomes are there."""
    scores = expit(log_odds)
    area = estimate(converted, log_odds)
    line = describe(converted, log_odds)
    return Evaluation(
        rows=len(converted),
        converted=int(converted.sum()),
        auc=area.value,
        auc_error=area.standard_error if np.isfinite(area.variance) else None,
        brier=float(((scores - converted) ** 2).mean()),
        log_loss=float(losses(converted, log_odds).mean()),
        calibration_intercept=line.intercept,
        calibration_slope=line.slope,
        calibration=_bins(converted, scores),
        roc=_roc(converted, scores),
    )


def losses(converted: Bools, log_odds: Floats) -> Floats:
    """(n): minus the logarithm of what was said of the outcome that came."""
    found: Floats = np.logaddexp(0.0, log_odds) - converted * log_odds
    return found


def _bins(converted: Bools, scores: Floats) -> tuple[Bin, ...]:
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return tuple(Bin(float(scores[part].mean()), float(converted[part].mean()), len(part)) for part in parts)


def _roc(converted: Bools, scores: Floats) -> tuple[tuple[float, float], ...]:
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # of each run of equal scores
    found = converted[order]
    of_converted = np.append(0.0, np.cumsum(found)[last] / found.sum())
    of_lost = np.append(0.0, np.cumsum(~found)[last] / (~found).sum())
    shown = np.unique(np.linspace(0, len(of_lost) - 1, _POINTS + 1).round().astype(int))
    return tuple(zip(of_lost[shown].tolist(), of_converted[shown].tolist(), strict=True))
