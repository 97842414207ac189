"""Outside experiments a policy says which models are asked: split by complexity, or several at once for the best answer."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError, PermanentModelError
from flywheel_dagster.models.chat import Messages
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.complexity import ComplexitySplit, Tier
from flywheel_dagster.models.routing.ensemble import Ensemble, best_of
from flywheel_dagster.models.routing.requests import Role
from flywheel_dagster.models.routing.routed import Routed
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.routing.making import CHAT, CONTROL, VARIANT, control, logged, registered, router_at, variant
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]

SMALL, LARGE, GONE = Target("gpt-4o-mini", "openai"), Target("gpt-4o", "openai"), Target("gpt-0", "openai")
SPLIT = ComplexitySplit([Tier(0.4, SMALL), Tier(1, LARGE)])
SIMPLE = [{"role": "user", "content": "Write a message for:\nChannel: sms"}]
COMPLEX = [{"role": "user", "content": "You must mention the price, but never a name.\n" + "- a rule without exception\n" * 300}]


def longest(asked: Messages, texts: Sequence[str]) -> list[float]:
    return [float(len(text)) for text in texts]


def route(router: ModelRouter, *conversations: Messages) -> list[Routed]:
    async def work() -> list[Routed]:
        async with router:
            return [
                await router.complete(each, organization_id="acme", campaign_id="spring", lead_id="ada", seed=1, language="en")
                for each in conversations
            ]

    return asyncio.run(work())


def test_simple_requests_go_to_the_small_model_and_complex_ones_to_the_large(
    model_server: Served, database: Database, connection: Connection
) -> None:
    router = router_at(model_server, database, None, policy=SPLIT)
    said = route(router, SIMPLE, SIMPLE, SIMPLE, COMPLEX)
    assert [each.model_id for each in said] == ["gpt-4o-mini", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o"]
    assert {(each.role, each.experiment_arm, each.model_registry_id) for each in said} == {(Role.COMPLEXITY, None, None)}
    assert {(row["role"], row["arm"]) for row in logged(connection)} == {("complexity", None)}
    report = router.get_performance_report(role=Role.COMPLEXITY)
    assert {model_id: metrics["share"] for model_id, metrics in report.items()} == {"gpt-4o-mini": 0.75, "gpt-4o": 0.25}
    assert report["gpt-4o"]["total_cost"] == said[3].cost_usd


@pytest.mark.parametrize("policy", [SPLIT, Ensemble([SMALL, LARGE], longest)])
def test_whoever_is_in_an_experiment_gets_the_arms_model(model_server: Served, database: Database, policy: Any) -> None:
    [said] = route(router_at(model_server, database, variant(), policy=policy), COMPLEX)
    assert (said.model_id, said.role) == (VARIANT, Role.ASSIGNED)


def test_a_tier_may_be_the_assigned_model_which_also_answers_when_another_tier_fails(
    model_server: Served, database: Database, connection: Connection
) -> None:
    version = registered(connection, CONTROL, "v1.0.0")
    split = ComplexitySplit([Tier(0.4, None), Tier(1, GONE)])
    simple, hard = route(router_at(model_server, database, control(registry_id=version), policy=split), SIMPLE, COMPLEX)
    assert (simple.model_id, simple.model_registry_id, simple.role) == (CONTROL, version, Role.COMPLEXITY)
    assert (hard.model_id, hard.model_registry_id, hard.role) == (CONTROL, version, Role.FALLBACK)


def test_where_nothing_serves_the_last_tier_answers_for_one_that_fails(model_server: Served, database: Database) -> None:
    [said] = route(router_at(model_server, database, None, policy=ComplexitySplit([Tier(0.4, GONE), Tier(1, LARGE)])), SIMPLE)
    assert (said.model_id, said.fallback) == ("gpt-4o", True)
    with pytest.raises(InputError, match="leaves the model to the registry"):
        route(router_at(model_server, database, None, policy=ComplexitySplit([Tier(1, None)])), SIMPLE)


def test_an_ensemble_keeps_the_answer_that_is_ranked_first_and_pays_for_all(
    model_server: Served, database: Database, connection: Connection
) -> None:
    seen: list[tuple[Messages, list[str]]] = []

    def second(asked: Messages, texts: Sequence[str]) -> list[float]:
        seen.append((asked, list(texts)))
        return [0.2, 0.9]

    [said] = route(router_at(model_server, database, control(), policy=Ensemble([None, LARGE], second)), SIMPLE)
    assert (said.model_id, said.role, len(seen[0][1])) == ("gpt-4o", Role.ENSEMBLE, 2)
    assert (seen[0][0], said.text) == (SIMPLE, seen[0][1][1])
    rows = logged(connection)
    assert {(row["model_id"], row["role"], row["success"]) for row in rows} == {
        (CONTROL, "ensemble", True),
        ("gpt-4o", "ensemble", True),
    }
    assert said.cost_usd == sum(row["cost_usd"] for row in rows)
    assert said.completion_tokens == sum(row["completion_tokens"] for row in rows)


def test_a_member_that_fails_does_not_fail_the_request(model_server: Served, database: Database, connection: Connection) -> None:
    [said] = route(router_at(model_server, database, None, policy=Ensemble([GONE, SMALL], longest)), SIMPLE)
    assert (said.model_id, said.asked[0].why.startswith("asking gpt-0 failed")) == ("gpt-4o-mini", True)
    assert sorted(row["error"] or "" for row in logged(connection)) == ["", "permanent"]


def test_when_all_members_fail_the_error_says_so(model_server: Served, database: Database) -> None:
    model_server.set_fault(match=CHAT, kind="answer", answer="refusal", times=None)
    with pytest.raises(PermanentModelError, match=r"gpt-4o-mini \(it wrote nothing .*gpt-4o \(it wrote nothing"):
        route(router_at(model_server, database, None, policy=Ensemble([SMALL, LARGE], longest)), SIMPLE)


def test_members_are_asked_at_the_same_time(model_server: Served, database: Database) -> None:
    async def work() -> Routed:
        async with router_at(
            model_server, database, None, policy=Ensemble([SMALL, LARGE, Target(CONTROL, "openai")], longest)
        ) as router:
            model_server.set_fault(match=CHAT, kind="hold", times=3)
            asking = asyncio.create_task(router.complete(SIMPLE, organization_id="acme", campaign_id="spring"))
            async with asyncio.timeout(10):
                while await asyncio.to_thread(lambda: model_server.http.get("/sandbox/faults").json()["faults"]):
                    pass  # until the third is held, too
            await asyncio.to_thread(model_server.http.delete, "/sandbox/faults")
            return await asking

    assert len(asyncio.run(work()).asked) == 3


def test_the_best_is_the_first_of_the_highest_and_nan_is_the_lowest() -> None:
    assert best_of([0.1, 0.5, 0.5], 3) == 1
    assert best_of([math.nan, -5.0], 2) == 1
    assert best_of([math.nan, math.nan], 2) == 0
    with pytest.raises(InputError, match="1 scores for 2 messages"):
        best_of([1.0], 2)
    with pytest.raises(InputError, match="at least two models"):
        Ensemble([SMALL, SMALL], longest)
