"""A lead's message comes from the model that it was assigned, or from control's; what each request cost, took and came to is on record."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import DeploymentError, PermanentModelError, SettingsError, TransientModelError
from flywheel_dagster.models.chat import Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.models.routing.asking import Limits
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.routing.providers import Provider
from flywheel_dagster.models.routing.requests import Role
from flywheel_dagster.models.routing.routed import Routed
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.replies.prices import chat_price
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.routing.making import (
    ASKED,
    CHAT,
    CONTROL,
    VARIANT,
    Fixed,
    Time,
    control,
    logged,
    registered,
    router_at,
    served_by,
    variant,
)
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]


async def ask(router: ModelRouter, **given: Any) -> Routed:
    return await router.complete(ASKED, **({"organization_id": "acme", "campaign_id": "spring", "lead_id": "ada"} | given))


def route(router: ModelRouter, **given: Any) -> Routed:
    """One message, and a clean close."""

    async def work() -> Routed:
        async with router:
            return await ask(router, **given)

    return asyncio.run(work())


def refused(router: ModelRouter, error: type[Exception], said: str) -> str:
    with pytest.raises(error, match=said) as raised:
        route(router)
    return str(raised.value)


def test_the_assigned_model_answers_and_all_of_it_is_on_record(
    model_server: Served, database: Database, connection: Connection
) -> None:
    version = registered(connection, VARIANT, "v1.1.0")
    assigned = variant(registry_id=version)
    asking = Fixed(assigned)
    said = route(router_at(model_server, database, None, assignments=asking), max_tokens=40, seed=3)

    assert asking.asked == [("acme", "spring", "ada")]
    assert said.text.startswith("Hi there,")
    assert (said.model_id, said.model_version, said.model_registry_id) == (VARIANT, "v1.1.0", version)
    assert (said.experiment_arm, said.experiment_id, said.epoch) == (Arm.VARIANT_A, assigned.experiment_id, 1)
    assert (said.role, said.fallback) == (Role.ASSIGNED, False)
    price = chat_price(VARIANT)
    assert price is not None and said.cost_usd == price.cost_usd(said.prompt_tokens, said.completion_tokens) > 0

    [row] = logged(connection)
    assert row["latency_ms"] > 0
    assert {name: row[name] for name in ("organization_id", "scope", "registry_id", "model_id", "campaign_id", "unit", "arm")} == {
        "organization_id": "acme",
        "scope": "acme",
        "registry_id": version,
        "model_id": VARIANT,
        "campaign_id": "spring",
        "unit": "lead:ada",
        "arm": "variant_a",
    }
    assert (row["role"], row["tries"], row["success"], row["error"]) == ("assigned", 1, True, None)
    assert (row["prompt_tokens"], row["completion_tokens"]) == (said.prompt_tokens, said.completion_tokens)
    assert row["cost_usd"] == said.cost_usd


def test_a_campaign_is_the_unit_where_no_lead_is_given(model_server: Served, database: Database, connection: Connection) -> None:
    route(router_at(model_server, database, control()), lead_id=None)
    assert [row["unit"] for row in logged(connection)] == ["campaign:spring"]


def test_when_the_variant_fails_control_answers_and_the_arm_stays_the_variants(
    model_server: Served, database: Database, connection: Connection
) -> None:
    of_variant, of_control = registered(connection, VARIANT, "v1.1.0"), registered(connection, CONTROL, "v1.0.0")
    assigned = variant(registry_id=of_variant, control=control(registry_id=of_control))
    model_server.set_fault(match=CHAT, kind="status", status=503)

    async def work() -> tuple[Routed, UUID]:
        async with (
            router_at(model_server, database, assigned) as router,
            OutcomeTracker(database.addresses.service) as tracker,
        ):
            said = await ask(router)
            sent = await tracker.track_message_sent(
                "acme", "spring", "ada", "email", said.text,
                model_registry_id=said.model_registry_id, experiment_arm=said.experiment_arm,
            )  # fmt: skip
            return said, sent

    said, sent = asyncio.run(work())
    assert (said.model_id, said.fallback, said.role) == (CONTROL, True, Role.FALLBACK)
    assert (said.experiment_arm, said.model_registry_id) == (Arm.VARIANT_A, of_control)
    assert connection.execute("select model_registry_id, experiment_arm from outcome_labels where id = %s", (sent,)).fetchone() == (
        of_control,
        "variant_a",
    )
    failed, answered = logged(connection)
    assert [(row["model_id"], row["arm"], row["role"], row["success"], row["error"]) for row in (failed, answered)] == [
        (VARIANT, "variant_a", "assigned", False, "unanswered"),
        (CONTROL, "variant_a", "fallback", True, None),
    ]
    assert (failed["prompt_tokens"], failed["cost_usd"], answered["cost_usd"]) == (None, None, said.cost_usd)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, "unanswered"),
        ({"kind": "drop"}, "unanswered"),
        ({"kind": "status", "status": 429}, "transient"),
        ({"kind": "status", "status": 400}, "permanent"),
        ({"kind": "answer", "answer": "refusal"}, "refused"),
        ({"kind": "answer", "content": " \n"}, "refused"),
        ({"kind": "hold"}, "timeout"),
    ],
)
def test_whatever_the_assigned_model_fails_of_control_answers(
    model_server: Served, database: Database, connection: Connection, fault: dict[str, Any], kind: str
) -> None:
    model_server.set_fault(match=CHAT, **fault)
    said = route(router_at(model_server, database, variant(), limits=Limits(timeout=1 if kind == "timeout" else 10, tries=1)))
    assert said.model_id == CONTROL
    failed, answered = logged(connection)
    assert (failed["success"], failed["error"], answered["success"]) == (False, kind, True)
    if kind == "refused":  # it was billed
        assert said.cost_usd == failed["cost_usd"] + answered["cost_usd"] > answered["cost_usd"] > 0


def test_a_model_that_nobody_serves_or_that_lacks_a_setting_falls_back_too(
    model_server: Served, database: Database, connection: Connection
) -> None:
    def without_key(model_id: str) -> Chat:
        raise SettingsError("TOGETHER_API_KEY is not set; set it")

    served = served_by(model_server)("openai", CONTROL)
    providers: dict[str, Provider] = {"together": without_key, CONTROL: served}

    async def work() -> list[Routed]:
        said = []
        for trainer in ("together", "nobody"):
            async with router_at(model_server, database, variant(trainer=trainer), providers=providers) as router:
                said.append(await ask(router))
        await served.close()
        return said

    said = asyncio.run(work())
    assert [each.model_id for each in said] == [CONTROL, CONTROL]
    assert [each.asked[0].why for each in said] == [
        "TOGETHER_API_KEY is not set; set it",
        f"nobody serves {VARIANT} (nobody): name the model or 'nobody' in the router's providers; known are together, {CONTROL}",
    ]
    assert [row["error"] for row in logged(connection)] == ["unavailable", None, "unavailable", None]


def test_what_may_pass_is_tried_again_and_retry_after_is_honoured(
    model_server: Served, database: Database, connection: Connection
) -> None:
    model_server.set_fault(match=CHAT, kind="status", status=503)
    model_server.set_fault(match=CHAT, kind="status", status=429, headers={"retry-after": "7"})
    time = Time()
    said = route(router_at(model_server, database, variant(), time, limits=Limits(tries=3)))
    assert (said.model_id, said.asked[0].tries, time.slept) == (VARIANT, 3, [1.0, 7.0])
    [row] = logged(connection)
    assert (row["tries"], row["success"], row["latency_ms"]) == (3, True, 8_000)


def test_nobody_waits_longer_than_the_limit_for_a_provider_that_wants_to_be_left_alone(
    model_server: Served, database: Database
) -> None:
    model_server.set_fault(match=CHAT, kind="status", status=429, headers={"retry-after": "60"})
    time = Time()
    said = route(router_at(model_server, database, variant(), time, limits=Limits(tries=3, limit=60)))
    assert (said.model_id, time.slept) == (CONTROL, [])


def test_permanent_errors_are_not_tried_again(model_server: Served, database: Database) -> None:
    time = Time()
    said = route(router_at(model_server, database, variant(model_id="gpt-0"), time, limits=Limits(tries=3)))
    assert (said.model_id, said.asked[0].tries, time.slept) == (CONTROL, 1, [])


def test_when_nobody_answers_the_error_names_the_models_and_not_the_lead(
    model_server: Served, database: Database, connection: Connection
) -> None:
    model_server.set_fault(match=CHAT, kind="status", status=503, times=None)
    said = refused(router_at(model_server, database, variant()), TransientModelError, "ask again later")
    assert "no model gave a message for campaign spring of acme" in said
    assert VARIANT in said and CONTROL in said and "503" in said and "ada" not in said
    assert [row["success"] for row in logged(connection)] == [False, False]


def test_without_another_model_there_is_nothing_to_fall_back_to(
    model_server: Served, database: Database, connection: Connection
) -> None:
    refused(router_at(model_server, database, control(model_id="gpt-0")), PermanentModelError, "gpt-0")
    refused(
        router_at(model_server, database, control(model_id="gpt-0", control=control(model_id="gpt-0"))),
        PermanentModelError,
        "gpt-0",
    )
    assert len(logged(connection)) == 2
    refused(router_at(model_server, database, None), DeploymentError, "nothing serves organization 'acme'")


def test_by_default_the_registry_says_whose_model_it_is(model_server: Served, database: Database, connection: Connection) -> None:
    version = registered(connection, VARIANT, "v1.0.0")
    connection.execute(
        "update model_registry set status = 'deployed', traffic_percentage = 100, ab_test_group = 'control', deployed_at = now()"
    )
    connection.commit()
    said = route(router_at(model_server, database, None))
    assert (said.model_id, said.model_registry_id, said.experiment_arm) == (VARIANT, version, Arm.CONTROL)


def test_an_answer_does_not_wait_for_its_record(model_server: Served, database: Database, connection: Connection) -> None:
    async def work() -> str:
        async with router_at(model_server, database, control()) as router:
            connection.execute("lock table model_requests in access exclusive mode")
            text = (await ask(router)).text
            assert router.logged.written == 0
            connection.rollback()
        assert router.logged.written == 1
        return text

    assert asyncio.run(work()).startswith("Hi there,")


def test_without_a_database_messages_are_written_all_the_same(model_server: Served, database: Database) -> None:
    router = router_at(model_server, database, control(), database_url="postgresql://nobody@127.0.0.1:1/none")
    assert route(router).text.startswith("Hi there,")
    assert (router.logged.written, router.logged.lost, router.logged.outages) == (0, 1, 1)


def test_the_report_is_the_same_before_and_after_writing(model_server: Served, database: Database, connection: Connection) -> None:
    async def work() -> tuple[Any, Any]:
        async with router_at(model_server, database, variant()) as router:
            model_server.set_fault(match=CHAT, kind="status", status=503)
            for _ in range(3):
                await ask(router)
            before = router.get_performance_report()
        return before, router.get_performance_report()

    before, after = asyncio.run(work())
    assert before == after
    assert list(after) == [VARIANT, CONTROL]
    assert [(each["total_requests"], each["share"], each["fallback_requests"]) for each in after.values()] == [
        (3, 0.75, 0),
        (1, 0.25, 1),
    ]
    assert after[VARIANT]["success_rate"] == pytest.approx(2 / 3)
    rows = [row for row in logged(connection) if row["success"] and row["model_id"] == VARIANT]
    assert after[VARIANT]["avg_latency_ms"] == pytest.approx(sum(row["latency_ms"] for row in rows) / 2)
    assert after[VARIANT]["total_cost"] == sum(row["cost_usd"] for row in rows)
    assert after[VARIANT]["avg_cost"] == after[VARIANT]["total_cost"] / 2


def test_the_description_prints_the_report_so(model_server: Served, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    route(router_at(model_server, database, variant(model_id="ft:unknown")))
    monkeypatch.setenv("DATABASE_URL", str(database.settings.database_url.get_secret_value()))  # type: ignore[union-attr]
    chat = OpenAIChat(CONTROL, api_key="sk-test", base_url=f"{model_server.url}/v1")

    router = ModelRouter(providers={"openai": chat})
    report = router.get_performance_report()
    said = []
    for model_id, metrics in report.items():
        said.append(f"{model_id}:")
        said.append(f"  Avg cost: ${metrics['avg_cost']:.4f}")
        said.append(f"  Avg latency: {metrics['avg_latency_ms']:.0f}ms")
        said.append(f"  Success rate: {metrics['success_rate']:.2%}")
        said.append(f"  Total requests: {metrics['total_requests']}")

    unknown = ["ft:unknown:", "  Avg cost: $NaN", "  Avg latency: nanms", "  Success rate: 0.00%", "  Total requests: 1"]
    assert said[:5] == unknown
    assert said[5] == f"{CONTROL}:" and said[8] == "  Success rate: 100.00%"


def test_what_is_known_of_a_price_is_told_and_the_rest_counted(model_server: Served, database: Database) -> None:
    async def work() -> Any:
        async with router_at(model_server, database, control(trainer="somebody")) as router:
            said = await ask(router)
            assert said.cost_usd is None
            return router.get_performance_report()[CONTROL]

    metrics = asyncio.run(work())
    assert metrics["avg_cost"].is_nan()
    assert (metrics["total_cost"], metrics["unpriced_requests"]) == (Decimal(0), 1)
