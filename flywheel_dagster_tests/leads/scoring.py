"""Leads as tests need them: scored at some time, told of, and models that were really learnt."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.leads.learning.learn import learn
from flywheel_dagster.leads.learning.storage import dump
from flywheel_dagster.leads.learning.table import TrainingTable
from flywheel_dagster.leads.scores import Prior, Thresholds
from flywheel_dagster.leads.writing import Lead, scorings, words_of

Connection = psycopg.Connection[TupleRow]
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def scored(
    connection: Connection, lead_id: str = "ada", day: float = 0, *, organization: str = "acme", late: bool = False, **features: Any
) -> None:
    """The lead was scored so many days after BEGIN."""
    lead = Lead(lead_id, features, scored_at=BEGIN + timedelta(days=day))
    prior = Prior(0.2, 0, 0, Thresholds(0.7, 0.4))
    values = scorings(organization, [lead], prior.score([features]), prior.version, source="api", late=late)
    connection.execute(statement("write_lead_scores"), values)
    connection.commit()


def told(
    connection: Connection,
    outcome: bool | None,
    day: float = 1,
    *,
    lead_id: str = "ada",
    organization: str = "acme",
    source: str = "feedback",
) -> tuple[bool, bool]:
    """Somebody said so, so many days after BEGIN; whether the lead is known, and the word new."""
    values = words_of(organization, [(lead_id, outcome, BEGIN + timedelta(days=day))], source=source, told_by="tests")
    row = connection.execute(statement("tell_leads"), values).fetchone()
    connection.commit()
    assert row is not None
    return row[0], row[1]


def outcome_of(connection: Connection, lead_id: str = "ada", organization: str = "acme") -> bool | None:
    """What is in force."""
    row = connection.execute(
        "select actual_outcome from lead_scores where organization_id = %s and lead_id = %s", (organization, lead_id)
    ).fetchone()
    connection.rollback()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def training_rows(connection: Connection, organization: str = "acme") -> list[dict[str, Any]]:
    """What is learnt from."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "select * from lead_training_rows where organization_id = %s order by lead_id", (organization,)
        ).fetchall()
    connection.rollback()
    return rows


def deployed(connection: Connection, organization: str = "acme", version: str = "1.0", *, rising: bool = True) -> None:
    """A version that learnt that email_opens help (or, falling, that they harm), and that scores from now on."""
    connection.execute("insert into organizations (id) values (%s) on conflict do nothing", (organization,))
    row = connection.execute(
        "insert into lead_models (organization_id, version, estimator, artifact, data_sha256, options_sha256, rows, feedback_through, metrics, card)"
        " values (%s, %s, 'logistic', %s, %s, repeat('0', 64), 120, 0, %s, %s) returning id",
        (organization, version, _learnt(rising), f"{int(version.split('.')[1]):064x}", Jsonb({}), Jsonb({})),
    ).fetchone()
    assert row is not None
    connection.execute(
        "insert into lead_decisions (organization_id, model_id, action, reason, decided_by) values (%s, %s, 'deploy', 'test', 'test')",
        (organization, row[0]),
    )
    connection.commit()


@cache
def _learnt(rising: bool) -> bytes:
    chance = np.random.default_rng(5)
    opens = chance.integers(0, 30, 120)
    converted = (chance.random(120) < 1 / (1 + np.exp(-(opens - 15) / 4))) == rising
    features = [{"email_opens": int(each), "industry": "Technology"} for each in opens]
    names = [str(number) for number in range(120)]
    return dump(learn(TrainingTable(features, converted, names, None, names)).model)
