"""Bases that are switched off: the dated table, the provider's own list, the registry's dates, and what a scope can be trained with instead."""

from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.models.deployment import deploy
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import COMPARED
from flywheel_dagster.training.expiry import Lists, base_ends_on, base_to_train, endings, note_ends, plan, providers_lists
from flywheel_dagster.training.trainer import Recipe
from flywheel_dagster.training.trainers.openai import shutdown_dates
from flywheel_dagster.training.trainers.together import TogetherTrainer
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
TODAY = date(2026, 11, 21)
END = date(2027, 1, 14)


@pytest.mark.parametrize(
    ("trainer", "base", "ends_on"),
    [
        ("openai", "gpt-4o-2024-08-06", END),
        ("openai", "gpt-4.1-mini-2025-04-14", END),
        ("openai", "gpt-4.1-nano-2025-04-14", date(2026, 10, 23)),
        ("openai", "gpt-4-0613", date(2026, 10, 23)),
        ("openai", "gpt-6-luna", None),
        ("azure", "gpt-4o-2024-08-06", date(2027, 10, 1)),
        ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", None),
        ("lora", "gpt-4o", None),
    ],
)
def test_the_dated_table_knows_what_was_announced(trainer: str, base: str, ends_on: date | None) -> None:
    assert base_ends_on(trainer, base) == ends_on


def test_the_providers_list_counts_where_it_is_earlier_or_the_only_one() -> None:
    assert base_ends_on("openai", "gpt-4o", {"gpt-4o": END - timedelta(days=9)}) == END - timedelta(days=9)
    assert base_ends_on("openai", "gpt-4o", {"gpt-4o": END + timedelta(days=9)}) == END
    assert base_ends_on("openai", "gpt-6-luna", {"gpt-6-luna": TODAY}) == TODAY


def test_dates_are_read_from_the_list_of_models_over_http(model_server: Served) -> None:
    listed = shutdown_dates(Settings(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=f"{model_server.url}/v1"))
    assert listed["gpt-4o-2024-08-06"] == END
    assert listed["gpt-6-luna"] is None


def registered(connection: Connection, version: str, base: str, *, trainer: str = "openai") -> UUID:
    (registry_id,) = connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer) values ('acme', 'm', %s, %s, %s) returning id",
        (version, base, trainer),
    ).fetchall()[0]
    return UUID(str(registry_id))


def test_deployed_models_end_with_their_base_and_the_registry_says_when(connection: Connection) -> None:
    deploy(registered(connection, "v1.0.0", "gpt-4o-2024-08-06")).run(connection)
    deploy(registered(connection, "v1.1.0", "gpt-6-luna", trainer="exemplars"), 10, "variant_a").run(connection)
    registered(connection, "v1.2.0", "gpt-4o-2024-08-06")
    note_ends(connection, {"exemplars": {"gpt-6-luna": TODAY + timedelta(days=60)}})
    assert connection.execute("select model_version, base_ends_on from model_registry order by 1").fetchall() == [
        ("v1.0.0", END),
        ("v1.1.0", TODAY + timedelta(days=60)),
        ("v1.2.0", END),
    ]
    assert [(each.version, each.days) for each in endings(connection, TODAY)] == [("v1.0.0", 54), ("v1.1.0", 60)]
    assert [each.version for each in endings(connection, TODAY - timedelta(days=1))] == ["v1.0.0"]
    assert [each.days for each in endings(connection, END + timedelta(days=3))][:1] == [-3]


def dates(connection: Connection) -> dict[str, date | None]:
    return dict(connection.execute("select base_model, base_ends_on from model_registry").fetchall())


def test_a_date_that_was_learned_stays_while_its_list_is_not_read_or_has_the_base_no_more(connection: Connection) -> None:
    registered(connection, "v1.0.0", "gpt-6-luna", trainer="exemplars")
    registered(connection, "v1.1.0", "gpt-4o-2024-08-06")
    registered(connection, "v1.2.0", "a llama", trainer="together")
    learned = {"gpt-6-luna": TODAY + timedelta(days=30), "gpt-4o-2024-08-06": END - timedelta(days=9)}
    note_ends(connection, {"openai": learned, "exemplars": learned})
    connection.execute("update model_registry set base_ends_on = %s where trainer = 'together'", (TODAY,))
    for lists in ({}, {"openai": {}, "exemplars": {"another": None}}):
        note_ends(connection, lists)
        assert dates(connection) == learned | {"a llama": TODAY}
    note_ends(connection, {"exemplars": {"gpt-6-luna": None}})
    assert dates(connection)["gpt-6-luna"] is None, "the provider withdrew it"


