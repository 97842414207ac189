"""What Azure does differently, against a server that does it, over real HTTP: imports, keys in suffixes, deployments and their failures."""

import asyncio
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.files import TRAIN
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import (
    PermanentModelError,
    PermanentTrainingError,
    SettingsError,
    TransientTrainingError,
    UnansweredError,
    UnknownJobError,
)
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobState, JobStatus, Recipe, settings_hash
from flywheel_dagster.training.trainers.azure import DEFAULT_BASE, AzureTrainer, chat_of, local_resource, trainer_of, undeploy
from flywheel_dagster.training.trainers.azure.deployments import Resource, deployment_name
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples
from flywheel_dagster_tests.training.making import KEY, Time
from flywheel_dagster_tests.training.trainers.steps import assert_named, bought

MARK = b"\xef\xbb\xbf"
JOBS = "/azure/openai/v1/fine_tuning/jobs"
PLANE = (
    "/azure/management/subscriptions/local/resourceGroups/local/providers/Microsoft.CognitiveServices/accounts/local/deployments"
)
RESOURCE_ID = "/subscriptions/0a/resourceGroups/sales/providers/Microsoft.CognitiveServices/accounts/acme"
APPLICATION = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_CLIENT_SECRET": "s3cret"}
ACCESS = {"AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com", "AZURE_OPENAI_API_KEY": KEY}


@pytest.fixture
def file_id(provider: Served, examples: Path) -> str:
    trainer = trainer_at(provider)
    file_id = trainer.upload(examples, name="train.jsonl")
    while not trainer.imported(file_id):
        pass
    return file_id


def trainer_at(provider: Served, *, key: str = KEY, secret: str = "local-development", **options: Any) -> AzureTrainer:
    """A trainer for this server, whose settings no other one has: jobs that other tests bought are not its own."""
    recipe = {"base_model": DEFAULT_BASE, "epochs": 1, "seed": uuid4().int % 2**31}
    recipe |= {name: options.pop(name) for name in Recipe.__dataclass_fields__ if name in options}
    local = local_resource(provider.url)
    resource = Resource(local.id, local.tenant_id, local.client_id, secret, local.management, local.login)
    given = {"api_key": key, "endpoint": f"{provider.url}/azure", "resource": resource, "local": True}
    return AzureTrainer(Recipe(**recipe), **(given | options))  # type: ignore[arg-type]


def ended(trainer: AzureTrainer, job_id: str) -> tuple[JobStatus, list[str]]:
    """The job once it has ended, and the states that it was seen in before."""
    seen: list[str] = []
    for _ in range(500):
        if (status := trainer.status(job_id)).state is not JobState.RUNNING:
            return status, seen
        seen.append(status.provider_status)
    raise AssertionError(f"{job_id} is still {status.provider_status}")


def trained(trainer: AzureTrainer, provider: Served, job_id: str) -> str:
    """The name of the model that the job made, as soon as it did; nobody has asked for its deployment yet."""
    for _ in range(500):
        job = provider.http.get(f"{JOBS}/{job_id}", headers={"api-key": KEY}).json()
        if job["status"] == "succeeded":
            return str(job["fine_tuned_model"])
    raise AssertionError(job)


def ask(chat: OpenAIChat, prompt: str) -> str:
    async def once() -> str:
        try:
            return (await chat.answer([{"role": "user", "content": prompt}], max_tokens=40, seed=1)).text
        finally:
            await chat.close()

    return asyncio.run(once())


def calls(provider: Served, call: str) -> int:
    return int(provider.count_calls()["calls"].get(call, 0))


PUT, LOOK = (f"{method} /azure/management/{{account:path}}/deployments/{{name}}" for method in ("PUT", "GET"))


def test_a_file_goes_up_with_a_byte_order_mark_and_stays_as_it_is_on_disk(provider: Served, examples: Path) -> None:
    before = examples.read_bytes()
    file_id = trainer_at(provider).upload(examples, name="abc-train.jsonl")
    assert provider.client.files.content(file_id).read() == MARK + before
    assert examples.read_bytes() == before
    assert provider.client.files.retrieve(file_id).filename == "abc-train.jsonl"


