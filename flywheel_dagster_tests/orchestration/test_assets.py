"""The assets, run as Dagster runs them."""

import json
from datetime import date
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.partitions import range_tags
from flywheel_dagster.run import failure_text
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.orchestration.conftest import Run, write_deals
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message, row_of
from flywheel_dagster_tests.outcomes.test_derived_columns import insert
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
WEEK = date(2026, 1, 5)


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = [event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey(asset)][:1]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def why(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(failure_text(event) for event in result.all_events if event.is_step_failure)


def unmet(result: dg.ExecuteInProcessResult) -> str:
    return why(result) + " ".join(str(check.description) for check in result.get_asset_check_evaluations() if not check.passed)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def test_the_whole_loop_from_outcomes_to_a_registered_model(
    connection: Connection, run: Run, configured: Database, model_server: Served
) -> None:
    write_deals(connection, 70)
    write_deals(connection, 5, organization="private", consent=False)
    insert(connection, message_body="lost", bounced=True, sent_at=message().sent_at)
    connection.commit()
    before = model_server.count_calls()["jobs_created"]
    assert run("score_weeks", partition_key=str(WEEK)).success
    trained = run("train_scope", partition_key="global")
    assert trained.success, unmet(trained)
    assert {name: passed for name, passed in checks(trained).items() if name != "bases_stay"} == dict.fromkeys(
        [
            "enough_examples",
            "valid_chat_format",
            "no_lead_on_both_sides",
            "no_group_on_both_sides",
            "manifest_names_every_line",
            "no_address_left",
            "weeks_are_current",
            "fit_to_serve",
        ],
        True,
    )

    dataset = metadata(trained, "training_jsonl")
    assert dataset["candidates"] == 76
    assert dataset["dagster/row_count"] == 70
    folder = Path(str(dataset["folder"]))
    lines = [
        json.loads(line)
        for name in ("train.jsonl", "validation.jsonl", "test.jsonl")
        for line in (folder / name).read_text().splitlines()
    ]
    assert len(lines) == 70
    assert all(
        list(line) == ["messages"] and [turn["role"] for turn in line["messages"]] == ["system", "user", "assistant"]
        for line in lines
    )
    assert not any("Outcome" in line["messages"][2]["content"] for line in lines)

    entry = metadata(trained, "model_registry_entry")
    assert entry["model_version"] == "v1.0.0"
    assert str(entry["model_id"]).startswith("ft:gpt-4o-2024-08-06:flywheel-sandbox:flywheel-v1-0-0")
    assert entry["deals_in_training"] == 70
    assert connection.execute("select count(*) from outcome_labels where included_in_training").fetchone() == (70,)

    again = run("train_scope", partition_key="global")
    assert again.success
    assert metadata(again, "model_registry_entry")["new"] is False
    assert model_server.count_calls()["jobs_created"] == before + 1


def test_a_new_week_of_data_is_a_new_minor_version_and_a_new_format_a_major_one(
    connection: Connection, run: Run, configured: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for week, note in ((0, ""), (1, ""), (1, "1")):
        monkeypatch.setenv("FLYWHEEL_OUTCOME_NOTE", note)
        if not note:
            write_deals(connection, 60, week=week)
        assert run("score_weeks", tags=range_tags(WEEK, date(2026, 1, 12))).success
        trained = run("train_scope", partition_key="global")
        assert trained.success is not bool(note), unmet(trained)
    assert connection.execute("select model_version, status from model_registry order by created_at").fetchall() == [
        ("v1.0.0", "ready"), ("v1.1.0", "ready"), ("v2.0.0", "failed"),
    ]  # fmt: skip
    assert "outcome" in unmet(trained), "it learnt to write the note to leads"
    folder = Path(str(metadata(trained, "training_jsonl")["folder"]))
    assert "**Outcome:** Deal closed: $100" in (folder / "train.jsonl").read_text()


def test_a_range_of_three_weeks_is_one_run_and_gives_what_three_runs_give(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    for week in range(3):
        write_deals(connection, 4 + week, week=week)
    stored = "select outcome_id, week, quality_score, example from scored_training_rows order by 1"
    assert run("score_weeks", tags=range_tags(WEEK, date(2026, 1, 19))).success
    in_one = connection.execute(stored).fetchall()
    connection.commit()
    for week in ("2026-01-05", "2026-01-12", "2026-01-19"):
        assert run("score_weeks", partition_key=week).success
    assert connection.execute(stored).fetchall() == in_one
    assert len(in_one) == 15
    rows = {
        record.partition_key: record.asset_materialization.metadata["dagster/row_count"].value
        for record in instance.fetch_materializations(dg.AssetKey("scored_training_rows"), limit=6).records
        if record.asset_materialization
    }
    assert rows == {"2026-01-05": 4, "2026-01-12": 5, "2026-01-19": 6}, "each partition shows its own rows, also in a run over many"
    done = instance.get_materialized_partitions(dg.AssetKey("scored_training_rows"))
    assert done == {"2026-01-05", "2026-01-12", "2026-01-19"}


def test_too_few_examples_stop_the_run_before_money_is_spent(connection: Connection, run: Run, model_server: Served) -> None:
    write_deals(connection, 30)
    before = model_server.count_calls()
    assert run("score_weeks", partition_key=str(WEEK)).success
    trained = run("train_scope", partition_key="global")
    assert checks(trained)["enough_examples"] is False
    assert not trained.asset_materializations_for_node("fine_tuned_model")
    assert model_server.count_calls() == before
    assert connection.execute("select count(*) from model_registry").fetchone() == (0,)


def test_the_trainer_looks_at_the_dataset_again_when_it_is_run_alone(
    connection: Connection, run: Run, model_server: Served
) -> None:
    write_deals(connection, 30)
    run("score_weeks", partition_key=str(WEEK))
    run("train_scope", partition_key="global")
    before = model_server.count_calls()
    alone = run("train_scope", partition_key="global", asset_selection=[dg.AssetKey("fine_tuned_model")])
    assert not alone.success
    assert "30 examples" in why(alone)
    assert model_server.count_calls() == before


def test_a_failed_job_fails_the_asset_with_the_providers_message_and_registers_nothing(
    connection: Connection, run: Run, model_server: Served
) -> None:
    write_deals(connection, 60)
    run("score_weeks", partition_key=str(WEEK))
    model_server.set_fault(kind="job_fails", code="exceeded_quota", message="The budget is used up")
    trained = run("train_scope", partition_key="global")
    assert not trained.success
    assert "The budget is used up (exceeded_quota)" in why(trained)
    assert connection.execute("select count(*) from model_registry").fetchone() == (0,)
    connection.commit()
    resubmit = {"ops": {"fine_tuned_model": {"config": {"resubmit": True}}}}
    assert run("train_scope", partition_key="global", run_config=resubmit).success
    assert connection.execute("select count(*), max(model_version) from model_registry").fetchone() == (1, "v1.0.0")


def test_an_organization_trains_on_its_own_messages_only_and_needs_no_consent_to_share(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    write_deals(connection, 60, organization="private", consent=False)
    write_deals(connection, 60, organization="acme")
    instance.add_dynamic_partitions("scopes", ["private"])
    run("score_weeks", partition_key=str(WEEK))
    trained = run("train_scope", partition_key="private")
    assert trained.success, unmet(trained)
    assert metadata(trained, "training_jsonl")["candidates"] == 60
    assert connection.execute("select scope, model_version from model_registry").fetchall() == [("private", "v1.0.0")]


def test_an_unknown_organization_is_named_with_the_remedy(run: Run, instance: dg.DagsterInstance) -> None:
    instance.add_dynamic_partitions("scopes", ["nobody"])
    trained = run("train_scope", partition_key="nobody")
    assert "organization 'nobody' is not known" in why(trained)
    assert "flywheel org add" in why(trained)


def test_observing_outcomes_shows_rows_by_stage_and_no_personal_data(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    write_deals(connection, 3)
    assert run("observe_outcomes").success
    record = instance.get_latest_data_version_record(dg.AssetKey("outcome_labels"))
    assert record is not None
    observation = record.asset_observation
    assert observation is not None
    assert observation.metadata["dagster/row_count"].value == 3
    assert "| deal_closed | 3 |" in str(observation.metadata["by_stage"].value)
    assert "lead 0-0" not in str(observation.metadata)


def test_what_people_see_has_tables_and_plots_and_no_text_of_messages(connection: Connection, run: Run) -> None:
    write_deals(connection, 60)
    scored = metadata(run("score_weeks", partition_key=str(WEEK)), "scored_training_rows")
    trained = metadata(run("train_scope", partition_key="global"), "training_jsonl")
    for shown in (scored, trained):
        assert "data:image/png;base64," in str(shown)
        assert "| --- |" in str(shown)
        assert "pallets" not in str(shown)
        assert len(str(shown)) < 60_000


def test_unmatched_events_are_shown_by_reason_with_what_helps(connection: Connection, run: Run) -> None:
    found = message()
    send(connection, [found])
    record(connection, [event(found.id, "opened"), event(message().id, "opened")])
    connection.commit()
    result = run("link_events")
    shown = metadata(result, "unmatched_events")
    assert (shown["dagster/row_count"], shown["need_attention"]) == (1, 1)
    assert "track_message_sent" in str(shown["by_reason"])
    check = result.get_asset_check_evaluations()[0]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "outcome not known yet" in str(check.description)


def test_meetings_whose_end_has_passed_are_held_once(connection: Connection, run: Run) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [event(sent.id, "meeting_booked", meeting_id="m", meeting_ends_at="2026-01-10T10:00:00Z")])
    connection.commit()
    counts = [metadata(run("complete_meetings"), "held_meetings")["newly_completed"] for _ in range(2)]
    assert counts == [1, 0]
    assert row_of(connection, sent.id)["meeting_completed"] is True


def test_pairs_of_a_scope_are_an_asset_with_checks_and_a_preview(
    connection: Connection, run: Run, configured: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_VALIDATION_SHARE", "0")
    monkeypatch.setenv("FLYWHEEL_TEST_SHARE", "0")
    write_deals(connection, 5)
    lost = [
        message(lead_id=f"other {number}", message_body=f"Buy now, {number} times cheaper than {number}", sent_at=MONDAY)
        for number in range(3)
    ]
    send(connection, lost)
    record(connection, [event(sent.id, "unsubscribed") for sent in lost])
    connection.commit()
    assert run("score_weeks", partition_key=str(WEEK)).success
    paired = run("pair_scope", partition_key="global")
    assert paired.success
    assert checks(paired) == dict.fromkeys(
        ["valid_pairs", "no_lead_on_both_sides", "no_group_on_both_sides", "no_address_left"], True
    )
    shown = metadata(paired, "preference_pairs")
    assert (shown["dagster/row_count"], shown["candidates"]) == (3, 8)
    assert "unsubscribed" not in str(shown["preview"]) and "negative_example" in str(shown["preview"])
    assert "Buy now" not in str(shown["preview"]) and "no counterpart of the same audience | 2" in str(shown["kept_and_dropped"])
    assert len((Path(str(shown["folder"])) / "kto_train.jsonl").read_text().splitlines()) == 6
