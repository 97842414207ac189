"""A prompt in, a message out: from Python by the description's name, and by the command, on a model that was trained."""

import asyncio
import json
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import InputError, ModelError
from flywheel_dagster.models.registry import TrainedVersion, register
from flywheel_dagster.settings import Settings
from flywheel_dagster.training import trial
from flywheel_dagster.training.submission import train
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import Time, trainer_at

Connection = psycopg.Connection[TupleRow]
AUDIENCE = {"lead_industry": "logistics", "channel": "email"}


@pytest.fixture
def settings(database: Database, provider: Served) -> Settings:
    """The test's database, and the test's model server as the provider."""
    given = database.settings
    assert given.database_url is not None
    return Settings(
        DATABASE_URL=given.database_url, FLYWHEEL_HOME=given.home, OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY="sk-test"
    )


@pytest.fixture
def model_id(connection: Connection, provider: Served, dataset: Dataset) -> str:
    """v1.0.0 of acme."""
    trainer = trainer_at(provider)
    trained = train(connection, trainer, dataset, suffix="tests", patience=Time().patience())
    version = TrainedVersion(
        model_id=trained.model_id, base_model=trainer.recipe.base_model, trainer=trainer.name, settings_hash="s", dataset_hash=dataset.hash,
        example_format=dataset.example_format, fine_tuning_job_id=trained.job_id, training_examples_count=dataset.train_examples,
        positive_examples=dataset.positive_examples, deals_in_training=dataset.deals,
    )  # fmt: skip
    entry = register(connection, "acme", version)
    connection.commit()
    return entry.model_id


def test_a_registered_model_answers(connection: Connection, settings: Settings, model_id: str) -> None:
    tried = asyncio.run(trial.try_model(settings, connection, "acme", AUDIENCE, seed=1))
    assert (tried.model_version, tried.model_id, tried.trainer) == ("v1.0.0", model_id, "openai")
    assert "Routes at firm" in tried.answer.text
    again = asyncio.run(trial.try_model(settings, connection, "acme", AUDIENCE, version="v1.0.0", seed=1))
    assert again.answer.text == tried.answer.text


def test_test_model_of_the_description_takes_a_prompt_and_gives_a_message(settings: Settings, model_id: str) -> None:
    said = asyncio.run(trial.test_model(settings, model_id, "Write a message for VP of Sales in SaaS", system_prompt="You sell."))
    assert "firm" in said


def test_a_version_or_model_that_is_not_there_is_an_error_with_the_remedy(
    connection: Connection, settings: Settings, model_id: str
) -> None:
    with pytest.raises(InputError, match=r"'acme' has no version v9\.0\.0"):
        asyncio.run(trial.try_model(settings, connection, "acme", AUDIENCE, version="v9.0.0"))
    with pytest.raises(InputError, match="'global' has no model that is ready"):
        asyncio.run(trial.try_model(settings, connection, "global", AUDIENCE))
    connection.execute("update model_registry set status = 'failed'")
    with pytest.raises(InputError, match="'acme' has no model that is ready"):
        asyncio.run(trial.try_model(settings, connection, "acme", AUDIENCE))
    assert asyncio.run(trial.try_model(settings, connection, "acme", AUDIENCE, version="v1.0.0")).model_id == model_id
    with pytest.raises(ModelError, match="the address doesn't offer this model"):
        asyncio.run(trial.test_model(settings, "ft:gone", "Write"))


def test_the_command_prints_the_message(database: Database, settings: Settings, model_id: str, tmp_path: Path) -> None:
    assert settings.database_url is not None
    ours = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "FLYWHEEL_HOME": str(tmp_path / "home"),
        "OPENAI_BASE_URL": str(settings.openai_base_url),
        "OPENAI_API_KEY": "sk-test",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_flywheel("model", "test", *arguments, folder=tmp_path, environment=ours)

    done = run("--scope", "acme", "--industry", "logistics", "--seed", "1", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["model_version"], told["answer"]["finish_reason"]) == ("v1.0.0", "stop")
    refused = run()
    assert (refused.returncode, refused.stderr.startswith("flywheel: scope 'global' has no model that is ready")) == (1, True)