def test_a_file_is_waited_for_until_it_is_imported(provider: Served, examples: Path) -> None:
    trainer = trainer_at(provider)
    file_id = trainer.upload(examples, name="train.jsonl")
    assert [trainer.imported(file_id) for _ in range(3)] == [False, True, True]


def test_a_file_that_can_not_be_imported_is_a_permanent_failure_with_the_reason(provider: Served, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"not JSON\n")
    trainer = trainer_at(provider)
    file_id = trainer.upload(path, name="bad.jsonl")
    assert not trainer.imported(file_id)
    with pytest.raises(
        PermanentTrainingError, match=rf"can't import file {file_id}: Expected file to have JSONL format.*mend the file"
    ):
        trainer.imported(file_id)
    with pytest.raises(PermanentTrainingError, match="HTTP 404"):
        trainer.imported("file-gone")


def test_a_job_is_created_as_the_settings_say_and_carries_its_key_in_the_suffix(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider, epochs=2, seed=7, training_type="GlobalStandard")
    job_id = trainer.create(key="k" * 84, training_file=file_id, validation_file=file_id, suffix="rekindle-v2.1.0")
    job = provider.http.get(f"{JOBS}/{job_id}", headers={"api-key": KEY}).json()
    assert (job["model"], job["seed"], job["trainingType"], job["validation_file"]) == (DEFAULT_BASE, 7, "GlobalStandard", file_id)
    assert job["method"]["supervised"]["hyperparameters"]["n_epochs"] == 2
    assert re.fullmatch("rekindle-v2-1-0-[0-9a-f]{12}", job["suffix"])
    assert "metadata" not in job


