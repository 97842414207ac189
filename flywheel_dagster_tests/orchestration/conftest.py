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


@pytest.fixture(scope="session")
def _instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def instance(_instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """An instance in memory, in which nothing has happened yet: one on a disk takes seconds to make, and as long again for each run."""
    _instance.add_dynamic_partitions("scopes", ["global"])
    yield _instance
    _instance.wipe()


@pytest.fixture
def stored_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance on the disk, for schedules that ask theirs: they open it by its address."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
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


_SENTENCES = (
    (
        "your depot in the north ships more pallets every month than last year.",
        "your team hired two planners since the spring, as I read last week.",
        "your drivers wait at the gate for about an hour on busy days.",
        "your customers ask for delivery slots that they can rely on by noon.",
        "your fleet drives many of its kilometres back home without any load.",
    ),
    (
        "We helped a carrier of your size to fill the empty legs home.",
        "Planners at three of your neighbours now build the tours before breakfast.",
        "Last month a wholesaler cut the waiting at the gate by a third.",
        "One of our users tells every customer the slot a day before.",
        "A family firm near you plans twice the stops with the same people.",
    ),
    (
        "It took them two weeks to begin, and nobody had to change a system.",
        "They began with a single depot and kept their spreadsheets for a month.",
        "Nothing was installed, since it reads the orders that are there already.",
        "The first tours were better on the very first day of the trial.",
        "What they liked most is that the drivers see changes at once.",
    ),
    (
        "I made a small example with the roads around your place for you.",
        "There is a short film of it that takes you less than a minute.",
        "Their planner would be glad to tell you how it really went.",
        "I can send you the figures of the first quarter if you like.",
        "We could try it with the orders of one of your past weeks.",
    ),
    (
        "Would Tuesday morning suit you for a quarter of an hour on the phone?",
        "Shall I call you on Thursday, or is there a better day for you?",
        "May I show it to you and your planner some time next week?",
        "Is that worth a short talk, or shall I ask again in the autumn?",
        "Who of your people would be the right one to talk to about it?",
    ),
)


def words(number: int) -> str:
    """One of 125 messages, any two of which share at most two of their five sentences."""
    a, b, c = number % 5, number // 5 % 5, number // 25 % 5
    return " ".join(part[which % 5] for part, which in zip(_SENTENCES, (a, b, c, a + b + c, a + 2 * b + 4 * c), strict=True))


def write_deals(
    connection: psycopg.Connection[TupleRow], count: int, *, organization: str = "acme", week: int = 0, consent: bool = True
) -> None:
    """Messages to different leads that became deals, all sent in one week, so many weeks after MONDAY."""
    for number in range(count):
        sent = message(
            organization_id=organization,
            lead_id=f"lead {week}-{number}",
            message_body=f"Hi {{{{first_name}}}}, {words(number + 60 * week)} ({uuid4().hex[:8]})",
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
