"""`flywheel model jobs` and `cancel`, in this process: what was bought, and the end of a job that runs."""

import json
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from flywheel_dagster.cli import app
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import InputError, PermanentTrainingError, TransientTrainingError
from flywheel_dagster.training.submission import train
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import Time, trainer_at

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def surroundings(database: Database, provider: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
    monkeypatch.setenv("COLUMNS", "200")


def flywheel(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["model", *arguments])


def test_trainings_are_listed_with_what_they_cost(connection: Connection, provider: Served, dataset: Dataset) -> None:
    assert flywheel("jobs").stdout.strip() == "nothing was trained yet"
    trained = train(connection, trainer_at(provider), dataset, suffix="acme", patience=Time().patience())
    shown = flywheel("jobs").stdout
    assert all(part in shown for part in ("openai", "succeeded", "0.00 (0.00)", trained.job_id, trained.model_id)), shown
    (line,) = flywheel("jobs", "--json").stdout.splitlines()
    assert json.loads(line)["scopes"] == "acme"
    assert json.loads(line)["trained_tokens"] == trained.trained_tokens


def test_a_running_training_is_ended_at_the_provider(connection: Connection, provider: Served, dataset: Dataset) -> None:
    trainer = trainer_at(provider)
    provider.set_fault(kind="job_stuck", during="running")
    with pytest.raises(TransientTrainingError):
        train(connection, trainer, dataset, suffix="acme", patience=Time().patience(limit=timedelta(hours=1)))
    (job,) = connection.execute("select provider_job_id from fine_tuning_jobs").fetchall()[0]
    connection.commit()
    assert f"asked openai to end {job}" in flywheel("cancel", job).stdout
    with pytest.raises(PermanentTrainingError, match="cancelled"):
        train(connection, trainer, dataset, suffix="acme", patience=Time().patience())
    assert "cancelled" in flywheel("jobs").stdout
    for unknown, said in ((job, "is cancelled already"), ("ftjob-nobody", "no training has the job")):
        failed = flywheel("cancel", unknown)
        assert isinstance(failed.exception, InputError)
        assert said in str(failed.exception)
