"""Launching trainings and following them, against a web server that answers as Dagster's own does."""

import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import dagster as dg
import httpx
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.api import launching
from flywheel_dagster.api.dagster import LOCATION, REPOSITORY
from flywheel_dagster.build import build_defs
from flywheel_dagster.jobs import assets_to_train
from flywheel_dagster.partitions import scopes
from flywheel_dagster_tests.api.conftest import WithDagster
from flywheel_dagster_tests.api.serving import Serving

Connection = psycopg.Connection[TupleRow]
RUN = "/training/run"


def accepted(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert answer.headers["location"] == said["status_url"] == f"/training/status/{said['run_id']}"
    return str(said["run_id"])


def status(client: httpx.Client, asked: str) -> Any:
    answer = client.get(f"/training/status/{asked}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def launched(beside: WithDagster) -> Mapping[str, Any]:
    (run,) = beside.dagster.launched.values()
    return run


def tags_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["executionMetadata"]["tags"]}


def bought(connection: Connection, scope: str, **job: Any) -> str:
    """A job of a scope's dataset at a provider; returns the dataset's hash."""
    dataset = uuid4().hex * 2
    connection.execute(
        "insert into datasets (hash, example_format, formula_version, code_version, train_examples, validation_examples, train_lines, train_tokens,"
        " validation_tokens, positive_examples, deals, weeks, bytes) values (%s, '1', 1, 'x', 1, 1, 1, 1, 1, 1, 1, 1, 1)",
        (dataset,),
    )
    connection.execute(
        "insert into dataset_publications (scope, dataset_hash, settings, candidates) values (%s, %s, '{}', 1)", (scope, dataset)
    )
    values = {
        "status": "running",
        "provider_job_id": f"ftjob-{scope}",
        "model_id": None,
        "trained_tokens": None,
        "finished_at": None,
    } | job
    connection.execute(
        "insert into fine_tuning_jobs (dataset_hash, trainer, settings, settings_hash, status, provider_job_id, model_id, trained_tokens, finished_at) values"
        """ (%(dataset)s, 'openai', '{"base_model": "gpt-4o-2024-08-06"}', 'x', %(status)s, %(provider_job_id)s, %(model_id)s, %(trained_tokens)s,"""
        " %(finished_at)s)",
        values | {"dataset": dataset},
    )
    connection.commit()
    return dataset


def test_the_names_are_those_of_the_graph() -> None:
    defs = build_defs()
    assert defs.resolve_job_def(launching.JOB).partitions_def == scopes
    assert scopes.name == launching.PARTITIONS
    for method, dataset in launching.DATASETS.items():
        names = (dataset, launching.TRAINED, launching.EXAMINED, launching.REGISTERED)
        assert [dg.AssetKey(name) for name in names] == assets_to_train(method)
    assert defs.get_repository_def().name == REPOSITORY
    assert LOCATION == "flywheel_dagster"


def test_the_graph_takes_every_field_of_an_order() -> None:
    request = launching.TrainingRequest("global", "v2.5.0", 0.7, True, 15.0)
    job = build_defs().resolve_job_def(launching.JOB)
    for method in ("supervised", "dpo"):
        config = request.config(method)  # type: ignore[arg-type]
        dg.validate_run_config(job, config)
        for asset, told in config["ops"].items():
            field = job.graph.node_named(asset).definition.config_schema.config_type  # type: ignore[attr-defined]
            assert set(told["config"]) <= set(field.fields), f"{asset} would ignore what it is told"


def test_a_training_of_an_organization_is_launched_as_a_run_of_its_partition(
    beside: WithDagster, two_tenants: dict[str, str]
) -> None:
    order = {"organization_id": "acme", "model_version": None, "min_quality_score": None, "deploy_immediately": None}
    accepted(beside.api.asking("acme").post(RUN, json=order))
    run = launched(beside)
    assert run["selector"]["jobName"] == "train_scope"
    assert [asset["path"] for asset in run["selector"]["assetSelection"]] == [
        ["training_jsonl"], ["fine_tuned_model"], ["model_evaluation"], ["model_registry_entry"],
    ]  # fmt: skip
    assert run["runConfigData"] == {"ops": {}}
    assert tags_of(run)["dagster/partition"] == "acme"
    assert tags_of(run)["flywheel/requested_by"].startswith("environment ")
    assert beside.dagster.partitions == {"('scopes', 'acme')"}


def test_what_is_asked_for_is_told_to_the_assets_that_it_concerns(beside: WithDagster) -> None:
    order = {
        "organization_id": None,
        "model_version": "v2.5.0",
        "min_quality_score": 0.7,
        "deploy_immediately": True,
        "ab_test_percentage": 15,
    }
    accepted(beside.api.asking("*").post(RUN, json=order))
    assert launched(beside)["runConfigData"] == {
        "ops": {
            "training_jsonl": {"config": {"min_quality_score": 0.7}},
            "fine_tuned_model": {"config": {"model_version": "v2.5.0"}},
            "model_registry_entry": {"config": {"model_version": "v2.5.0", "deploy_immediately": True, "ab_test_percentage": 15.0}},
        }
    }
    assert tags_of(launched(beside))["dagster/partition"] == "global"


def test_the_tutorials_order_trains_the_callers_own_scope(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    order = {"min_quality_score": 0.6, "deploy_immediately": False, "ab_test_percentage": 10.0}
    for caller, scope in (("acme", "acme"), ("*", "global")):
        answer = beside.api.asking(caller).post(RUN, json=order)
        run = beside.dagster.launched[accepted(answer)]
        assert answer.json()["scope"] == scope
        assert run["runConfigData"]["ops"] == {
            "training_jsonl": {"config": {"min_quality_score": 0.6}},
            "model_registry_entry": {"config": {"deploy_immediately": False, "ab_test_percentage": 10.0}},
        }


def test_by_preference_the_pairs_are_assembled(beside: WithDagster) -> None:
    request = launching.TrainingRequest("global", None, 0.5, None, None)
    assert request.config("dpo") == {"ops": {"preference_pairs": {"config": {"min_quality_score": 0.5}}}}


def test_the_same_key_launches_one_run(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    client, headers = beside.api.asking("acme"), {"Idempotency-Key": "monday"}
    runs = {accepted(client.post(RUN, json={"min_quality_score": 0.6}, headers=headers)) for _ in range(3)}
    assert len(runs) == len(beside.dagster.launched) == 1
    assert accepted(client.post(RUN, json={"min_quality_score": 0.6}, headers={"Idempotency-Key": "tuesday"})) not in runs
    assert accepted(client.post(RUN, json={"min_quality_score": 0.6})) not in runs


def test_the_same_key_of_ten_at_once_launches_one_run(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(beside.api.asking("acme").post(RUN, json={}, headers={"Idempotency-Key": "monday"}))

    beside.api.asking("acme")
    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({accepted(answer) for answer in answers}) == len(beside.dagster.launched) == 1


def test_a_run_whose_answer_was_lost_is_found_again(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    client, headers = beside.api.asking("acme"), {"Idempotency-Key": "monday"}
    beside.dagster.loses_answers = True
    lost = client.post(RUN, json={}, headers=headers)
    assert (lost.status_code, lost.json()["error"]["type"]) == (503, "dagster_away")
    beside.dagster.loses_answers = False
    (run_id,) = beside.dagster.launched
    assert accepted(client.post(RUN, json={}, headers=headers)) == run_id


def test_a_key_belongs_to_one_request_and_one_organization(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    headers = {"Idempotency-Key": "monday"}
    mine = accepted(beside.api.asking("acme").post(RUN, json={}, headers=headers))
    other = beside.api.asking("acme").post(RUN, json={"min_quality_score": 0.9}, headers=headers)
    assert (other.status_code, other.json()["error"]["field"]) == (422, "header.idempotency-key")
    assert accepted(beside.api.asking("rival").post(RUN, json={}, headers=headers)) != mine


def test_a_version_that_is_not_new_is_refused_before_anything_is_bought(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    for version in ("v1.0.0", "v0.9.0"):
        answer = beside.api.asking("acme").post(RUN, json={"model_version": version})
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "version_taken")
        assert "v1.0.0" in answer.json()["error"]["message"]
    assert beside.dagster.launched == {}
    accepted(beside.api.asking("acme").post(RUN, json={"model_version": "v1.0.1"}))


def test_what_the_graph_does_not_know_is_said_and_never_ignored(beside: WithDagster) -> None:
    beside.dagster.refuses = "config refused"
    answer = beside.api.asking("*").post(RUN, json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "graph_differs")
    assert "unexpected config entry" in answer.json()["error"]["message"]


def test_without_dagster_the_answer_says_what_to_do(served: Serving) -> None:
    for answer in (served.asking("*").post(RUN, json={}), served.asking("*").get(f"/training/status/{uuid4()}")):
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "dagster_away")
        assert "FLYWHEEL_DAGSTER_URL" in answer.json()["error"]["message"]
        assert int(answer.headers["Retry-After"]) > 0


def test_a_dagster_without_our_graph_is_named(beside: WithDagster) -> None:
    beside.dagster.refuses = "job unknown"
    answer = beside.api.asking("*").post(RUN, json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "dagster_refuses")
    assert "CheckError" not in answer.text


def test_a_run_is_followed_from_the_queue_to_its_version(
    beside: WithDagster, two_tenants: dict[str, str], connection: Connection
) -> None:
    client = beside.api.asking("acme")
    run_id = accepted(client.post(RUN, json={}))
    waiting = status(client, run_id)
    assert (waiting["status"], waiting["run"]["state"], waiting["result"], waiting["job_id"]) == ("queued", "QUEUED", None, None)

    bought(
        connection, "acme", status="succeeded", model_id="ft:base:acme", trained_tokens=50_000, finished_at="2026-01-24 09:15:23+00"
    )
    beside.dagster.finish(run_id, "run succeeded", registry_id=two_tenants["acme"], job_id="ftjob-acme")
    done = status(client, run_id)
    assert (done["id"], done["status"], done["error"]) == (run_id, "succeeded", None)
    assert (done["job_id"], done["model"], done["fine_tuned_model"]) == ("ftjob-acme", "gpt-4o-2024-08-06", "ft:base:acme")
    assert (done["trained_tokens"], done["finished_at"]) == (50_000, 1769246123)
    assert done["result"] == {
        "status": "success", "model_id": "ft:base:acme", "model_version": "v1.0.0", "registry_id": two_tenants["acme"],
        "training_duration_seconds": 2.736194, "deployed": False, "first_traffic": None,
    }  # fmt: skip


def test_a_run_in_training_shows_the_job_of_its_dataset(
    beside: WithDagster, two_tenants: dict[str, str], connection: Connection
) -> None:
    client = beside.api.asking("acme")
    run_id = accepted(client.post(RUN, json={}))
    dataset = bought(connection, "acme")
    beside.dagster.finish(run_id, "run succeeded")
    run = beside.dagster.runs[run_id]
    run["status"], run["assetMaterializations"] = "STARTED", run["assetMaterializations"][:1]
    for entry in run["assetMaterializations"][0]["metadataEntries"]:
        if entry["label"] == "dataset_hash":
            entry["text"] = dataset
    running = status(client, run_id)
    assert (running["status"], running["job_id"], running["finished_at"]) == ("running", "ftjob-acme", None)


def test_a_job_is_shown_by_the_providers_id_without_dagster(
    served: Serving, two_tenants: dict[str, str], connection: Connection
) -> None:
    bought(connection, "acme", status="succeeded", model_id="ft:base:acme", trained_tokens=7, finished_at="2026-01-24 09:15:23+00")
    shown = status(served.asking("acme"), "ftjob-acme")
    assert {name: shown[name] for name in ("id", "status", "model", "fine_tuned_model", "trained_tokens", "finished_at")} == {
        "id": "ftjob-acme", "status": "succeeded", "model": "gpt-4o-2024-08-06", "fine_tuned_model": "ft:base:acme", "trained_tokens": 7,
        "finished_at": 1769246123,
    }  # fmt: skip


def test_a_run_that_failed_says_which_check_and_what_to_do(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    client = beside.api.asking("acme")
    run_id = accepted(client.post(RUN, json={}))
    beside.dagster.finish(run_id, "run failed")
    beside.dagster.failures[run_id] = "failures of a check"
    failed = status(client, run_id)
    assert failed["status"] == "failed"
    assert "enough_examples: 0 examples" in failed["error"]
    assert run_id in failed["error"]


def test_the_words_of_a_step_are_for_callers_of_all_organizations(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    run_id = accepted(beside.api.asking("acme").post(RUN, json={}))
    beside.dagster.finish(run_id, "run failed")
    beside.dagster.failures[run_id] = "failures of a step"
    assert "demo-harbour" not in status(beside.api.asking("acme"), run_id)["error"]
    assert "training_jsonl failed" in status(beside.api.asking("acme"), run_id)["error"]
    assert "demo-harbour" in status(beside.api.asking("*"), run_id)["error"]


def test_a_run_that_crashed_is_followed_to_the_one_in_its_place(beside: WithDagster, two_tenants: dict[str, str]) -> None:
    client = beside.api.asking("acme")
    first, second = (accepted(client.post(RUN, json={})) for _ in range(2))
    beside.dagster.finish(first, "run failed")
    beside.dagster.runs[first]["tags"] = [tag for tag in beside.dagster.runs[first]["tags"] if tag["key"] != "dagster/will_retry"]
    beside.dagster.tag(first, "dagster/will_retry", "true")
    assert (status(client, first)["status"], status(client, first)["error"]) == ("queued", None)
    beside.dagster.tag(first, "dagster/auto_retry_run_id", second)
    assert status(client, first)["run"]["run_id"] == second


def test_an_unknown_training_is_not_found(beside: WithDagster) -> None:
    for asked in (str(uuid4()), "ftjob-nobody"):
        answer = beside.api.asking("*").get(f"/training/status/{asked}")
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
