"""`reply_sentiment` as people run it: any range of weeks in one run, what it shows, what its checks say, and who asks for it."""

from datetime import UTC, datetime

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.build import build_defs
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.partitions import range_tags
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import nightly_replies
from flywheel_dagster.sensors import new_replies
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.orchestration.conftest import Run
from flywheel_dagster_tests.outcomes.making import MONDAY, event
from flywheel_dagster_tests.replies.asking import CHAT
from flywheel_dagster_tests.replies.making import TEXTS, judged, write_replies
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
THREE_WEEKS = range_tags(MONDAY.date(), datetime(2026, 1, 19, tzinfo=UTC).date())


def check_named(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    return next(check for check in result.get_asset_check_evaluations() if check.check_name == name)


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    return {name: value.value for name, value in result.asset_materializations_for_node("reply_sentiment")[0].metadata.items()}


def test_three_weeks_are_judged_in_one_run_which_shows_what_they_say(connection: Connection, run: Run) -> None:
    for week in range(3):
        write_replies(connection, week=week)
    result = run("classify_replies", tags=THREE_WEEKS)
    assert result.success
    assert {method for _, method, _ in judged(connection).values()} == {"llm"}
    shown = metadata_of(result)
    assert (shown["replies_judged_now"], shown["model_questions"], shown["left_for_another_run"]) == (
        3 * len(TEXTS),
        3 * len(TEXTS),
        0,
    )
    assert isinstance(shown["cost_usd"], float)
    assert shown["cost_usd"] > 0
    assert "data:image/png" in str(shown["labels_by_week"])
    assert all(text not in str(shown) for text in TEXTS)
    materialized = result.asset_materializations_for_node("reply_sentiment")
    assert {each.partition for each in materialized} == {"2026-01-05", "2026-01-12", "2026-01-19"}
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_without_a_model_of_ones_own_rules_judge(connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    write_replies(connection)
    result = run("classify_replies", partition_key="2026-01-05")
    assert result.success
    assert {method for _, method, _ in judged(connection).values()} == {"rules"}
    assert check_named(result, "models_answer").description == "no model was asked"


def test_a_check_tells_when_rules_had_to_stand_in(connection: Connection, run: Run, model_server: Served) -> None:
    write_replies(connection)
    model_server.set_fault(match=CHAT, kind="answer", answer="refusal", times=2)
    result = run("classify_replies", partition_key="2026-01-05")
    assert result.success
    check = check_named(result, "models_answer")
    assert not check.passed
    assert f"2 of {len(TEXTS)}" in (check.description or "")
    assert "refusal 2" in (check.description or "")


def test_checks_tell_a_label_that_its_score_contradicts_and_weeks_that_turn(connection: Connection, run: Run) -> None:
    for week, text in enumerate(("Sure, let's talk on Tuesday.", "Not interested, thanks.")):
        outcomes = write_replies(connection, [text] * 40, week=week)
    record(connection, [event(outcomes[0], "reply_classified", 30, method="human", label="positive", score=-0.9)])
    connection.commit()
    result = run("classify_replies", tags=THREE_WEEKS)
    assert result.success
    assert "1 replies have a label" in (check_named(result, "labels_agree_with_scores").description or "")
    assert not check_named(result, "labels_agree_with_scores").passed
    assert not check_named(result, "replies_say_what_they_said").passed


def test_the_ceiling_holds_for_a_run_and_the_rest_is_said(
    connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_REPLY_BUDGET_USD", "0.0003")
    monkeypatch.setenv("FLYWHEEL_REPLY_CONCURRENCY", "1")
    write_replies(connection, [f"Could you tell me more about {number}?" for number in range(30)])
    shown = metadata_of(run("classify_replies", partition_key="2026-01-05"))
    assert int(str(shown["left_for_another_run"])) + int(str(shown["replies_judged_now"])) == 30
    assert 0 < int(str(shown["left_for_another_run"])) < 30


def tick(instance: dg.DagsterInstance, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"flywheel": Flywheel()}, definitions=build_defs()
    ) as context:
        result = new_replies(context)
    assert isinstance(result, dg.SensorResult)
    return list(result.run_requests or []), result.cursor


def test_the_sensor_asks_for_the_weeks_to_which_replies_came(
    configured: Database, connection: Connection, instance: dg.DagsterInstance
) -> None:
    outcomes = write_replies(connection, week=1)
    requests, cursor = tick(instance, None)
    assert [request.partition_key for request in requests] == ["2026-01-12"]
    requests, cursor = tick(instance, cursor)
    assert requests == []
    record(connection, [event(outcomes[0], "opened", 9)])  # no reply, but the row with a reply that is due has changed
    write_replies(connection, week=2, name="later")
    requests, cursor = tick(instance, cursor)
    assert [request.tags["dagster/asset_partition_range_start"] for request in requests] == ["2026-01-12"]
    assert [request.tags["dagster/asset_partition_range_end"] for request in requests] == ["2026-01-19"]


def test_every_night_what_is_left_is_judged(
    configured: Database, connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    def requests() -> object:
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 2, 3, 0, 45, tzinfo=UTC), resources={"flywheel": Flywheel()}
        ) as context:
            return nightly_replies(context)

    write_replies(connection, week=0)
    write_replies(connection, week=3)
    found = requests()
    assert isinstance(found, list)
    assert [request.run_key for request in found] == ["2026-02-03:2026-01-05", "2026-02-03:2026-01-26"]
    for request in found:
        assert run("classify_replies", tags=dict(request.tags)).success
    assert isinstance(requests(), dg.SkipReason)
