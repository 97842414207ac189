"""`flywheel model jobs` and `cancel`, in this process: what was bought, and the end of a job that runs."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from flywheel_dagster.cli import app
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import InputError, PermanentTrainingError, TransientTrainingError
from flywheel_dagster.models.deployment import archive, deploy
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainers.azure import local_resource
from flywheel_dagster.training.trainers.azure.deployments import Deployments
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples
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
    trainer = trainer_at(provider, local=False)
    provider.set_fault(kind="job_stuck", during="running")
    with pytest.raises(TransientTrainingError):
        train(connection, trainer, dataset, suffix="acme", patience=Time().patience(limit=timedelta(hours=1)))
    (job,) = connection.execute("select provider_job_id from fine_tuning_jobs").fetchall()[0]
    connection.commit()
    assert f"asked openai to end {job}, which is cancelled; materialize" in flywheel("cancel", job).stdout
    assert "cancelled" in flywheel("jobs").stdout
    with pytest.raises(PermanentTrainingError, match="cancelled: ended by flywheel model cancel"):
        train(connection, trainer, dataset, suffix="acme", patience=Time().patience())
    for unknown, said in ((job, "is cancelled already"), ("ftjob-nobody", "no training has the job")):
        failed = flywheel("cancel", unknown)
        assert isinstance(failed.exception, InputError)
        assert said in str(failed.exception)
    anew = train(connection, trainer, dataset, suffix="acme", patience=Time().patience(), resubmit=True)
    assert (anew.attempt, anew.job_id != job) == (2, True), "bought at once"


def registered(connection: Connection, scope: str | None, model_id: str, *, trainer: str = "azure") -> UUID:
    row = connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer) values (%s, %s, 'v1.0.0', 'm', %s) returning id",
        (scope, model_id, trainer),
    ).fetchone()
    connection.commit()
    assert row is not None
    return UUID(str(row[0]))


def deployment(provider: Served) -> str:
    """The deployment of a model that was trained, at the server's own control plane."""
    model = provider.train(make_examples(12)).fine_tuned_model
    assert model is not None
    deployments = Deployments(local_resource(provider.url), "Standard")
    return deployments.put(model).name


def test_what_a_model_runs_on_is_ended_unless_it_serves_users(
    connection: Connection, provider: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.stand_in(tmp_path / "home")
    monkeypatch.setenv("FLYWHEEL_HOME", str(tmp_path / "home"))
    name = deployment(provider)
    registered(connection, None, name)
    deployed = deploy(registered(connection, "acme", name)).run(connection)  # of the same training
    refused = flywheel("undeploy", "v1.0.0")
    assert isinstance(refused.exception, InputError)
    assert f"{name} is deployed as acme v1.0.0, whose users would get no answer" in str(refused.exception)
    assert flywheel("undeploy", "v1.0.0", "--scope", "acme", "--force").stdout.strip() == f"ended {name} at azure"
    archive(deployed.id).run(connection)
    connection.commit()
    assert flywheel("undeploy", "v1.0.0").stdout.strip() == f"nothing runs {name} at azure"


def test_what_nobody_deployed_can_not_be_ended(connection: Connection) -> None:
    registered(connection, None, "ft:x", trainer="openai")
    for arguments, said in (
        (("v1.0.0",), "the trainer openai deploys nothing"),
        (("v9.0.0",), "scope 'global' has no version v9.0.0"),
    ):
        failed = flywheel("undeploy", *arguments)
        assert isinstance(failed.exception, InputError)
        assert said in str(failed.exception)
