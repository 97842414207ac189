"""Training as Dagster runs it: the losses people see, preference pairs, notices of a provider, and bases that end."""

import shutil
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.build import build_defs
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.sensors import late_trainings
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.orchestration.conftest import Run, write_deals
from flywheel_dagster_tests.orchestration.test_assets import WEEK, metadata, unmet, why
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]


def write_failures(connection: Connection, count: int) -> None:
    lost = [
        message(
            organization_id="acme", lead_id=f"refused {number}", message_body=f"Buy now, {number} per cent off number {number}",
            sent_at=MONDAY + timedelta(minutes=number),
        )
        for number in range(count)
    ]  # fmt: skip
    send(connection, lost)
    record(connection, [event(sent.id, "unsubscribed") for sent in lost])
    connection.commit()


def test_losses_cost_and_time_are_shown_where_people_look(connection: Connection, run: Run) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    shown = metadata(run("train_scope", partition_key="global"), "fine_tuned_model")
    assert str(shown["loss"]).startswith("![Loss](data:image/png;base64,")
    assert len(str(shown["loss"])) < 30_000
    assert float(str(shown["duration_seconds"])) > 0
    assert float(str(shown["estimated_cost_usd"])) > 0
    assert abs(float(str(shown["cost_usd"])) / float(str(shown["estimated_cost_usd"])) - 1) < 0.5
    points = connection.execute("select jsonb_array_length(loss_curve), estimated_usd > 0 from fine_tuning_jobs").fetchone()
    assert points is not None
    assert points[0] >= 3
    assert points[1]


def test_by_preference_the_pairs_are_trained_on(
    connection: Connection, run: Run, configured: Database, monkeypatch: pytest.MonkeyPatch, model_server: Served
) -> None:
    monkeypatch.setenv("FLYWHEEL_TRAINING_METHOD", "dpo")
    monkeypatch.setenv("FLYWHEEL_MIN_EXAMPLES", "20")
    write_deals(connection, 40)
    write_failures(connection, 40)
    assert run("score_weeks", partition_key=str(WEEK)).success
    trained = run("train_scope", partition_key="global")
    assert trained.success, why(trained)
    assert metadata(trained, "fine_tuned_model")["method"] == "dpo"
    assert metadata(trained, "fine_tuned_model")["dataset_hash"] == metadata(trained, "preference_pairs")["dataset_hash"]
    assert not [each for each in trained.get_asset_materialization_events() if each.asset_key == dg.AssetKey("training_jsonl")]
    job_id = str(metadata(trained, "fine_tuned_model")["job_id"])
    method = model_server.client.fine_tuning.jobs.retrieve(job_id).method
    assert method is not None
    assert method.type == "dpo"
    assert connection.execute("select model_version, status from model_registry").fetchone() == ("v1.0.0", "ready")


def test_a_method_that_the_trainer_lacks_is_refused_in_one_line(
    connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_TRAINER", "exemplars")
    monkeypatch.setenv("FLYWHEEL_TRAINING_METHOD", "dpo")
    refused = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("fine_tuned_model")])
    assert not refused.success
    assert "FLYWHEEL_TRAINING_METHOD is dpo, but the trainer exemplars can only do supervised" in why(refused)


def tick(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}, definitions=build_defs())
    result = late_trainings(context)
    assert isinstance(result, dg.SensorResult)
    return list(result.run_requests or [])


