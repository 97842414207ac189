"""Routers at the local model server over real HTTP, and what they are told."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.models.chat import Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.models.routing.asking import Limits
from flywheel_dagster.models.routing.assigned import Assigned
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.routing.providers import Open
from flywheel_dagster.models.routing.requests import ModelRequest, Role
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served

CHAT = "POST /v1/chat/completions"
ASKED = [
    {"role": "system", "content": "You write sales messages."},
    {"role": "user", "content": "Write a message for:\nIndustry: retail"},
]
VARIANT, CONTROL = "gpt-4o-mini-2024-07-18", "gpt-6-luna"


class Time:
    """A clock that only sleeping moves; `slept` lists the seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Pass the time, in no time."""
        self.now += seconds
        self.slept.append(seconds)


class Fixed:
    """Assigns the same to everybody; `asked` lists who asked."""

    def __init__(self, assigned: Assigned) -> None:
        self.assigned = assigned
        self.asked: list[tuple[str, str, str | None]] = []

    async def get_model_for_request(self, organization_id: str, campaign_id: str, lead_id: str | None = None) -> Assigned:
        """The assignment."""
        self.asked.append((organization_id, campaign_id, lead_id))
        return self.assigned


def control(**given: Any) -> Assigned:
    """The control of scope global, without an experiment."""
    return replace(Assigned(None, CONTROL, "v1.0.0", "openai", "global", Arm.CONTROL), **given)


def variant(**given: Any) -> Assigned:
    """A variant in an experiment, whose control may answer instead."""
    usual = Assigned(None, VARIANT, "v1.1.0", "openai", "acme", Arm.VARIANT_A, uuid4(), 1, exposed=True, control=control())
    return replace(usual, **given)


def served_by(server: Served) -> Open:
    """Every model, of any trainer, at this server."""

    def opened(trainer: str, model_id: str) -> Chat:
        return OpenAIChat(model_id, api_key="sk-test", base_url=f"{server.url}/v1", retries=0)

    return opened


def router_at(server: Served, database: Database, assigned: Assigned | None, time: Time | None = None, **given: Any) -> ModelRouter:
    """A router whose pauses take no time, and that asks once unless said otherwise."""
    usual: dict[str, Any] = {
        "assignments": None if assigned is None else Fixed(assigned),
        "database_url": database.addresses.service,
        "limits": Limits(tries=1),
    }
    if time is not None:
        usual |= {"sleep": time.sleep, "clock": time.clock}
    return ModelRouter(given.pop("providers", served_by(server)), **(usual | given))


def request(**given: Any) -> ModelRequest:
    """A request that was answered."""
    usual = ModelRequest(
        id=uuid4(),
        organization_id="acme",
        scope="global",
        registry_id=None,
        model_id=CONTROL,
        campaign_id="spring",
        unit="lead:ada",
        arm=Arm.CONTROL,
        role=Role.ASSIGNED,
        asked_at=datetime.now(UTC),
        latency_ms=100.0,
        tries=1,
        success=True,
        error=None,
        prompt_tokens=100,
        completion_tokens=50,
        cost_usd=Decimal("0.0001"),
    )
    return replace(usual, **given)


def registered(connection: psycopg.Connection[TupleRow], model_id: str, version: str) -> UUID:
    """The id of a registered version of scope global."""
    row = connection.execute(
        "insert into model_registry (model_id, model_version, base_model, trainer) values (%s, %s, 'b', 'openai') returning id",
        (model_id, version),
    ).fetchone()
    connection.commit()
    assert row is not None
    found: UUID = row[0]
    return found


def logged(connection: psycopg.Connection[TupleRow]) -> list[dict[str, Any]]:
    """What the table has, in the order of asking."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from model_requests order by asked_at, model_id").fetchall()
    connection.commit()
    return rows
