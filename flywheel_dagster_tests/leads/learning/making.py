"""Leads made up for tests, whose true odds are known."""

from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import expit

from flywheel_dagster.leads.learning.table import Bools, Floats, TrainingTable

SOURCES = ("Webinar", "Referral", "Cold Call", "Organic")
_BY_SOURCE = np.array([0.5, 1.2, -1.0, 0.0])


def leads(rows: int, *, seed: int = 0, intercept: float = -0.5, strength: float = 1.0) -> tuple[list[dict[str, object]], Floats]:
    """Features, and the true probability that each lead converts."""
    random = np.random.default_rng(seed)
    visits, age = random.poisson(4, rows), random.normal(45, 12, rows).round()
    source = random.integers(0, len(SOURCES), rows)
    log_odds = intercept + strength * (0.5 * (visits - 4) - 0.02 * (age - 45) + _BY_SOURCE[source])
    features: list[dict[str, object]] = [
        {"website_visits": int(visits[row]), "age": int(age[row]), "lead_source": SOURCES[source[row]]} for row in range(rows)
    ]
    for row in np.flatnonzero(random.random(rows) < 0.15).tolist():
        features[row]["age"] = None
    return features, expit(log_odds)


def table(
    features: list[dict[str, object]], converted: Bools, *, groups: list[str] | None = None, days: bool = False
) -> TrainingTable:
    rows = len(features)
    start = datetime(2026, 1, 5, tzinfo=UTC)
    return TrainingTable(
        features=features,
        converted=converted,
        groups=groups or [f"group {row}" for row in range(rows)],
        told_at=[start + timedelta(hours=row) for row in range(rows)] if days else None,
        lead_ids=[f"lead {row}" for row in range(rows)],
    )


def made(rows: int, *, seed: int = 0, intercept: float = -0.5, strength: float = 1.0, days: bool = False) -> TrainingTable:
    """A table whose outcomes are drawn from the truth."""
    features, truth = leads(rows, seed=seed, intercept=intercept, strength=strength)
    return table(features, np.random.default_rng([seed, 1]).random(rows) < truth, days=days)