def test_a_training_whose_end_is_reported_after_its_run_is_gone_is_gone_on_with(
    connection: Connection, run: Run, instance: dg.DagsterInstance, model_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    before = model_server.count_calls()["jobs_created"]
    model_server.set_fault(kind="job_slow", seconds=0, looks=3)
    monkeypatch.setenv("FLYWHEEL_TRAINING_TIMEOUT_HOURS", "0.0000001")  # the run gives up at its first look
    assert not run("train_scope", partition_key="global").success
    monkeypatch.delenv("FLYWHEEL_TRAINING_TIMEOUT_HOURS")
    assert tick(instance) == []
    connection.execute(
        "insert into training_notices (webhook_id, event_type, job_id)"
        " select 'wh_9', 'fine_tuning.job.succeeded', provider_job_id from fine_tuning_jobs"
    )
    connection.commit()
    (request,) = tick(instance)
    assert (request.partition_key, request.run_key) == ("global", "global:wh_9")
    write_deals(
        connection, 60, week=1
    )  # the dataset and the settings of today are others: the job that was paid for is what is collected
    assert run("score_weeks", partition_key="2026-01-12").success
    assert run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("training_jsonl")]).success
    monkeypatch.setenv("FLYWHEEL_EPOCHS", "2")
    config = dict(request.run_config)
    gone_on = run("train_scope", partition_key="global", asset_selection=request.asset_selection, run_config=config)
    assert gone_on.success, why(gone_on)
    assert metadata(gone_on, "model_registry_entry")["model_version"] == "v1.0.0"
    assert model_server.count_calls()["jobs_created"] == before + 1
    assert tick(instance) == []


def watched(run: Run) -> dg.AssetCheckEvaluation:
    (check,) = run("watch_bases").get_asset_check_evaluations()
    return check


def test_a_deployed_model_whose_base_ends_turns_red_with_a_plan(
    connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_BASE_MODEL", "gpt-6-luna")
    assert watched(run).passed
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    assert run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("training_jsonl")]).success
    connection.execute(
        "insert into model_registry (model_id, model_version, base_model, trainer, status, ab_test_group, traffic_percentage)"
        " values ('ft:x', 'v1.0.0', 'gpt-4o-2024-08-06', 'openai', 'deployed', 'control', 100)"
    )
    connection.commit()
    red = watched(run)
    soon = (date(2027, 1, 14) - datetime.now(UTC).date()).days <= 60
    assert red.passed is not soon
    assert connection.execute("select base_ends_on from model_registry").fetchone() == (date(2027, 1, 14),)
    if soon:
        assert red.severity is dg.AssetCheckSeverity.ERROR
        assert "gpt-4o-2024-08-06" in str(red.description)
        plan = str(red.metadata["instead"].value)
        assert "together" in plan and "exemplars" in plan and "| openai" not in plan


def test_a_base_that_would_be_trained_next_warns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_BASE_MODEL", "gpt-4.1-nano-2025-04-14")  # ended on 2026-10-23
    warned = watched(run)
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "was switched off on 2026-10-23" in str(warned.description)


