"""Writes scorings and what is said of leads, as values of the named statements; whoever calls has the connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flywheel_dagster.leads.fields import STANDARD, Features
from flywheel_dagster.leads.scores import Score
from flywheel_dagster.outcomes.events import json_bytes


@dataclass(frozen=True)
class Lead:
    """A lead as somebody showed it: its features then, and its outcome where that came along. `scored_at` None: now."""

    lead_id: str
    features: Features
    outcome: bool | None = None
    scored_at: datetime | None = None


def scorings(
    organization_id: str, leads: Sequence[Lead], scores: Sequence[Score], version: str, *, source: str, late: bool | None = None
) -> dict[str, Any]:
    """The parameters of `write_lead_scores`. `late` says whether the features may know the outcome; by default where one came along."""
    items = [
        {
            "lead_id": lead.lead_id,
            "features": lead.features,
            "conversion_score": score.conversion_score,
            "risk_category": score.risk_category,
            "reasons": score.reasons,
            "with_outcome": lead.outcome is not None if late is None else late,
            "scored_at": lead.scored_at,
        }
        for lead, score in zip(leads, scores, strict=True)
    ]
    return {
        "organization_id": organization_id,
        "scorings": json_bytes(items).decode(),
        "standard": list(STANDARD),
        "model_version": version,
        "source": source,
    }


def words_of(
    organization_id: str, said: Sequence[tuple[str, bool | None, datetime | None]], *, source: str, told_by: str | None
) -> dict[str, Any]:
    """The parameters of `tell_leads`: lead, outcome (None takes back), and the fact's own time (None: now)."""
    return {
        "organization_id": organization_id,
        "lead_ids": [lead for lead, _, _ in said],
        "outcomes": [outcome for _, outcome, _ in said],
        "told_at": [at for _, _, at in said],
        "source": source,
        "told_by": told_by,
    }
