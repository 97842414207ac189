"""Lead scoring in the graph: the fiftieth told lead starts a run by itself, versions are learnt and deployed, and drift turns checks red."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.lead_trainings import FEEDBACK_THROUGH, Trainings
from flywheel_dagster.names import LEAD_DRIFT
from flywheel_dagster.partitions import organizations
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.sensors import enough_lead_feedback, organization_scopes
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.making import NEW_YEAR, leads, score, tell, told
from flywheel_dagster_tests.orchestration.conftest import Run
from flywheel_dagster_tests.orchestration.test_assets import checks, metadata, unmet

Connection = psycopg.Connection[TupleRow]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _one_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from flywheel_dagster.leads.learning.logistic import Logistic

    monkeypatch.setattr(Logistic, "settings", (0.3,))


def _tick(instance: dg.DagsterInstance) -> dg.SensorResult:
    with dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
        result = enough_lead_feedback(context)
    assert isinstance(result, dg.SensorResult)
    return result


def _requested(instance: dg.DagsterInstance) -> list[tuple[str | None, str | None]]:
    return [(each.partition_key, each.run_key) for each in _tick(instance).run_requests or []]


def test_at_the_fiftieth_told_lead_a_run_is_asked_for_with_its_partition(
    connection: Connection, configured: Database, instance: dg.DagsterInstance
) -> None:
    assert enough_lead_feedback.default_status is dg.DefaultSensorStatus.RUNNING
    assert "no organization told of 50 leads" in str(_tick(instance).skip_reason)
    given = told(connection, 49)
    tell(connection, given, at=NEW_YEAR + timedelta(days=90))  # the same words again are no news
    assert _requested(instance) == []
    told(connection, 1, start=49)
    newest = connection.execute("select max(id)::text from lead_feedback").fetchone()
    through = newest and newest[0]
    result = _tick(instance)
    (request,) = result.run_requests or []
    assert (request.partition_key, request.run_key, request.tags[FEEDBACK_THROUGH]) == ("acme", f"acme:{through}:1", through)
    (added,) = result.dynamic_partitions_requests or []
    assert (added.partitions_def_name, list(added.partition_keys)) == ("organizations", ["acme"])
    instance.add_dynamic_partitions("organizations", ["acme"])
    assert not _tick(instance).dynamic_partitions_requests


def test_a_lead_that_is_taken_back_does_not_count(
    connection: Connection, configured: Database, instance: dg.DagsterInstance
) -> None:
    given = told(connection, 50)
    tell(connection, [leads(1)[0].__class__(given[0].lead_id, {}, None)], at=NEW_YEAR + timedelta(days=99))
    assert _requested(instance) == []


def test_the_run_learns_and_deploys_and_nothing_is_left_to_ask_for(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    told(connection, 120)
    instance.add_dynamic_partitions("organizations", ["acme"])
    done = run("learn_lead_scores", partition_key="acme", tags={FEEDBACK_THROUGH: "120"})
    assert done.success, unmet(done)
    assert checks(done) == {"enough_told_leads": True, "features_before_outcomes": True, "no_leaking_field": True}
    feedback = metadata(done, "lead_feedback")
    assert (feedback["dagster/row_count"], feedback["waiting"], feedback["with_outcome"]) == (120, 0, 0)
    assert "| feedback | 120 |" in feedback["by_source"] and "data:image/png;base64," in feedback["by_week"]
    model = metadata(done, "lead_scoring_model")
    assert model["version"] == "1.0" and 0.7 < model["auc_low"] < model["auc"] < model["auc_high"]
    assert model["leakage_warnings"] == "no field predicts too well" and "| logistic | 120 |" in model["by_estimator"]
    for plot in ("roc", "calibration", "telling_fields"):
        assert "data:image/png;base64," in model[plot] and len(model[plot]) < 4 / 3 * 20_480
    deployment = metadata(done, "lead_scoring_deployment")
    assert (deployment["serving"], deployment["decision"]) == ("1.0", "deploy") and "| deploy | 1.0 | prior |" in deployment[
        "history"
    ]
    assert _requested(instance) == []
    again = run("learn_lead_scores", partition_key="acme")
    assert metadata(again, "lead_scoring_model")["new"] is False
    assert metadata(again, "lead_scoring_deployment")["reason"] == "1.0 is deployed already"


def test_leads_of_one_outcome_make_no_model_and_no_failure_and_are_not_tried_again(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    lost = [lead for lead in leads(120) if not lead.outcome][:60]
    score(connection, lost)
    tell(connection, lost)
    instance.add_dynamic_partitions("organizations", ["acme"])
    assert _requested(instance) == [("acme", "acme:60:1")]
    done = run("learn_lead_scores", partition_key="acme")
    assert done.success, unmet(done)
    assert metadata(done, "lead_scoring_model")["version"] == "none yet" and not checks(done)["enough_told_leads"]
    assert "acme: 60 told leads are held out (0 converted, 60 lost)" in unmet(done) and "10 more converted" in unmet(done)
    assert metadata(done, "lead_scoring_deployment")["serving"] == "prior"
    assert _requested(instance) == []


def test_three_organizations_are_one_run_or_three(connection: Connection, run: Run, instance: dg.DagsterInstance) -> None:
    names = ["acme", "beta", "gamma"]
    instance.add_dynamic_partitions("organizations", names)
    for number, name in enumerate(names):
        told(connection, 60 + number, organization=name)
    tags = {"dagster/asset_partition_range_start": "acme", "dagster/asset_partition_range_end": "gamma"}
    done = run("learn_lead_scores", tags=tags)
    assert done.success, unmet(done)
    of_models = [
        event.materialization
        for event in done.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("lead_scoring_model")
    ]
    assert {each.partition: each.metadata["dagster/row_count"].value for each in of_models} == {"acme": 60, "beta": 61, "gamma": 62}
    assert connection.execute("select organization_id, version, rows from lead_models order by 1").fetchall() == [
        ("acme", "1.0", 60),
        ("beta", "1.0", 61),
        ("gamma", "1.0", 62),
    ]


def test_partitions_follow_the_organizations_that_score_leads(
    connection: Connection, configured: Database, instance: dg.DagsterInstance
) -> None:
    for name in ("beta", "acme"):
        score(connection, leads(2), organization=name)
    with dg.build_sensor_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
        result = organization_scopes(context)
    assert isinstance(result, dg.SensorResult)
    assert [(each.partitions_def_name, list(each.partition_keys)) for each in result.dynamic_partitions_requests or []] == [
        (organizations.name, ["acme", "beta"])
    ]


def test_a_failed_training_is_tried_again_later_but_not_for_ever(
    connection: Connection, run: Run, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(connection, 60)
    instance.add_dynamic_partitions("organizations", ["acme"])
    from flywheel_dagster.leads import training

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(training, "read_told_leads", broken)
    assert not run("learn_lead_scores", partition_key="acme", tags={FEEDBACK_THROUGH: "60"}).success
    assert "acme has 60 newly told leads, but the last training failed; the next attempt is at" in str(_tick(instance).skip_reason)


@pytest.mark.parametrize(
    ("tried", "waits"),
    [
        (Trainings(False, 0, None, 0), None),
        (Trainings(True, 0, None, 1), "under way"),
        (Trainings(False, 1, NOW - timedelta(minutes=59), 1), "next attempt is at 2026-11-22 12:01 UTC"),
        (Trainings(False, 1, NOW - timedelta(minutes=61), 1), None),
        (Trainings(False, 2, NOW - timedelta(minutes=61), 2), "next attempt is at 2026-11-22 12:59 UTC"),
        (Trainings(False, 9, NOW - timedelta(hours=25), 0), None),
        (Trainings(False, 3, NOW - timedelta(days=9), 3), "3 trainings on the same feedback led to nothing"),
    ],
)
def test_attempts_wait_longer_each_time(tried: Trainings, waits: str | None) -> None:
    found = tried.reason_to_wait(NOW)
    assert found is None if waits is None else found is not None and waits in found


def test_drift_turns_the_checks_red_and_says_of_whom(connection: Connection, run: Run, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("organizations", ["acme"])
    quiet = run("watch_lead_scores")
    assert quiet.success and checks(quiet) == dict.fromkeys(LEAD_DRIFT, True)
    told(connection, 400)
    assert run("learn_lead_scores", partition_key="acme").success
    later = leads(200, start=400)
    score(connection, later, version="1.0", scores=[0.1 + 0.8 * (each.features["website_visits"] > 6) for each in later])
    tell(connection, later)
    same = run("watch_lead_scores")
    assert checks(same)["fields_are_stable"] and checks(same)["auc_holds"] and checks(same)["calibration_holds"], unmet(same)
    moved = leads(500, start=600, strength=0)
    for lead in moved:
        lead.features["email_opens"] += 5
    score(connection, moved, version="1.0", scores=[0.9] * len(moved))
    tell(connection, moved)
    drifted = run("watch_lead_scores")
    assert checks(drifted) == dict.fromkeys(LEAD_DRIFT, False)
    assert "acme: email_opens" in unmet(drifted) and "leads converted, where scores said" in unmet(drifted)
    plots = [each.metadata["plot_1"].value for each in drifted.get_asset_check_evaluations() if "plot_1" in each.metadata]
    assert len(plots) == 3 and all("data:image/png;base64," in str(each) for each in plots)


def test_what_came_with_the_outcome_and_fields_that_leak_are_warned_of(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("organizations", ["acme"])
    given = leads(150)
    for lead in given:
        lead.features["closing_reason"] = "signed" if lead.outcome else "too dear"
    score(connection, given, late=True)
    tell(connection, given)
    done = run("learn_lead_scores", partition_key="acme")
    assert done.success
    assert checks(done) == {"enough_told_leads": True, "features_before_outcomes": False, "no_leaking_field": False}
    assert "150 of 150 leads were scored only when their outcome was known" in unmet(done) and "look at closing_reason" in unmet(
        done
    )
    assert "closing_reason" in metadata(done, "lead_scoring_model")["leakage_warnings"]
