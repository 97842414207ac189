"""Bases that are switched off: the dated table, the provider's own list, the registry's dates, and what a scope can be trained with instead."""

from datetime import date, timedelta

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.expiry import base_ends_on, base_to_train, endings, note_ends, plan
from flywheel_dagster.training.trainers.openai import shutdown_dates
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
    assert "gpt-6-luna" not in listed


def deployed(connection: Connection, version: str, base: str, *, trainer: str = "openai", status: str = "deployed") -> None:
    connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer, status) values ('acme', 'm', %s, %s, %s, %s)",
        (version, base, trainer, status),
    )


def test_deployed_models_end_with_their_base_and_the_registry_says_when(connection: Connection) -> None:
    deployed(connection, "v1.0.0", "gpt-4o-2024-08-06")
    deployed(connection, "v1.1.0", "gpt-6-luna", trainer="exemplars")
    deployed(connection, "v1.2.0", "gpt-4o-2024-08-06", status="ready")
    note_ends(connection, {"exemplars": {"gpt-6-luna": TODAY + timedelta(days=60)}})
    assert connection.execute("select model_version, base_ends_on from model_registry order by 1").fetchall() == [
        ("v1.0.0", END),
        ("v1.1.0", TODAY + timedelta(days=60)),
        ("v1.2.0", END),
    ]
    assert [(each.version, each.days) for each in endings(connection, TODAY)] == [("v1.0.0", 54), ("v1.1.0", 60)]
    assert [each.version for each in endings(connection, TODAY - timedelta(days=1))] == ["v1.0.0"]
    assert [each.days for each in endings(connection, END + timedelta(days=3))][:1] == [-3]


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
