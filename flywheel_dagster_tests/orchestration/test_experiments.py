"""Experiments in the graph: verdicts by asset and schedule, promotion and roll-back by job, the sensor for harm, first traffic after training."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.models.deployment import deploy, promote
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import daily_verdicts
from flywheel_dagster.sensors import breached_guardrails
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.models.verdicts.making import Trial
from flywheel_dagster_tests.orchestration.conftest import Run
from flywheel_dagster_tests.orchestration.test_assets import WEEK, checks, metadata, unmet
from flywheel_dagster_tests.orchestration.test_training import write_deals

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def scope_of_acme(instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("scopes", ["acme"])


def test_the_daily_verdict_promotes_on_evidence_and_shows_it(connection: Connection, run: Run) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08, meeting=0.02)
    trial.units("variant_a", 2000, replied=0.16, meeting=0.05)
    judged = run("judge_experiment", partition_key="acme")
    assert judged.success, unmet(judged)
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    told = metadata(judged, "experiment_verdict")
    assert (told["verdict"], told["done"]) == ("variant_a: promote", "promote")
    assert "data:image/png;base64," in told["confidence_sequence_variant_a"]
    assert "| 14 | variant_a | " in told["funnel"]
    assert "sample_ratio" in told["criteria"] and "spam_reported" in told["criteria"]
    assert checks(judged) == {"sample_ratio_holds": True, "guardrails_hold": True, "promotions_hold": True}
    again = run("judge_experiment", partition_key="acme")
    assert metadata(again, "experiment_verdict")["verdict"] == "none"
    assert "| confirmed |" in metadata(again, "experiment_verdict")["looked_at_again"]


def test_a_verdict_that_may_not_act_is_only_written_down(connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_EXPERIMENT_ACTS", "false")
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.3)
    assert metadata(run("judge_experiment", partition_key="acme"), "experiment_verdict")["done"] == "none"
    assert arms(connection)["control"] == ("v1.0.0", 50)
    promoted = run("promote_winner", run_config={"ops": {"judge_and_promote": {"config": {"scope": "acme"}}}})
    assert promoted.success
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    assert connection.execute("select action from experiment_decisions order by id").fetchall() == [("none",), ("promote",)]


def test_lost_units_and_harm_turn_the_checks_red(connection: Connection, run: Run) -> None:
    trial = Trial(connection, variant_share=50, days=3)
    trial.units("control", 2000, spam_reported=0.001)
    trial.units("variant_a", 1500, spam_reported=0.05)
    judged = run("judge_experiment", partition_key="acme")
    assert judged.success, unmet(judged)
    assert checks(judged) == {"sample_ratio_holds": False, "guardrails_hold": False, "promotions_hold": True}
    assert arms(connection) == {"control": ("v1.0.0", 100)}


def test_a_scope_without_an_experiment_is_judged_without_fuss(run: Run) -> None:
    judged = run("judge_experiment", partition_key="acme")
    assert judged.success, unmet(judged)
    assert "no experiment runs" in metadata(judged, "experiment_verdict")["reason"]


def test_the_schedule_judges_scopes_with_experiments_and_unsettled_promotions(
    connection: Connection, configured: object, stored_instance: dg.DagsterInstance
) -> None:
    def tick() -> object:
        when = datetime(2026, 11, 23, 6, tzinfo=UTC)
        with dg.build_schedule_context(
            instance=stored_instance, scheduled_execution_time=when, resources={"flywheel": Flywheel()}
        ) as context:
            found = daily_verdicts(context)
        return found.skip_message if isinstance(found, dg.SkipReason) else [each.partition_key for each in found]  # type: ignore[union-attr]

    assert tick() == "no experiment runs, and every promotion is settled"
    Trial(connection)
    assert tick() == ["acme"]


def test_the_job_rollback_brings_the_control_before_back_or_ends_a_variant(connection: Connection, run: Run) -> None:
    first, second, third = (model(connection, f"v1.{number}.0") for number in range(3))
    for verb in (deploy(first), promote(second), deploy(third, 10, "variant_a")):
        verb.run(connection)
    connection.commit()
    given = {"scope": "acme", "arm": "variant_a", "reason": "complaints"}
    assert run("rollback", run_config={"ops": {"roll_back": {"config": given}}}).success
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    assert run("rollback", run_config={"ops": {"roll_back": {"config": {"scope": "acme"}}}}).success
    assert arms(connection) == {"control": ("v1.0.0", 100)}
    failed = run("rollback", run_config={"ops": {"roll_back": {"config": {"scope": "acme"}}}})
    assert not failed.success
    assert connection.execute("select distinct reason from model_changes where action = 'roll_back' order by 1").fetchall() == [
        ("complaints",),
        (None,),
    ]


def test_the_sensor_takes_back_a_variant_that_does_harm_once_an_hour(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    assert breached_guardrails.default_status is dg.DefaultSensorStatus.STOPPED

    def tick() -> list[dg.RunRequest]:
        with dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
            found = breached_guardrails(context)
        return [] if isinstance(found, dg.SkipReason) else list(found)  # type: ignore[call-overload]

    assert tick() == []
    trial = Trial(connection, days=3)
    trial.units("control", 1800, unsubscribed=0.01)
    assert tick() == []
    trial.units("variant_a", 200, unsubscribed=0.2)
    (asked,) = tick()
    assert asked.run_key == tick()[0].run_key or datetime.now(UTC).minute == 0
    assert run("rollback", run_config=asked.run_config).success
    assert arms(connection) == {"control": ("v1.0.0", 100)}
    assert connection.execute("select verdict, action from experiment_decisions").fetchall() == [("roll_back", "end_variant")]
    connection.commit()
    assert tick() == []
    deploy(model(connection, "v1.7.0"), 10, "variant_a").run(connection)
    connection.commit()
    assert run("rollback", run_config=asked.run_config).success
    assert arms(connection)["variant_a"] == ("v1.7.0", 10), "another model by now, which is left alone"


def test_what_each_version_achieved_is_shown_and_silent_feeds_are_told(connection: Connection, run: Run) -> None:
    trial = Trial(connection)
    trial.units("control", 90, replied=0.1)
    shown = run("compare_models")
    assert shown.success
    assert "| acme | v1.0.0 | control, 90 % | 90 | 10.00% |" in metadata(shown, "model_performance")["leaderboard"]
    assert checks(shown) == {"feeds_alive": True}
    now = datetime.now(UTC)
    connection.execute(
        "insert into webhook_events (event_key, organization_id, event_type, occurred_at, received_at, source, matched)"
        " select gen_random_uuid(), 'acme', 'opened', at, at, 'hubspot', true from generate_series(%s::timestamptz, %s, '12 hours') at",
        (now - timedelta(days=25), now - timedelta(days=4)),
    )
    connection.commit()
    assert checks(run("compare_models")) == {"feeds_alive": False}


def test_a_trained_version_gets_its_first_traffic_where_the_scope_wants_it(
    connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(model(connection, "v0.9.0", None)).run(connection)
    connection.commit()
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    first = run("train_scope", partition_key="global")
    assert first.success
    assert metadata(first, "model_registry_entry")["first_traffic"] == "nobody asked for it"
    monkeypatch.setenv("FLYWHEEL_DEPLOY_GLOBAL", "true")
    second = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("model_registry_entry")])
    assert second.success, unmet(second)
    told = metadata(second, "model_registry_entry")
    assert (told["status"], told["deployed"]) == ("deployed", True)
    assert arms(connection, "global") == {"control": ("v0.9.0", 90), "variant_a": (told["model_version"], 10)}


def test_a_run_can_ask_for_version_quality_and_traffic(connection: Connection, run: Run) -> None:
    deploy(model(connection, "v0.9.0", None)).run(connection)
    connection.commit()
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    asked = {"model_version": "v2.5.0", "deploy_immediately": True, "ab_test_percentage": 25.0}
    config = {
        "training_jsonl": {"min_quality_score": 0.7},
        "fine_tuned_model": {"model_version": "v2.5.0"},
        "model_registry_entry": asked,
    }
    trained = run(
        "train_scope", partition_key="global", run_config={"ops": {name: {"config": given} for name, given in config.items()}}
    )
    assert trained.success, unmet(trained)
    assert arms(connection, "global") == {"control": ("v0.9.0", 75), "variant_a": ("v2.5.0", 25)}
    assert "-v2-5-0:" in metadata(trained, "fine_tuned_model")["model_id"]
    (settings,) = connection.execute("select settings from dataset_publications").fetchone() or ({},)
    assert settings["min_quality"] == 0.7
    assert connection.execute(statement("running_experiments")).fetchall() == [("global",)]


def test_a_run_that_was_started_again_after_its_commit_rolls_back_once(connection: Connection, run: Run) -> None:
    for number in range(3):
        promote(model(connection, f"v1.{number}.0")).run(connection)
    connection.commit()
    config = {"ops": {"roll_back": {"config": {"scope": "acme"}}}}
    first = run("rollback", run_config=config)
    again = run("rollback", run_config=config, tags={"dagster/root_run_id": first.run_id, "dagster/parent_run_id": first.run_id})
    assert (first.success, again.success) == (True, True)
    assert arms(connection) == {"control": ("v1.1.0", 100)}
