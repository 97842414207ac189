"""The true graph from `build_defs`, on a real database and a real model server over HTTP, run on an instance of the test's own."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.build import build_defs
from flywheel_dagster.jobs import assets_to_train
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.settings import load_settings
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.sandbox.model_server.served import Served

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def configured(database: Database, model_server: Served, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The environment leads to the test's database and to the model server."""
    settings = database.settings
    assert settings.database_url is not None
    for name, value in {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "FLYWHEEL_DAGSTER_DATABASE_URL": settings.database_url.get_secret_value(),
        "TRAINING_DATA_DIR": str(settings.training_data_dir),
        "FLYWHEEL_POLL_SECONDS": "0.02",
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": f"{model_server.url}/v1",
    }.items():
        monkeypatch.setenv(name, value)
    return database


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        instance.add_dynamic_partitions("scopes", ["global"])
        yield instance


@pytest.fixture
def run(configured: Database, instance: dg.DagsterInstance) -> Run:
    """Runs a job of the graph and returns its result, failed or not."""
    defs = build_defs()

    def start(job: str, **options: object) -> dg.ExecuteInProcessResult:
        if job == "train_scope":  # as the schedule and the command line start it
            options.setdefault("asset_selection", assets_to_train(load_settings().training_method))
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}} | dict(options.pop("run_config", {}))  # type: ignore[call-overload]
        return defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False, run_config=quiet, **options)  # type: ignore[arg-type]

    return start


def write_deals(
    connection: psycopg.Connection[TupleRow], count: int, *, organization: str = "acme", week: int = 0, consent: bool = True
) -> None:
    """Messages to different leads that became deals, all sent in one week, so many weeks after MONDAY."""
    for number in range(count):
        sent = message(
            organization_id=organization,
            lead_id=f"lead {week}-{number}",
            message_body=f"Hi {{{{first_name}}}}, idea number {number} for week {week} ({uuid4().hex[:8]})",
            subject_line=f"Idea {number}",
            framework="PAS",
            tone="casual",
            sent_at=MONDAY + timedelta(weeks=week, minutes=number),
        )
        send(connection, [sent])
        record(connection, [event(sent.id, "opened", week * 7 + 1), event(sent.id, "deal_closed", week * 7 + 3, value="100")])
    connection.execute(
        "insert into organizations (id, allows_global_training) values (%s, %s) on conflict (id) do update set allows_global_training = excluded.allows_global_training",
        (organization, consent),
    )
    connection.commit()
