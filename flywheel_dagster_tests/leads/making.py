"""Makes leads that were scored and told of, in a world whose truth is known: visits and opens of e-mails raise the odds, a word and a number mean nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.leads.scores import Score
from flywheel_dagster.leads.writing import Lead, scorings, words_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def leads(count: int, *, start: int = 0, seed: int = 1, strength: float = 2.0) -> list[Lead]:
    """So many leads with outcomes, a third of which convert; with a strength of 0 nothing tells who."""
    random = np.random.default_rng([seed, start])
    found = []
    for number in range(start, start + count):
        visits, opens = int(random.poisson(6)), int(random.poisson(4))
        odds = strength * (0.5 * (visits - 6) + 0.4 * (opens - 4)) - 0.7
        features: dict[str, Any] = {
            "website_visits": visits,
            "email_opens": opens,
            "age": int(random.integers(20, 65)),
            "lead_source": str(random.choice(["Webinar", "Referral", "Organic"])),
        }
        found.append(Lead(f"lead {number:05}", features, bool(random.random() < 1 / (1 + np.exp(-odds)))))
    return found


def score(
    connection: psycopg.Connection[TupleRow],
    given: list[Lead],
    *,
    organization: str = "acme",
    at: datetime = NEW_YEAR,
    version: str = "prior",
    scores: list[float] | None = None,
    late: bool = False,
) -> None:
    """Writes scorings as the API does."""
    made = [Score(each, "low", []) for each in scores or [0.2] * len(given)]
    of = [Lead(lead.lead_id, lead.features, scored_at=at) for lead in given]
    values = scorings(organization, of, made, version, source="api", late=late)
    connection.execute(statement("write_lead_scores"), values)
    connection.commit()


def tell(
    connection: psycopg.Connection[TupleRow], given: list[Lead], *, organization: str = "acme", at: datetime | None = None
) -> None:
    """Says what became of leads, one an hour."""
    begin = at or NEW_YEAR + timedelta(days=30)
    said = [(lead.lead_id, lead.outcome, begin + timedelta(hours=hour)) for hour, lead in enumerate(given)]
    connection.execute(statement("tell_leads"), words_of(organization, said, source="feedback", told_by="test"))
    connection.commit()


def told(
    connection: psycopg.Connection[TupleRow],
    count: int,
    *,
    start: int = 0,
    seed: int = 1,
    strength: float = 2.0,
    organization: str = "acme",
    late: bool = False,
) -> list[Lead]:
    """Leads that were scored, and told of later; each further lot is later than the ones before."""
    given = leads(count, start=start, seed=seed, strength=strength)
    score(connection, given, organization=organization, at=NEW_YEAR + timedelta(days=start), late=late)
    tell(connection, given, organization=organization, at=NEW_YEAR + timedelta(days=30 + start))
    return given
