"""`ModelRegistry`, as programs use it: the description's own calls, and what they refuse."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import DatabaseError, DeploymentError, InputError, UnknownModelError
from flywheel_dagster.models.model_registry import ModelRegistry
from flywheel_dagster.models.registry import upcoming_version
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.outcomes.making import event, message

Connection = psycopg.Connection[TupleRow]
T = TypeVar("T")
Do = Callable[[Callable[[ModelRegistry], Awaitable[Any]]], Any]
FT = "ft:gpt-4o-mini-2024-07-18:rekindle:v1-0-0:xyz789"


@pytest.fixture
def do(database: Database) -> Do:
    """Runs a program with a registry, as kim."""

    def run(program: Callable[[ModelRegistry], Awaitable[T]]) -> T:
        async def work() -> T:
            async with ModelRegistry(database.addresses.service, actor="kim") as registry:
                return await program(registry)

        return asyncio.run(work())

    return run


def one(connection: Connection, query: str, *values: object) -> TupleRow:
    row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
    connection.commit()
    assert row is not None
    return row


def write(connection: Connection, wrote: UUID, count: int, *, replies: int = 0, organization: str = "acme") -> None:
    """Messages that a model wrote, of which so many were answered."""
    sent = [message(lead_id=f"{wrote}-{number}", model_registry_id=wrote, organization_id=organization) for number in range(count)]
    send(connection, sent)
    record(connection, [event(each.id, "replied", text="Yes") for each in sent[:replies]])
    connection.commit()


def test_phase_four_of_the_deployment_guide_runs_as_written(do: Do, connection: Connection) -> None:
    async def phase_four(registry: ModelRegistry) -> Any:
        model_id = await registry.register_model(
            model_id=FT,
            model_version="v1.0.0",
            training_stats={"total_examples": 89, "avg_quality_score": 0.68, "training_duration_mins": 45},
        )
        await registry.set_baseline_model(model_id="baseline", model_version="gpt-4o-mini")
        await registry.deploy_model(model_id=model_id, traffic_percentage=10.0, ab_test_group="variant_a")
        selected_model = await registry.get_model_for_request(organization_id="org_123", campaign_id="camp_456")
        previous_model_id = await registry.compare_to_baseline(model_id)
        await registry.promote_model(model_id=model_id, traffic_percentage=100.0)
        return selected_model, previous_model_id["baseline_id"]

    selected, baseline = do(phase_four)
    assert selected["model_id"] in (FT, "gpt-4o-mini")
    assert selected["arm"] in ("variant_a", "control")
    with pytest.raises(KeyError):
        selected["target"]
    assert arms(connection, "global") == {"control": ("v1.0.0", 100)}
    assert one(connection, "select training_examples_count, base_model, trainer from model_registry where model_id = %s", FT) == (
        89, "gpt-4o-mini-2024-07-18", "openai",
    )  # fmt: skip
    with pytest.raises(DeploymentError, match="is the baseline of global: set another baseline first"):
        do(lambda registry: registry.deprecate_model(baseline))
    do(lambda registry: registry.set_baseline_model(FT))
    assert do(lambda registry: registry.deprecate_model(baseline)).status == "archived"


def test_the_sequence_of_the_training_pipeline_runs_as_written(do: Do, connection: Connection) -> None:
    async def sequence(registry: ModelRegistry) -> Any:
        registry_id = await registry.register_model(
            model_id="ft:gpt-4:org:rekindle-v2-1-0:xyz",
            model_version="v2.1.0",
            base_model="gpt-4o-2024-08-06",
            fine_tuning_job_id="ftjob-abc123",
            training_stats={"training_examples_count": 500, "positive_examples": 350, "deals_in_training": 50},
        )
        await registry.deploy_model(registry_id=registry_id, traffic_percentage=100.0, ab_test_group="control")
        await registry.update_model_performance(
            registry_id=registry_id, messages_sent=100, replies=12, meetings_booked=5, deals_closed=2, revenue=30000.0
        )
        return registry_id, await registry.get_leaderboard(min_samples=100)

    registry_id, leaderboard = do(sequence)
    assert leaderboard == [], "what was measured elsewhere is kept apart"
    assert one(
        connection,
        "select base_model, fine_tuning_job_id, training_examples_count, positive_examples, deals_in_training from model_registry where id = %s",
        registry_id,
    ) == ("gpt-4o-2024-08-06", "ftjob-abc123", 500, 350, 50)


def test_a_model_is_named_by_its_id_its_version_or_its_providers_id(do: Do, connection: Connection) -> None:
    found = model(connection, "v1.0.0")
    for name in (found, str(found), "v1.0.0", "ft:acme:v1.0.0"):
        assert do(lambda registry, name=name: registry.deploy_model(name, organization_id="acme")).id == found
        assert do(lambda registry, name=name: registry.archive_model(name, organization_id="acme")).status == "archived"
    assert do(lambda registry: registry.deploy_model(found)).id == found
    with pytest.raises(InputError, match="name a model: by its registry id, its version"):
        do(lambda registry: registry.deploy_model())


@pytest.mark.parametrize("name", ["v1.0.0", "ft:rival:v1.0.0", "the id"])
def test_another_organizations_model_is_not_there(do: Do, connection: Connection, name: str) -> None:
    theirs = model(connection, "v1.0.0", "rival")
    named = theirs if name == "the id" else name
    for call in (
        lambda registry: registry.deploy_model(named, organization_id="acme"),
        lambda registry: registry.promote_model(named, organization_id="acme"),
        lambda registry: registry.archive_model(named, organization_id="acme"),
        lambda registry: registry.deprecate_model(named, organization_id="acme"),
        lambda registry: registry.compare_to_baseline(named, organization_id="acme"),
        lambda registry: registry.update_model_performance(named, 1, 0, 0, 0, organization_id="acme"),
    ):
        with pytest.raises(UnknownModelError, match=r"scope 'acme' has no model '.*'; see flywheel model list"):
            do(call)
    if name != "ft:rival:v1.0.0":  # for which a plain model could be meant
        with pytest.raises(UnknownModelError):
            do(lambda registry: registry.set_baseline_model(named, organization_id="acme"))
    assert one(connection, "select status, is_baseline from model_registry where id = %s", theirs) == ("ready", False)


def test_an_id_that_no_model_has_is_unknown(do: Do) -> None:
    for call in (
        lambda registry: registry.compare_to_baseline(uuid4()),
        lambda registry: registry.set_baseline_model(str(uuid4())),
        lambda registry: registry.update_model_performance(uuid4(), 1, 0, 0, 0),
    ):
        with pytest.raises(UnknownModelError, match="the registry has no model"):
            do(call)


def test_registering_again_gives_the_same_id_with_and_without_a_version(do: Do, connection: Connection) -> None:
    first = do(lambda registry: registry.register_model("m", organization_id="acme"))
    assert do(lambda registry: registry.register_model("m", organization_id="acme")) == first
    assert do(lambda registry: registry.register_model("m", "v1.0.0", organization_id="acme")) == first
    assert do(lambda registry: registry.register_model("m")) != first, "another scope's"
    assert one(connection, "select action, actor from model_changes where registry_id = %s", first) == ("register", "kim")


def test_a_version_of_another_model_is_taken(do: Do) -> None:
    do(lambda registry: registry.register_model("m", "v1.4.0"))
    with pytest.raises(InputError, match=r"v1\.4\.0 of global is m; give another model_version, or none for the next one"):
        do(lambda registry: registry.register_model("n", "v1.4.0"))
    with pytest.raises(InputError, match=r"'1\.4' is not a version"):
        do(lambda registry: registry.register_model("n", "1.4"))


def test_models_registered_at_once_get_consecutive_versions_and_the_same_one_gets_one(do: Do, connection: Connection) -> None:
    async def all_at_once(registry: ModelRegistry) -> list[UUID]:
        return await asyncio.gather(
            *(registry.register_model(f"model-{number % 6}", organization_id="acme") for number in range(18))
        )

    assert len(set(do(all_at_once))) == 6
    assert one(connection, "select array_agg(model_version order by model_version) from model_registry") == (
        [f"v1.{number}.0" for number in range(6)],
    )


def test_the_same_version_registered_at_once_is_one(do: Do) -> None:
    async def all_at_once(registry: ModelRegistry) -> list[UUID]:
        return await asyncio.gather(*(registry.register_model("m", "v3.0.0") for _ in range(8)))

    assert len(set(do(all_at_once))) == 1


def test_a_huge_version_number_does_not_stop_the_next_one(do: Do, connection: Connection) -> None:
    do(lambda registry: registry.register_model("m", "v99999999999.0.0"))
    assert str(upcoming_version(connection, "global", "1")) == "v99999999999.1.0"


@pytest.mark.parametrize(
    "stats", [{"total_examples": -1}, {"positive_examples": 1.5}, {"deals_in_training": 2**31}, {"training_cost_usd": float("nan")}]
)
def test_statistics_that_cannot_be_are_refused(do: Do, connection: Connection, stats: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"is .*; it is (a whole number|an amount)"):
        do(lambda registry: registry.register_model("m", training_stats=stats))
    assert one(connection, "select count(*) from model_registry") == (0,)


def test_a_baseline_is_named_by_a_label_a_provider_name_or_a_version(do: Do, connection: Connection) -> None:
    labelled = do(lambda registry: registry.set_baseline_model(model_id="baseline", model_version="gpt-4o-mini"))
    assert (labelled.model_id, labelled.model_version, labelled.is_baseline) == ("gpt-4o-mini", "gpt-4o-mini", True)
    assert do(lambda registry: registry.set_baseline_model("gpt-4o-mini")).id == labelled.id
    own = model(connection, "v1.0.0", None)
    assert do(lambda registry: registry.set_baseline_model("v1.0.0")).id == own
    assert one(connection, "select array_agg(model_version) from model_registry where is_baseline") == (["v1.0.0"],)
    with pytest.raises(UnknownModelError, match=r"scope 'global' has no model 'v1\.7\.0'"):
        do(lambda registry: registry.set_baseline_model("v1.7.0"))
    assert one(connection, "select count(*) from model_registry") == (2,)


def test_totals_measured_elsewhere_are_replaced_by_source_and_change_no_derived_number(do: Do, connection: Connection) -> None:
    found = model(connection)
    write(connection, found, 4, replies=1)
    before = one(connection, "select to_jsonb(p) from model_performance p where id = %s", found)
    for replies in (12, 20):
        row = do(
            lambda registry, replies=replies: registry.update_model_performance(found, 100, replies, 5, 2, Decimal("30000.10"))
        )
        assert (row["replies"], row["revenue"], row["source"]) == (replies, Decimal("30000.10"), "elsewhere")
    do(lambda registry: registry.update_model_performance(found, 7, 0, 0, 0, source="the old system"))
    assert one(
        connection, "select array_agg((source, messages_sent, replies)::text order by source) from reported_performance"
    ) == (["(elsewhere,100,20)", '("the old system",7,0)'],)
    told = do(lambda registry: registry.compare_to_baseline(found))
    assert [(each["source"], each["replies"]) for each in told["reported"]] == [("elsewhere", 20), ("the old system", 0)]
    assert told["total_messages_sent"] == 4
    assert one(connection, "select to_jsonb(p) from model_performance p where id = %s", found) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((-1, 0, 0, 0), "messages_sent is -1; it is a whole number from 0"),
        ((10, 11, 0, 0), "replies is 11, more than the 10 messages sent"),
        ((10, 1.5, 0, 0), "replies is 1.5; it is a whole number"),
        ((10, "1", 0, 0), "replies is '1'; it is a whole number"),
        ((2**31, 0, 0, 0), "messages_sent is 2147483648; it is a whole number from 0 to 2147483647"),
        ((10, 1, 0, 0, float("nan")), "revenue is nan; it is an amount of at least 0"),
        ((10, 1, 0, 0, -5), "revenue is -5; it is an amount of at least 0"),
        ((10, 1, 0, 0, 10**14), "revenue is 100000000000000; it is an amount"),
        ((10, 1, 0, 0, "much"), "revenue is 'much'; it is an amount"),
    ],
)
def test_totals_that_cannot_be_are_refused(do: Do, connection: Connection, given: tuple[Any, ...], said: str) -> None:
    found = model(connection)
    with pytest.raises(InputError) as refused:
        do(lambda registry: registry.update_model_performance(found, *given))
    assert str(refused.value).startswith(said)
    assert one(connection, "select count(*) from reported_performance") == (0,)


def test_a_model_is_compared_with_its_baseline(do: Do, connection: Connection) -> None:
    first, second = model(connection, "v1.0.0"), model(connection, "v1.1.0")
    write(connection, first, 10, replies=2)
    write(connection, second, 10, replies=3)
    alone = do(lambda registry: registry.compare_to_baseline(second, organization_id="acme"))
    assert (alone["reply_rate"], alone["baseline_id"], alone["reply_rate_vs_baseline"]) == (0.3, None, None)
    do(lambda registry: registry.set_baseline_model("v1.0.0", organization_id="acme"))
    beside = do(lambda registry: registry.compare_to_baseline("v1.1.0", organization_id="acme"))
    assert (beside["baseline_version"], beside["baseline_reply_rate"]) == ("v1.0.0", 0.2)
    assert beside["reply_rate_vs_baseline"] == pytest.approx(50)
    assert beside["close_rate_vs_baseline"] is None


def test_the_leaderboard_counts_for_an_organization_what_was_done_for_it(do: Do, connection: Connection) -> None:
    own, everyones, theirs = model(connection), model(connection, organization=None), model(connection, organization="rival")
    write(connection, own, 10, replies=3)
    write(connection, everyones, 10, replies=2)
    write(connection, everyones, 10, replies=9, organization="rival")
    write(connection, theirs, 12, replies=1, organization="rival")

    def seen(least: int, organization: str | None) -> list[tuple[UUID, int, float, int]]:
        rows = do(lambda registry: registry.get_leaderboard(min_samples=least, organization_id=organization))
        return [(row["id"], row["total_messages_sent"], row["reply_rate"], row["reply_rate_rank"]) for row in rows]

    assert seen(10, "acme") == [(own, 10, 0.3, 1), (everyones, 10, 0.2, 2)]
    assert seen(10, "rival") == [(everyones, 10, 0.9, 1), (theirs, 12, 1 / 12, 2)]
    assert seen(11, None) == [(everyones, 20, 0.55, 1), (theirs, 12, 1 / 12, 2)]
    assert seen(10, "nobody") == seen(100, None) == []


def test_who_changed_what_and_why_is_in_the_history(do: Do, connection: Connection) -> None:
    first, second = model(connection, "v1.0.0"), model(connection, "v1.1.0")
    do(lambda registry: registry.deploy_model(first, reason="the first one"))
    do(lambda registry: registry.promote_model(second))
    assert do(lambda registry: registry.roll_back(organization_id="acme", reason="spam")).id == first
    assert one(
        connection,
        "select array_agg((action, actor, reason)::text order by id) from model_changes where action <> 'register' and status = 'deployed'",
    ) == (['(deploy,kim,"the first one")', "(promote,kim,)", "(restore,kim,spam)"],)


def test_a_promotion_to_less_than_everything_is_none(do: Do, connection: Connection) -> None:
    with pytest.raises(InputError, match="a promoted model has 100 %, not 50 %; deploy it as a variant instead"):
        do(lambda registry: registry.promote_model(model(connection), 50))


def test_what_cannot_be_stored_is_the_callers_mistake(do: Do) -> None:
    with pytest.raises(InputError, match=r"a value can't be stored: .*NUL"):
        do(lambda registry: registry.register_model("m\0"))


def test_a_database_that_is_away_is_told_with_the_remedy_and_no_password() -> None:
    async def ask() -> None:
        async with ModelRegistry("postgresql://me:secret@127.0.0.1:9/none", timeout=0.2) as registry:
            await registry.get_leaderboard()

    with pytest.raises(
        DatabaseError, match=r"the database at 127\.0\.0\.1:9/none as me can't be used: .*; check DATABASE_URL"
    ) as told:
        asyncio.run(ask())
    assert "secret" not in str(told.value)


def test_a_connection_that_is_lost_is_told_and_the_next_call_works(database: Database, owner: Connection) -> None:
    async def ask() -> list[object]:
        async with ModelRegistry(database.addresses.service, pool_size=1) as registry:
            await registry.get_leaderboard()
            owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flywheel' and pid <> pg_backend_pid() and datname = current_database() and state = 'idle'"
            )
            owner.commit()
            with pytest.raises(DatabaseError, match=r"can't be used: .*; check DATABASE_URL"):
                await registry.get_leaderboard()
            return [*await registry.get_leaderboard()]

    assert asyncio.run(ask()) == []


def test_too_many_calls_at_once_are_told_from_a_database_that_is_away(database: Database) -> None:
    async def ask() -> None:
        async with ModelRegistry(database.addresses.service, pool_size=1, timeout=0.2) as registry, registry._connection():
            await registry.get_leaderboard()

    with pytest.raises(DatabaseError, match=r"all 1 connections to the database were in use for 0\.2 s; give more"):
        asyncio.run(ask())


def test_a_database_without_the_schema_is_told_to_be_migrated(database: Database, owner: Connection) -> None:
    owner.execute("drop view model_leaderboard; drop view active_models; drop view model_registry_with_baseline")
    owner.commit()

    async def ask() -> None:
        async with ModelRegistry(database.addresses.service) as registry:
            await registry.get_leaderboard()

    with pytest.raises(DatabaseError, match="run flywheel migrate"):
        asyncio.run(ask())


def test_a_registry_that_was_closed_opens_again(database: Database) -> None:
    async def ask() -> list[Any]:
        registry = ModelRegistry(database.addresses.service)
        found = [await registry.get_leaderboard()]
        await registry.close()
        found.append(await registry.get_leaderboard())
        await registry.close()
        return found

    assert asyncio.run(ask()) == [[], []]
