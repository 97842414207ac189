"""The server as Azure: the official client at its address, imports that take their time, and a control plane that deploys."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest

from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl

MARK = b"\xef\xbb\xbf"
BASE = "gpt-4.1-mini-2025-04-14"
ACCOUNT = "/azure/management/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
LOGIN = "/azure/login/some-tenant/oauth2/v2.0/token"
FORM = {
    "grant_type": "client_credentials", "client_id": "app", "client_secret": "secret", "scope": "https://management.azure.com/.default",
}  # fmt: skip


@pytest.fixture
def azure(server: Served) -> Iterator[openai.OpenAI]:
    with client_of(server) as client:
        yield client


def client_of(server: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/azure/openai/v1/", api_key="anyone", max_retries=0, timeout=20)


def upload(azure: openai.OpenAI, content: bytes) -> str:
    return azure.files.create(file=("train.jsonl", content), purpose="fine-tune").id


def imported(azure: openai.OpenAI, content: bytes) -> str:
    file_id = upload(azure, content)
    while azure.files.retrieve(file_id).status == "pending":
        pass
    return file_id


def trained(azure: openai.OpenAI, **options: Any) -> str:
    """The name of a model that was trained."""
    file_id = imported(azure, MARK + to_jsonl(make_examples(12)))
    job_id = azure.fine_tuning.jobs.create(model=BASE, training_file=file_id, **options).id
    for _ in range(500):
        job = azure.fine_tuning.jobs.retrieve(job_id)
        if job.status in ("succeeded", "failed"):
            assert job.fine_tuned_model, job.error
            return job.fine_tuned_model
    raise AssertionError(job.status)


def manage(server: Served, method: str, name: str, *, model: str = "", **options: Any) -> httpx.Response:
    token = server.http.post(LOGIN, data=FORM).json()["access_token"]
    asked = {"params": {"api-version": "2025-06-01"}, "headers": {"Authorization": f"Bearer {token}"}}
    if model:
        properties = {"model": {"format": "OpenAI", "name": model, "version": "1"}}
        asked["json"] = {"sku": {"name": "Standard", "capacity": 1}, "properties": properties}
    return server.http.request(method, f"{ACCOUNT}/deployments/{name}", **(asked | options))


def ask(azure: openai.OpenAI, name: str) -> str:
    prompt = make_examples(1)[0]["messages"][0]["content"]
    said = azure.chat.completions.create(model=name, messages=[{"role": "user", "content": prompt}], temperature=0)
    return said.choices[0].message.content or ""


def test_a_file_is_pending_when_first_looked_at_and_then_processed(azure: openai.OpenAI) -> None:
    made = azure.files.create(file=("train.jsonl", MARK + to_jsonl(make_examples(3))), purpose="fine-tune")
    assert made.status == "pending"  # type: ignore[comparison-overlap]  # Azure's own
    assert [azure.files.retrieve(made.id).status for _ in range(3)] == ["pending", "processed", "processed"]
    assert made.id in [file.id for file in azure.files.list()]


@pytest.mark.parametrize(
    ("content", "said"), [(to_jsonl(make_examples(3)), "byte-order mark"), (MARK + b"no JSON\n", "not a dictionary")]
)
def test_a_file_without_a_byte_order_mark_or_sense_ends_as_an_error(azure: openai.OpenAI, content: bytes, said: str) -> None:
    file = azure.files.retrieve(imported(azure, content))
    assert file.status == "error"
    assert said in str(file.status_details)


def test_azure_shows_its_own_files_and_jobs_only(server: Served, azure: openai.OpenAI) -> None:
    file_id = server.upload(make_examples(10))
    job_id = server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file_id).id
    with pytest.raises(openai.NotFoundError):
        azure.files.retrieve(file_id)
    with pytest.raises(openai.NotFoundError):
        azure.fine_tuning.jobs.retrieve(job_id)
    assert job_id not in [job.id for job in azure.fine_tuning.jobs.list(limit=100)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "gpt-6-luna"}, "does not support fine-tuning"),
        ({"model": "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"}, "does not support fine-tuning"),
        ({"suffix": "v1.0"}, "at most 40 letters"),
        ({"suffix": "s" * 41}, "at most 40 letters"),
        ({"extra_body": {"trainingType": "Best"}}, "training type 'Best'"),
        ({"seed": -1}, "Invalid 'seed'"),
    ],
)
def test_a_job_that_azure_would_not_take_is_refused(azure: openai.OpenAI, options: dict[str, Any], said: str) -> None:
    file_id = imported(azure, MARK + to_jsonl(make_examples(10)))
    with pytest.raises(openai.BadRequestError, match=said):
        azure.fine_tuning.jobs.create(**({"model": BASE, "training_file": file_id} | options))


def test_a_file_must_have_been_imported_before_it_is_trained_on(azure: openai.OpenAI) -> None:
    for content in (MARK + to_jsonl(make_examples(10)), to_jsonl(make_examples(10))):
        file_id = upload(azure, content)
        with pytest.raises(openai.BadRequestError, match="has not been imported"):
            azure.fine_tuning.jobs.create(model=BASE, training_file=file_id)
    with pytest.raises(openai.NotFoundError):
        azure.fine_tuning.jobs.create(model=BASE, training_file="file-gone")


def test_a_job_keeps_its_suffix_and_no_metadata(server: Served, azure: openai.OpenAI) -> None:
    server.set_fault(kind="job_stuck", during="queued")
    file_id = imported(azure, MARK + to_jsonl(make_examples(10)))
    made = azure.fine_tuning.jobs.create(
        model=BASE, training_file=file_id, suffix="acme", metadata={"key": "lost"}, extra_body={"trainingType": "Developer"}
    )
    job = azure.fine_tuning.jobs.retrieve(made.id)
    assert (job.status, job.metadata, job.model_extra) == (
        "pending",
        None,
        {"suffix": "acme", "trainingType": "Developer", "usage_metrics": None},
    )  # type: ignore[comparison-overlap]
    assert azure.fine_tuning.jobs.list_events(made.id).data
    assert azure.fine_tuning.jobs.cancel(made.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="has ended already"):
        azure.fine_tuning.jobs.cancel(made.id)


def test_jobs_are_listed_page_by_page(server: Served, azure: openai.OpenAI) -> None:
    server.set_fault(kind="job_stuck", during="queued", times=None)
    file_id = imported(azure, MARK + to_jsonl(make_examples(10)))
    made = [azure.fine_tuning.jobs.create(model=BASE, training_file=file_id).id for _ in range(5)]
    listed = [job.id for job, _ in zip(azure.fine_tuning.jobs.list(limit=2), range(5), strict=False)]
    assert listed == made[::-1]


def test_a_bad_example_fails_the_job(azure: openai.OpenAI) -> None:
    file_id = imported(azure, MARK + to_jsonl(make_examples(9)))
    job_id = azure.fine_tuning.jobs.create(model=BASE, training_file=file_id).id
    while (job := azure.fine_tuning.jobs.retrieve(job_id)).status not in ("failed", "succeeded"):
        pass
    assert job.error is not None
    assert job.error.code == "invalid_n_examples"


def test_a_model_answers_once_its_deployment_stands_and_not_before(server: Served, azure: openai.OpenAI) -> None:
    model, name = trained(azure, suffix="acme"), f"deployed-{uuid4().hex}"
    assert model.startswith(f"{BASE}.ft-")
    assert model.endswith("-acme")
    for unknown in (name, model):
        with pytest.raises(openai.NotFoundError) as refused:
            ask(azure, unknown)
        assert refused.value.code == "DeploymentNotFound"
    assert manage(server, "GET", name).status_code == 404
    made = manage(server, "PUT", name, model=model)
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert manage(server, "GET", name).json()["properties"]["provisioningState"] == "Creating"
    with pytest.raises(openai.NotFoundError):
        ask(azure, name)
    stands = manage(server, "GET", name).json()
    assert (stands["name"], stands["properties"]["provisioningState"], stands["properties"]["model"]["name"]) == (
        name,
        "Succeeded",
        model,
    )
    assert ask(azure, name) == "Hello Person0, shall we talk about routes at Firm0?"
    again = manage(server, "PUT", name, model=model)
    assert (again.status_code, again.json()["properties"]["provisioningState"]) == (200, "Succeeded")
    assert manage(server, "DELETE", name).status_code == 204
    with pytest.raises(openai.NotFoundError):
        ask(azure, name)


def test_a_base_model_stands_under_its_own_name(azure: openai.OpenAI) -> None:
    assert ask(azure, BASE).startswith("Hi Person0")


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"model": "unknown"}, 400, "DeploymentModelNotSupported"),
        ({"model": BASE}, 400, "DeploymentModelNotSupported"),  # only what was trained here
        ({"json": {"properties": {"model": {"format": "OpenAI", "name": "m", "version": "1"}}}}, 400, "InvalidResourceProperties"),
        ({"json": {"sku": {"name": "Standard", "capacity": 1}, "properties": {}}}, 400, "InvalidResourceProperties"),
        ({"model": "m", "params": {}}, 400, "MissingApiVersionParameter"),
        ({"model": "m", "headers": {"Authorization": "Bearer anyone"}}, 401, "AuthenticationFailed"),
    ],
)
def test_what_can_not_be_deployed_is_refused(server: Served, options: dict[str, Any], status: int, code: str) -> None:
    answer = manage(server, "PUT", "name", **options)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "revoked"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "invalid_scope"),
    ],
)
def test_a_token_is_for_who_asks_rightly(server: Served, change: dict[str, str], status: int, error: str) -> None:
    answer = server.http.post(LOGIN, data=FORM | change)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].startswith("AADSTS")
    assert server.http.post(LOGIN, data=FORM).json()["expires_in"] == 3599


def test_a_key_is_wanted_in_either_header(server: Served) -> None:
    jobs = "/azure/openai/v1/fine_tuning/jobs"
    assert server.http.get(jobs, headers={"api-key": "anyone"}).status_code == 200
    assert server.http.get(jobs, headers={"Authorization": "Bearer anyone"}).status_code == 200
    for headers in ({}, {"api-key": "sk-revoked"}, {"Authorization": "Bearer sk-revoked"}):
        refused = server.http.get(jobs, headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "401")


@pytest.mark.acceptance
def test_imports_jobs_and_deployments_survive_the_death_of_the_server(start_server: StartServer) -> None:
    server = start_server()
    with client_of(server) as azure:
        waiting, model = upload(azure, MARK + to_jsonl(make_examples(3))), trained(azure)
        manage(server, "PUT", "kept", model=model)
    server.kill()
    server = start_server()
    with client_of(server) as azure:
        assert [azure.files.retrieve(waiting).status for _ in range(2)] == ["pending", "processed"]
        states = [manage(server, "GET", "kept").json()["properties"]["provisioningState"] for _ in range(2)]
        assert states == ["Creating", "Succeeded"]
        assert ask(azure, "kept").startswith("Hello Person0")
