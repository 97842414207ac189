"""The example, run as its reader would: an agent, the local model server, the real webhooks, and strategies that move."""

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.strategies.integration import AgentOutcomeIntegration
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.serving import serving
from flywheel_dagster_tests.sandbox.model_server.served import Served

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_whole_circle(
    database: Database, model_server: Served, connection: psycopg.Connection[TupleRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.settings.database_url is not None
    model_server.stand_in(database.settings.home)
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    monkeypatch.setenv("FLYWHEEL_HOME", str(database.settings.home))
    monkeypatch.syspath_prepend(EXAMPLES)
    try:
        from whole_circle import LEADS, whole_circle

        with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as ingester:
            found = asyncio.run(whole_circle(f"http://127.0.0.1:{ingester.port}", "example"))
    finally:
        for name in ("whole_circle", "sales_agent"):
            sys.modules.pop(name, None)
    before, after = ({row["strategy"]: row for row in found[when]} for when in ("before", "after"))
    best = found["after"][0]
    assert str(best["strategy"]).startswith("PAS") and best["estimate"] > 0.5
    assert (
        sum(row["total_sent"] for row in before.values()) == LEADS // 2
        and sum(row["total_sent"] for row in after.values()) == LEADS
    )
    assert sum(asyncio.run(_odds())[name] for name in ("PAS_professional", "PAS_casual")) > 0.75, "and most is sent as it"
    told = connection.execute(
        "select count(*), count(*) filter (where delivered and opened), count(*) filter (where replied and meeting_booked and deal_closed and deal_value = 9000),"
        " count(strategy_propensity), count(model_registry_id) from outcome_labels where organization_id = 'example'"
    ).fetchone()
    assert (
        told is not None
        and told[0] == told[1] == told[3] == told[4] == LEADS
        and told[2] == sum(row["deals"] for row in after.values()) > LEADS // 4
    )


async def _odds() -> dict[str, float]:
    async with AgentOutcomeIntegration() as outcomes:
        return (
            await outcomes.suggest_strategy("example", {"industry": "SaaS", "role": "VP Sales"}, metric="reply_rate")
        ).probabilities


def test_the_agent_is_as_short_as_it_says() -> None:
    code = (EXAMPLES / "sales_agent.py").read_text().split("@dataclass")[1].splitlines()
    assert len([line for line in code if line.strip() and '"""' not in line]) <= 30