@pytest.mark.parametrize("trainer", ["together", "azure", "lora"])
def test_the_list_is_read_for_models_in_the_registry_whoever_trains_now(
    connection: Connection, model_server: Served, trainer: str
) -> None:
    access = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{model_server.url}/v1"}
    settings = Settings(FLYWHEEL_TRAINER=trainer, **access)
    assert providers_lists(connection, settings) == Lists({})
    registered(connection, "v1.0.0", "gpt-4o-2024-08-06")
    registered(connection, "v1.1.0", "gpt-6-luna", trainer="exemplars")
    lists = providers_lists(connection, settings)
    assert {trainer: listed["gpt-4o-2024-08-06"] for trainer, listed in lists.by_trainer.items()} == {
        "openai": END,
        "exemplars": END,
    }
    assert providers_lists(connection, Settings(FLYWHEEL_TRAINER=trainer)) == Lists({}), (
        "the local server knows nothing of real models"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 403}, "the key may not do this"),
        ({"status": 404}, "HTTP 404"),
        ({"status": 200, "body": "<html>"}, "no list of models"),
    ],
)
def test_a_list_that_can_not_be_read_is_told_and_nothing_else(
    connection: Connection, model_server: Served, fault: dict[str, object], said: str
) -> None:
    model_server.set_fault(kind="status", match="GET /v1/models", **fault)
    lists = providers_lists(connection, Settings(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=f"{model_server.url}/v1"))
    assert lists.by_trainer == {}
    assert said in str(lists.unread)
    assert "OPENAI_API_KEY is not" in str(providers_lists(connection, Settings(OPENAI_BASE_URL="http://127.0.0.1:9/v1")).unread)


def test_the_base_that_would_be_trained_next_is_looked_at_too() -> None:
    soon = base_to_train(Settings(), "gpt-4o-2024-08-06", TODAY, {})
    assert soon is not None
    assert (soon.days, soon.version) == (54, None)
    assert base_to_train(Settings(), "gpt-4o-2024-08-06", TODAY - timedelta(days=30), {}) is None
    assert base_to_train(Settings(FLYWHEEL_TRAINER="together"), "a llama", TODAY, {}) is None


def test_the_plan_names_trainers_that_stay_the_dataset_and_the_cost(
    connection: Connection, dataset: Dataset, database: Database
) -> None:
    planned = plan(connection, database.settings, "acme", TODAY)
    assert planned.dataset_hash == dataset.hash
    assert {each.trainer for each in planned.choices} == {"together", "lora", "exemplars"}, "OpenAI's base ends"
    together = next(each for each in planned.choices if each.trainer == "together")
    assert together.usd is not None
    assert together.tokens >= dataset.train_tokens * database.settings.epochs
    assert plan(connection, database.settings, "nobody", TODAY).choices == []


def test_by_preference_the_plan_is_for_pairs_and_for_trainers_that_take_them(
    connection: Connection, dataset: Dataset, database: Database
) -> None:
    settings = database.settings.model_copy(update={"training_method": "dpo"})
    assert plan(connection, settings, "acme", TODAY).dataset_hash is None, "there is a chat dataset only"
    connection.execute("update datasets set kind = 'preference'")
    planned = plan(connection, settings, "acme", TODAY)
    assert (planned.kind, planned.dataset_hash) == ("preference", dataset.hash)
    assert {each.trainer for each in planned.choices} == {"together", "lora"}
    priced = {each.trainer: each.usd_per_million for each in planned.choices}
    assert (
        priced["together"] == TogetherTrainer(Recipe(COMPARED["together"], method="dpo"), api_key="k").estimate(1).usd_per_million
    )