def test_a_list_that_can_not_be_read_warns_and_the_announcements_count_all_the_same(
    connection: Connection, run: Run, model_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_BASE_MODEL", "gpt-6-luna")
    model_server.set_fault(match="GET /v1/models", kind="status", status=404, times=None)
    warned = watched(run)
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no base in use ends within 60 days; the provider's list could not be read: " in str(warned.description)
    connection.execute(
        "insert into model_registry (model_id, model_version, base_model, trainer, status, ab_test_group, traffic_percentage)"
        " values ('ft:x', 'v1.0.0', 'gpt-4-0613', 'openai', 'deployed', 'control', 100)"
    )
    connection.commit()
    red = watched(run)
    assert (red.passed, red.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "was switched off on 2026-10-23" in str(red.description)
    assert "could not be read" in str(red.description)


@pytest.mark.parametrize("trainer", ["together", "azure", "exemplars"])
def test_the_whole_graph_runs_with_each_trainer_by_configuration_alone(
    trainer: str, connection: Connection, run: Run, configured: Database, model_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_server.stand_in(configured.settings.home)
    monkeypatch.setenv("FLYWHEEL_HOME", str(configured.settings.home))
    monkeypatch.setenv("FLYWHEEL_TRAINER", trainer)
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    trained = run("train_scope", partition_key="global")
    assert trained.success, unmet(trained)
    shown = metadata(trained, "fine_tuned_model")
    assert shown["trainer"] == trainer
    registered = "select trainer, model_id, status, base_model from model_registry"
    assert connection.execute(registered).fetchall() == [(trainer, shown["model_id"], "ready", shown["base_model"])]
    assert connection.execute("select count(*) from model_answers where trainer = %s", (trainer,)).fetchone() != (0,)


def test_an_earlier_job_is_not_forgotten_when_the_next_dataset_is_trained_on(
    connection: Connection, run: Run, model_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    model_server.set_fault(kind="job_slow", seconds=0, looks=3)
    monkeypatch.setenv("FLYWHEEL_TRAINING_TIMEOUT_HOURS", "0.0000001")
    assert not run("train_scope", partition_key="global").success
    monkeypatch.delenv("FLYWHEEL_TRAINING_TIMEOUT_HOURS")
    (first,) = connection.execute("select provider_job_id from fine_tuning_jobs").fetchall()[0]
    connection.commit()
    model_server.wait(first)
    write_deals(connection, 60, week=1)
    assert run("score_weeks", partition_key="2026-01-12").success
    second = run("train_scope", partition_key="global")
    assert second.success, unmet(second)
    jobs = connection.execute("select status, model_id is not null from fine_tuning_jobs").fetchall()
    connection.commit()
    assert jobs == [("succeeded", True)] * 2
    collected = run(
        "train_scope", partition_key="global", run_config={"ops": {"fine_tuned_model": {"config": {"job_id": first}}}},
        asset_selection=[dg.AssetKey(name) for name in ("fine_tuned_model", "model_evaluation", "model_registry_entry")],
    )  # fmt: skip
    assert collected.success, unmet(collected)
    assert connection.execute("select fine_tuning_job_id from model_registry order by model_version").fetchall()[1] == (first,)


def test_settings_changed_between_steps_change_neither_the_model_nor_its_dataset(
    connection: Connection, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    first = [dg.AssetKey(name) for name in ("training_jsonl", "fine_tuned_model")]
    assert run("train_scope", partition_key="global", asset_selection=first).success
    unexamined = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("model_registry_entry")])
    assert "was not examined; materialize model_evaluation" in why(unexamined)
    monkeypatch.setenv("FLYWHEEL_EPOCHS", "7")
    monkeypatch.setenv("FLYWHEEL_LEARNING_RATE", "0.5")
    rest = [dg.AssetKey(name) for name in ("model_evaluation", "model_registry_entry")]
    done = run("train_scope", partition_key="global", asset_selection=rest)
    assert done.success, unmet(done)
    assert connection.execute(
        "select count(*), min(settings_hash) = (select settings_hash from fine_tuning_jobs) from model_registry"
    ).fetchone() == (1, True)


def test_a_version_follows_its_newest_examination_until_it_serves(connection: Connection, run: Run, model_server: Served) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    assert run("train_scope", partition_key="global").success

    def examined(*, refusing: bool) -> bool:
        if refusing:
            model_server.set_fault(kind="answer", answer="refusal", times=None)
        config = {"ops": {"model_evaluation": {"config": {"again": True}}}}
        done = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("model_evaluation")], run_config=config)
        model_server.http.delete("/sandbox/faults")
        return done.success

    def status() -> str:
        found = connection.execute("select status from model_registry").fetchall()
        connection.commit()
        return str(found[0][0])

    assert not examined(refusing=True)
    assert status() == "failed"
    assert examined(refusing=False)
    assert status() == "failed", "registering is the next step's"
    registered = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("model_registry_entry")])
    assert registered.success, unmet(registered)
    assert status() == "ready"
    connection.execute("update model_registry set status = 'deployed', ab_test_group = 'control', traffic_percentage = 100")
    connection.commit()
    assert not examined(refusing=True)
    assert status() == "deployed"


def test_an_index_that_was_lost_is_made_anew_when_asked_for(
    connection: Connection, run: Run, configured: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_TRAINER", "exemplars")
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    first = run("train_scope", partition_key="global")
    assert first.success, unmet(first)
    shutil.rmtree(configured.settings.training_data_dir / "models" / str(metadata(first, "fine_tuned_model")["model_id"]))
    resubmit = {"ops": {"fine_tuned_model": {"config": {"resubmit": True}}}}
    again = run("train_scope", partition_key="global", run_config=resubmit)
    assert again.success, unmet(again)
    model = metadata(again, "fine_tuned_model")["model_id"]
    assert (configured.settings.training_data_dir / "models" / str(model)).is_dir()
    assert connection.execute("select model_id, status from model_registry").fetchall() == [(model, "ready")]
