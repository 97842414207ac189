"""The schedule, the sensors and their promises: exactly the weeks that changed, and no late commit lost."""

from datetime import UTC, datetime

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.build import build_defs
from flywheel_dagster.database import connect
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import weekly_scoring, weekly_training
from flywheel_dagster.sensors import changed_outcomes, organization_scopes
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.orchestration.conftest import Run, write_deals
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

Connection = psycopg.Connection[TupleRow]


class Ticks:
    """Evaluates the sensor again and again, carrying the cursor as the daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def weeks(self) -> list[str]:
        """The weeks that the next tick requests, ranges written out as first..last."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"flywheel": Flywheel()}, definitions=build_defs()
        ) as context:
            result = changed_outcomes(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return [
            request.partition_key
            or f"{request.tags['dagster/asset_partition_range_start']}..{request.tags['dagster/asset_partition_range_end']}"
            for request in result.run_requests or []
        ]


@pytest.fixture
def ticks(configured: Database, instance: dg.DagsterInstance) -> Ticks:
    return Ticks(instance)


def test_the_sensor_requests_exactly_the_weeks_that_changed(connection: Connection, ticks: Ticks) -> None:
    for week in (0, 1, 4):
        write_deals(connection, 1, week=week)
    assert ticks.weeks() == ["2026-01-05..2026-01-12", "2026-02-02"]
    assert ticks.weeks() == []
    outcome = connection.execute("select id from outcome_labels where sent_at < '2026-01-12'").fetchone()
    assert outcome is not None
    record(connection, [event(outcome[0], "clicked", 60)])  # news in March about a message of January
    connection.commit()
    assert ticks.weeks() == ["2026-01-05"]
    assert ticks.weeks() == []


def test_an_event_that_is_delivered_again_requests_nothing(connection: Connection, ticks: Ticks) -> None:
    sent = message()
    send(connection, [sent])
    opened = event(sent.id, "opened")
    record(connection, [opened])
    connection.commit()
    ticks.weeks()
    record(connection, [opened, opened])
    connection.commit()
    assert ticks.weeks() == []


def test_a_transaction_that_was_open_across_ticks_is_reported_by_the_first_tick_after_its_commit(
    connection: Connection, database: Database, ticks: Ticks
) -> None:
    write_deals(connection, 1, week=0)
    ticks.weeks()
    with connect(database.addresses.service) as slow:
        late = message(lead_id="late", sent_at=MONDAY.replace(month=6, day=1))
        send(slow, [late])  # open
        write_deals(connection, 1, week=9)  # committed meanwhile, with a higher transaction number
        assert ticks.weeks() == ["2026-03-09"]
        assert ticks.weeks() == []
        slow.commit()
    assert ticks.weeks() == ["2026-06-01"]
    assert ticks.weeks() == []


def test_training_does_not_request_its_own_weeks_again(connection: Connection, ticks: Ticks, run: Run) -> None:
    write_deals(connection, 60)
    ticks.weeks()
    run("score_weeks", partition_key="2026-01-05")
    assert run("train_scope", partition_key="global").success
    assert connection.execute("select count(*) from outcome_labels where included_in_training").fetchone() == (60,)
    assert ticks.weeks() == []


def test_a_cursor_of_another_server_starts_over(connection: Connection, ticks: Ticks) -> None:
    write_deals(connection, 1)
    ticks.cursor = '{"server": "1", "snapshot": "9999999:9999999:"}'
    assert ticks.weeks() == ["2026-01-05"]


def test_a_change_before_the_first_week_is_said_and_not_requested(
    connection: Connection, configured: Database, instance: dg.DagsterInstance
) -> None:
    send(connection, [message(sent_at=datetime(2016, 1, 4, tzinfo=UTC))])
    connection.commit()
    with dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
        result = changed_outcomes(context)
    assert isinstance(result, dg.SensorResult)
    assert "before 2018-01-01" in str(result.skip_reason)


def test_a_requested_range_runs_as_one_run(connection: Connection, ticks: Ticks, run: Run) -> None:
    for week in range(3):
        write_deals(connection, 2, week=week)
    assert ticks.weeks() == ["2026-01-05..2026-01-19"]
    tags = {"dagster/asset_partition_range_start": "2026-01-05", "dagster/asset_partition_range_end": "2026-01-19"}
    assert run("score_weeks", tags=tags).success
    assert connection.execute("select week::text, count(*) from scored_training_rows group by 1 order by 1").fetchall() == [
        ("2026-01-05", 2),
        ("2026-01-12", 2),
        ("2026-01-19", 2),
    ]


def test_on_mondays_at_two_every_enabled_scope_is_trained(
    connection: Connection, configured: Database, stored_instance: dg.DagsterInstance
) -> None:
    assert weekly_training.cron_schedule == "0 2 * * 1"
    assert weekly_training.execution_timezone == "UTC"
    when = datetime(2026, 11, 23, 2, tzinfo=UTC)

    def tick() -> list[tuple[str | None, str | None]] | str:
        with dg.build_schedule_context(
            instance=stored_instance, scheduled_execution_time=when, resources={"flywheel": Flywheel()}
        ) as context:
            found = weekly_training(context)
        return (
            found.skip_message
            if isinstance(found, dg.SkipReason)
            else [(request.partition_key, request.run_key) for request in found]
        )

    assert "no scope is enabled" in str(tick())
    connection.execute(
        "insert into organizations (id, allows_global_training, training_enabled) values ('a', true, false), ('b', false, true), ('c', false, false)"
    )
    connection.commit()
    assert tick() == [("global", "2026-11-23:global"), ("b", "2026-11-23:b")]
    assert set(stored_instance.get_dynamic_partitions("scopes")) == {"global", "b"}


def test_an_hour_before_weeks_that_are_behind_are_brought_up_to_date(
    connection: Connection, configured: Database, instance: dg.DagsterInstance, run: Run
) -> None:
    for week in (0, 1, 3):
        write_deals(connection, 1, week=week)
    run("score_weeks", partition_key="2026-01-05")
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 11, 23, 1, tzinfo=UTC), resources={"flywheel": Flywheel()}
    )
    found = weekly_scoring(context)
    assert isinstance(found, list)
    assert [request.tags["dagster/asset_partition_range_start"] for request in found] == ["2026-01-12", "2026-01-26"]


def test_scopes_follow_the_organizations(connection: Connection, configured: Database, instance: dg.DagsterInstance) -> None:
    connection.execute("insert into organizations (id, training_enabled) values ('own', true)")
    connection.commit()
    with dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
        result = organization_scopes(context)
    assert isinstance(result, dg.SensorResult)
    assert [list(request.partition_keys) for request in result.dynamic_partitions_requests or []] == [["own"]]


def test_nothing_that_costs_starts_by_itself() -> None:
    defs = build_defs()
    running = {
        definition.name
        for definition in [*(defs.schedules or []), *(defs.sensors or [])]
        if getattr(definition, "default_status", None) in (dg.DefaultSensorStatus.RUNNING, dg.DefaultScheduleStatus.RUNNING)
    }
    assert running == {"enough_lead_feedback", "organization_scopes"}
