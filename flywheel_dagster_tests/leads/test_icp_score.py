"""With the setting, a message's icp_score is what the lead was scored with last when it was sent."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flywheel_dagster.outcomes.ledger import send
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster_tests.api.serving import serving
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.scoring import BEGIN, Connection, scored
from flywheel_dagster_tests.outcomes.making import message, row_of


def sent(database: Database, **given: Any) -> Any:
    async def track() -> Any:
        async with OutcomeTracker(database.addresses.service) as tracker:
            return await tracker.track_message_sent("acme", "spring", given.pop("lead_id", "ada"), "email", "Hi", **given)

    return asyncio.run(track())


@pytest.fixture
def ada(connection: Connection) -> None:
    """Scored twice, and another organization's ada once."""
    scored(connection, day=0)
    scored(connection, day=10)
    scored(connection, organization="rival")


def test_without_the_setting_nothing_is_taken(database: Database, connection: Connection, ada: None) -> None:
    assert row_of(connection, sent(database))["icp_score"] is None


def test_the_newest_score_of_that_moment_is_taken(
    database: Database, connection: Connection, owner: Connection, ada: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_ICP_FROM_LEAD_SCORES", "true")
    owner.execute("update lead_scorings set conversion_score = 0.9 where scored_at > %s", (BEGIN + timedelta(days=5),))
    owner.execute("update lead_scorings set conversion_score = 0.5 where organization_id = 'rival'")
    owner.commit()
    assert row_of(connection, sent(database))["icp_score"] == 0.9
    assert row_of(connection, sent(database, sent_at=BEGIN + timedelta(days=3)))["icp_score"] == 0.2
    assert row_of(connection, sent(database, sent_at=BEGIN - timedelta(days=3)))["icp_score"] is None
    assert row_of(connection, sent(database, lead_context={"icp_score": 0.4}))["icp_score"] == 0.4
    assert row_of(connection, sent(database, lead_id="nobody"))["icp_score"] is None
    past = message(sent_at=datetime.now(UTC))
    send(connection, [past])
    assert row_of(connection, past.id)["icp_score"] is None


def test_agents_by_http_get_it_too(database: Database, connection: Connection, ada: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_ICP_FROM_LEAD_SCORES", "true")
    sent_by = {"campaign_id": "spring", "lead_id": "ada", "channel": "email", "message_body": "Hi"}
    with serving(database) as api:
        (outcome,) = api.asking("acme").post("/strategies/messages", json=sent_by).json()["outcome_ids"]
    assert row_of(connection, outcome)["icp_score"] == 0.2