def test_a_job_is_found_by_its_key_only_and_the_oldest_of_two_wins(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    first = bought(trainer, file_id, key=key)
    bought(trainer, file_id, key=key)
    bought(trainer, file_id)
    assert trainer.find(key) == first
    assert trainer.find(key[:-1]) is None


def test_a_job_is_found_by_either_name_of_the_suffix(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    job_id = bought(trainer, file_id, key=key)
    job = provider.http.get(f"{JOBS}/{job_id}", headers={"api-key": KEY}).json()
    job["user_provided_suffix"] = job.pop("suffix")
    provider.set_fault(kind="status", match=f"GET {JOBS}", status=200, body={"object": "list", "has_more": False, "data": [job]})
    assert trainer.find(key) == job_id


def test_a_model_is_deployed_once_and_then_answers_by_the_name_of_its_deployment(provider: Served, file_id: str) -> None:
    trainer, before = trainer_at(provider), calls(provider, PUT)
    job_id = bought(trainer, file_id)
    model = trained(trainer, provider, job_id)
    name = deployment_name(model)
    chat = OpenAIChat(name, api_key=KEY, base_url=f"{provider.url}/azure/openai/v1", provider="Azure")
    with pytest.raises(PermanentModelError, match=r"DeploymentNotFound\); no deployment of this name stands at Azure"):
        ask(chat, "Hello")
    deploying = trainer.status(job_id)
    assert (deploying.state, deploying.provider_status, deploying.model_id) == (JobState.RUNNING, "deploying", None)
    assert deploying.last_event == f"{model} is trained; its deployment {name} is Creating"
    assert deploying.trained_tokens
    seen, states = ended(trainer, job_id)
    assert (seen.state, seen.provider_status, seen.model_id, seen.error) == (JobState.SUCCEEDED, "succeeded", name, None)
    assert states == ["deploying"]
    assert calls(provider, PUT) == before + 1
    chat = OpenAIChat(name, api_key=KEY, base_url=f"{provider.url}/azure/openai/v1")
    assert "Firm0" in ask(chat, make_examples(1)[0]["messages"][0]["content"])
    again = ended(trainer_at(provider), job_id)[0]  # another process, another day
    assert (again.model_id, calls(provider, PUT)) == (name, before + 1)


@pytest.mark.parametrize(
    ("kind", "sku"), [("Standard", "Standard"), ("GlobalStandard", "GlobalStandard"), ("Developer", "DeveloperTier")]
)
def test_a_deployment_is_of_the_type_that_was_chosen(provider: Served, file_id: str, kind: Any, sku: str) -> None:
    trainer = trainer_at(provider, deployment_type=kind)
    seen, _ = ended(trainer, bought(trainer, file_id))
    headers = {"Authorization": f"Bearer {trainer._deployments._token()}"}
    stands = provider.http.get(f"{PLANE}/{seen.model_id}?api-version=2025-06-01", headers=headers).json()
    assert (stands["name"], stands["sku"]["name"]) == (seen.model_id, sku)


def test_a_failed_job_is_not_deployed(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_fails", code="exceeded_quota", message="No quota")
    trainer, before = trainer_at(provider), calls(provider, LOOK)
    seen, _ = ended(trainer, bought(trainer, file_id))
    assert (seen.state, seen.model_id, seen.error) == (JobState.FAILED, None, "No quota (exceeded_quota)")
    assert calls(provider, LOOK) == before


def test_a_deployment_that_fails_is_raised_and_made_anew_by_the_next_run(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    trained(trainer, provider, job_id)
    failed = {"properties": {"provisioningState": "Failed"}}
    provider.set_fault(kind="status", match=f"PUT {PLANE}/*", status=201, body=failed)
    with pytest.raises(
        PermanentTrainingError, match=r"its deployment .* is Failed; .*materialize fine_tuned_model again \(without resubmit"
    ):
        trainer.status(job_id)
    before = calls(provider, PUT)
    provider.set_fault(kind="status", match=f"GET {PLANE}/*", status=200, body=failed, times=2)
    with pytest.raises(PermanentTrainingError, match="is Failed"):
        trainer.status(job_id)  # the same run asks for nothing twice
    assert calls(provider, PUT) == before
    anew = trainer_at(provider)
    assert anew.status(job_id).provider_status == "deploying"
    assert calls(provider, PUT) == before + 1
    assert ended(anew, job_id)[0].state is JobState.SUCCEEDED


@pytest.mark.parametrize("said", ["Accepted", "Creating", "Moving", "Deleting", "Levitating"])
def test_a_state_of_a_deployment_that_is_no_end_counts_as_deploying(provider: Served, file_id: str, said: str) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    trained(trainer, provider, job_id)
    provider.set_fault(kind="status", match=f"GET {PLANE}/*", status=200, body={"properties": {"provisioningState": said}})
    seen = trainer.status(job_id)
    assert (seen.state, seen.provider_status) == (JobState.RUNNING, "deploying")


@pytest.mark.parametrize(
    ("match", "fault", "error", "said"),
    [
        ("POST /azure/login/*", {"status": 401, "body": {"error": "invalid_client", "error_description": "AADSTS7000222: The secret expired.\r\nTrace"}}, PermanentTrainingError, "expired. (HTTP 401, invalid_client); set AZURE_TENANT_ID, AZURE_CLIENT_ID"),
        ("POST /azure/login/*", {"status": 200, "body": {}}, UnansweredError, "signing in to deploy failed: no answer from Azure"),
        ("POST /azure/login/*", {"kind": "drop"}, UnansweredError, "no answer from Azure"),
        (f"GET {PLANE}/*", {"status": 403, "code": "AuthorizationFailed"}, PermanentTrainingError, "give the application the role Cognitive Services Contributor"),
        (f"GET {PLANE}/*", {"status": 503}, UnansweredError, "HTTP 503"),
        (f"PUT {PLANE}/*", {"status": 400, "code": "InsufficientQuota", "message": "No quota."}, PermanentTrainingError, "raise it, or delete a deployment, then materialize"),
        (f"PUT {PLANE}/*", {"status": 404, "code": "ResourceNotFound"}, PermanentTrainingError, "set FLYWHEEL_AZURE_RESOURCE_ID"),
        (f"PUT {PLANE}/*", {"status": 429}, TransientTrainingError, "HTTP 429"),
        (f"PUT {PLANE}/*", {"kind": "drop_after"}, UnansweredError, "no answer from Azure"),
    ],
)  # fmt: skip
def test_every_failure_to_deploy_is_named_and_passes(
    provider: Served, file_id: str, match: str, fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    trainer, before = trainer_at(provider), calls(provider, PUT)
    job_id = bought(trainer, file_id)
    trained(trainer, provider, job_id)
    provider.set_fault(**({"kind": "status", "match": match} | fault))
    with pytest.raises(error) as raised:
        trainer.status(job_id)
    assert raised.type is error
    assert said in str(raised.value)
    assert ended(trainer, job_id)[0].state is JobState.SUCCEEDED
    assert calls(provider, PUT) - before == (2 if match.startswith("PUT") and "kind" not in fault else 1)


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ({"name": "rate_limit_exceeded"}, TransientTrainingError, "Rate limit reached"),
        ({"name": "insufficient_quota"}, PermanentTrainingError, "the resource has no quota left"),
        ({"status": 403, "message": "Public access is disabled."}, PermanentTrainingError, "look at its networking"),
        ({"name": "server_error"}, UnansweredError, "HTTP 500"),
        ({"kind": "drop"}, UnansweredError, "no answer from Azure ("),
    ],
    ids=str,
)
def test_every_failure_to_train_is_named_transient_or_permanent(
    provider: Served, examples: Path, file_id: str, fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    calls: tuple[Callable[[], object], ...] = (
        lambda: trainer.upload(examples, name="x.jsonl"), lambda: trainer.imported(file_id), lambda: trainer.find("key"),
        lambda: bought(trainer, file_id), lambda: trainer.status(job_id),
    )  # fmt: skip
    assert_named(provider, calls, fault | {"match": "* /azure/openai/*"}, error, said)


def test_when_to_call_again_is_told_by_the_client_and_by_the_control_plane(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    trained(trainer, provider, job_id)
    for match in (f"GET {JOBS}/*", f"GET {PLANE}/*", "POST /azure/login/*"):
        for status in (429, 503):
            provider.set_fault(kind="status", match=match, status=status, headers={"retry-after": "42"})
            with pytest.raises(TransientTrainingError) as raised:
                trainer.status(job_id)
            assert raised.value.retry_after == 42


def test_a_job_that_azure_does_not_know_has_an_error_of_its_own(provider: Served) -> None:
    with pytest.raises(UnknownJobError, match=r"Azure knows no fine-tuning job ftjob-gone.*AZURE_OPENAI_API_KEY.*resubmit: true"):
        trainer_at(provider).status("ftjob-gone")


def test_a_refused_key_and_a_broken_one_name_their_setting(provider: Served) -> None:
    with pytest.raises(PermanentTrainingError, match=r"Access denied.*set AZURE_OPENAI_API_KEY to a key of the resource"):
        trainer_at(provider, key="sk-revoked").find("key")
    with pytest.raises(SettingsError, match="AZURE_OPENAI_API_KEY is not a key"):
        trainer_at(provider, key="one two")


def test_no_secret_is_in_an_error_though_azure_repeats_it(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider, secret="very-s3cret")
    job_id = bought(trainer, file_id)
    trained(trainer, provider, job_id)
    for match, fault in (
        ("POST /azure/login/*", {"status": 400, "message": "Is very-s3cret the secret?", "code": "very-s3cret"}),
        ("POST /azure/login/*", {"status": 200, "body": "very-s3cret"}),
        ("POST /azure/login/*", {"kind": "drop"}),
        (f"GET {JOBS}/*", {"status": 400, "message": f"What is {KEY}?"}),
        (f"GET {JOBS}/*", {"status": 429, "message": f"What is {KEY}?", "code": KEY}),
    ):
        provider.set_fault(**({"kind": "status", "match": match} | fault))
        with pytest.raises((PermanentTrainingError, TransientTrainingError)) as raised:
            trainer.status(job_id)
        told = "".join(traceback.format_exception(raised.value))
        assert "very-s3cret" not in told
        assert KEY not in told
    provider.set_fault(kind="status", match="POST /azure/login/*", status=200, body={"access_token": "t0ken-of-a-day"})
    provider.set_fault(kind="status", match=f"GET {PLANE}/*", status=400, message="What is t0ken-of-a-day?")
    with pytest.raises(PermanentTrainingError) as raised:
        trainer.status(job_id)
    assert "t0ken-of-a-day" not in "".join(traceback.format_exception(raised.value))
    assert "very-s3cret" not in repr(trainer._deployments._resource)


@given(st.text(min_size=1, max_size=200))
def test_a_deployment_has_a_name_that_azure_takes_and_that_no_other_model_has(model: str) -> None:
    name = deployment_name(model)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{2,64}|[A-Za-z0-9_.-]", name)
    assert name == deployment_name(model)
    assert deployment_name(f"{model}x") != name


def test_a_short_name_is_kept_and_a_long_one_still_says_what_it_is() -> None:
    short = f"{DEFAULT_BASE}.ft-{'0' * 32}"
    assert deployment_name(short) == short
    assert deployment_name(f"{short}-rekindle-v2-1-0").startswith(f"{DEFAULT_BASE}.ft-000")


def test_what_a_training_depends_on_is_in_its_settings(provider: Served) -> None:
    usual: dict[str, Any] = {"seed": 1, "epochs": 1, "base_model": "m", "local": True}
    changes: tuple[dict[str, Any], ...] = ({}, {"seed": 2}, {"local": False})
    hashes = [settings_hash(trainer_at(provider, **(usual | change))) for change in changes]
    assert len(set(hashes)) == len(hashes)
    for same in ({"key": "another"}, {"deployment_type": "Developer"}, {"training_type": "Developer"}):
        assert settings_hash(trainer_at(provider, **(usual | same))) == hashes[0]
    for endpoint in (
        "https://acme.openai.azure.com",
        "https://ann:s3cret@acme.openai.azure.com",
        "https://acme.openai.azure.com/",
        "https://acme.openai.azure.com/openai/v1/",
    ):
        there = trainer_at(provider, local=False, endpoint=endpoint)
        assert there.settings()["endpoint"] == "https://acme.openai.azure.com/openai/v1/"


def test_a_deployment_that_was_ended_answers_nobody_and_is_ended_once(provider: Served, file_id: str, tmp_path: Path) -> None:
    provider.stand_in(tmp_path / "home")
    trainer = trainer_at(provider)
    name = str(ended(trainer, bought(trainer, file_id))[0].model_id)
    assert undeploy(Settings(), name) == [name]
    assert undeploy(Settings(), name) == []
    chat = chat_of(Settings(), name)
    assert isinstance(chat, OpenAIChat)
    with pytest.raises(PermanentModelError, match="no deployment of this name stands at Azure"):
        ask(chat, "Hello")


def test_a_deployment_that_can_not_be_ended_names_why(provider: Served, file_id: str, tmp_path: Path) -> None:
    provider.stand_in(tmp_path / "home")
    trainer = trainer_at(provider)
    name = str(ended(trainer, bought(trainer, file_id))[0].model_id)
    provider.set_fault(kind="status", match=f"DELETE {PLANE}/*", status=403, code="AuthorizationFailed")
    with pytest.raises(PermanentTrainingError, match=f"deleting deployment {name} failed: .*give the application the role"):
        undeploy(Settings(), name)


def test_azures_price_is_known_from_a_users_file_only(provider: Served) -> None:
    real = trainer_at(provider, local=False)
    assert (real.cost_usd(1_000_000), real.estimate(1_000_000).usd) == (None, None)
    assert "at azure" in real.estimate(1_000_000).note
    assert (trainer_at(provider).cost_usd(1), trainer_at(provider).estimate(1).usd) == (0, 0)


def test_without_key_and_address_the_local_server_trains_deploys_and_answers(provider: Served, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "model-server"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps(provider.ready))  # as if it had been started from there
    for settings in (Settings(), Settings(FLYWHEEL_LOCAL=True, **ACCESS)):
        trainer = trainer_of(settings)
        assert trainer.find("key") is None
        assert (trainer.settings()["endpoint"], trainer.recipe.base_model) == ("local", DEFAULT_BASE)
        chat = chat_of(settings, DEFAULT_BASE)  # a base model stands under its own name
        assert isinstance(chat, OpenAIChat)
        assert ask(chat, "Write to Ann.").startswith("Hi there")


def test_a_resource_is_trained_at_when_all_is_there_to_deploy(provider: Served) -> None:
    trainer = trainer_of(Settings(FLYWHEEL_AZURE_RESOURCE_ID=f" {RESOURCE_ID}\n", **ACCESS, **APPLICATION))
    assert trainer.settings()["endpoint"] == "https://acme.openai.azure.com/openai/v1/"
    resource = trainer._deployments._resource
    assert (resource.id, resource.tenant_id, resource.client_id, resource.client_secret) == (
        RESOURCE_ID,
        "tenant",
        "client",
        "s3cret",
    )
    assert (resource.management, resource.login) == ("https://management.azure.com", "https://login.microsoftonline.com")


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        (
            {"AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com"},
            "AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY belong together",
        ),
        ({"AZURE_OPENAI_API_KEY": KEY}, "belong together"),
        (ACCESS, "set FLYWHEEL_AZURE_RESOURCE_ID, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET"),
        (ACCESS | APPLICATION, r"set FLYWHEEL_AZURE_RESOURCE_ID \(see"),
        (ACCESS | APPLICATION | {"FLYWHEEL_AZURE_RESOURCE_ID": "acme"}, "FLYWHEEL_AZURE_RESOURCE_ID is no resource's id"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(given_settings: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        trainer_of(Settings(**given_settings))  # type: ignore[arg-type]


def test_a_training_is_bought_and_deployed_once_though_the_answer_was_lost(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset
) -> None:
    before, puts, time = provider.count_calls()["jobs_created"], calls(provider, PUT), Time()
    provider.set_fault(kind="drop_after", match=f"POST {JOBS}")
    provider.set_fault(kind="drop_after", match=f"PUT {PLANE}/*")
    trainer, states = trainer_at(provider), list[str]()
    model = train(
        connection,
        trainer,
        dataset,
        suffix="acme-v1-0-0",
        patience=time.patience(),
        progress=lambda seen: states.append(seen.provider_status),
    )
    assert provider.count_calls()["jobs_created"] == before + 1
    assert calls(provider, PUT) == puts + 1
    assert states[-2:] == ["deploying", "succeeded"]
    assert model.model_id == deployment_name(trained(trainer, provider, model.job_id))
    assert model.loss_curve
    (uploaded,) = connection.execute("select training_file_id from fine_tuning_jobs").fetchall()[0]
    assert provider.client.files.content(uploaded).read() == MARK + (dataset.directory / TRAIN).read_bytes()
    assert train(connection, trainer, dataset, suffix="acme-v1-0-0") == model


def test_a_file_that_could_not_be_imported_goes_up_anew_with_the_next_call(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, time = trainer_at(provider), Time()
    with monkeypatch.context() as patched:
        patched.setattr("flywheel_dagster.training.trainers.azure.marked", lambda file: file)  # a file that Azure can't read
        with pytest.raises(PermanentTrainingError, match="can't import file"):
            train(connection, trainer, dataset, suffix="acme-v1-0-0", patience=time.patience())
    forgotten = connection.execute("select status, training_file_id, validation_file_id from fine_tuning_jobs").fetchall()
    assert forgotten == [("planned", None, None)]
    assert train(connection, trainer, dataset, suffix="acme-v1-0-0", patience=time.patience()).model_id
