"""Files, lists, models and refusals: the API around the jobs."""

import openai
import pytest
from openai import OpenAI

from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl


def test_a_file_can_be_written_read_listed_and_deleted(server: Served) -> None:
    files, content = server.client.files, to_jsonl(make_examples(3))
    file = files.create(
        file=("week 47.jsonl", content), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert (file.filename, file.bytes, file.purpose, file.status) == ("week 47.jsonl", len(content), "fine-tune", "processed")
    assert file.expires_at == file.created_at + 3600
    assert files.retrieve(file.id) == file
    assert files.content(file.id).read() == content
    assert file.id in [other.id for other in files.list(purpose="fine-tune")]
    assert file.id not in [other.id for other in files.list(purpose="batch")]
    assert files.delete(file.id).deleted
    for call in (files.retrieve, files.content, files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {file.id}"):
            call(file.id)


def test_files_are_listed_in_pages_in_either_order(start_server: StartServer) -> None:
    server = start_server()
    ids = [server.upload(make_examples(1)) for _ in range(5)]
    first = server.client.files.list(limit=2, order="asc")
    assert [file.id for file in first.data] == ids[:2]
    assert first.has_more
    assert [file.id for file in server.client.files.list(limit=2, order="asc")] == ids
    assert [file.id for file in server.client.files.list(limit=2)] == ids[::-1]


def test_jobs_are_listed_newest_first_in_pages_and_by_metadata(start_server: StartServer) -> None:
    server = start_server()
    jobs, file_id = server.client.fine_tuning.jobs, server.upload(make_examples(10))
    assert list(jobs.list()) == []
    ids = [
        jobs.create(model="gpt-4o-mini", training_file=file_id, metadata={"run": str(n), "odd.key": str(n % 2)}).id
        for n in range(5)
    ]
    plain = jobs.create(model="gpt-4o-mini", training_file=file_id).id
    first = jobs.list(limit=4)
    assert [job.id for job in first.data] == [plain, *ids[:1:-1]]
    assert first.has_more
    assert [job.id for job in jobs.list(limit=2)] == [plain, *ids[::-1]]
    assert [job.id for job in jobs.list(metadata={"run": "3"})] == [ids[3]]
    assert [job.id for job in jobs.list(metadata={"odd.key": "1"}, limit=1)] == [ids[3], ids[1]]
    assert [job.id for job in jobs.list(metadata={"odd.key": "1", "run": "1"})] == [ids[1]]
    assert [job.id for job in jobs.list(extra_query={"metadata": "null"})] == [plain]
    assert list(jobs.list(metadata={"run": "none"})) == []


def test_models_tell_when_they_will_be_shut_down(server: Served) -> None:
    models = {model.id: model for model in server.client.models.list()}
    assert models["gpt-4o-2024-08-06"].shutdown_date == "2027-01-14"
    assert models["gpt-6-luna"].shutdown_date is None
    name = str(server.train(make_examples(10)).fine_tuned_model)
    assert server.client.models.retrieve(name).shutdown_date == "2027-01-14"
    assert name in [model.id for model in server.client.models.list()]
    assert server.client.models.delete(name).deleted
    with pytest.raises(openai.NotFoundError):
        server.ask(name, "Hi")
    with pytest.raises(openai.PermissionDeniedError):
        server.client.models.delete("gpt-6-luna")


@pytest.mark.parametrize("model", ["gpt-9", "gpt-6-luna", "ft:gpt-4o:none::abc"])
def test_a_model_that_can_not_be_trained_is_refused_at_once(server: Served, model: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.fine_tuning.jobs.create(model=model, training_file=server.upload(make_examples(10)))
    assert refused.value.code == "model_not_available"
    assert refused.value.param == "model"
    assert f"Model {model} is not available for fine-tuning or does not exist." in refused.value.message


@pytest.mark.parametrize(
    "options",
    [
        {"suffix": "x" * 65},
        {"seed": -1},
        {"seed": 2**31},
        {"hyperparameters": {"n_epochs": 51}},
        {"hyperparameters": {"n_epochs": 0}},
        {"hyperparameters": {"batch_size": 257}},
        {"hyperparameters": {"learning_rate_multiplier": 0}},
        {"metadata": {f"k{n}": "v" for n in range(17)}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {"k" * 65: "v"}},
        {"method": {"type": "reinforcement"}},
    ],
    ids=str,
)
def test_an_option_out_of_range_is_refused_at_once(server: Served, options: dict[str, object]) -> None:
    before = server.count_calls()["jobs_created"]
    body = {"model": "gpt-4o-mini", "training_file": server.upload(make_examples(10)), **options}
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.post("/fine_tuning/jobs", body=body, cast_to=object)
    assert refused.value.code == "invalid_value"
    assert server.count_calls()["jobs_created"] == before


def test_a_job_on_an_unknown_file_or_one_of_another_purpose_is_refused(server: Served) -> None:
    jobs = server.client.fine_tuning.jobs
    with pytest.raises(openai.NotFoundError, match="No such File object: file-abc"):
        jobs.create(model="gpt-4o-mini", training_file="file-abc")
    other = server.client.files.create(file=("notes.txt", b"any text"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="must have purpose 'fine-tune'"):
        jobs.create(model="gpt-4o-mini", training_file=other.id)


def test_keys_are_asked_for_under_v1_alone(server: Served) -> None:
    missing = server.http.get("/v1/models")
    assert missing.status_code == 401
    assert missing.json()["error"].keys() == {"message", "type", "param", "code"}
    with OpenAI(base_url=f"{server.url}/v1", api_key="sk-revoked") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "invalid_api_key"
    health = server.http.get("/health").json()
    assert health["identity"] == "test"
    assert health["pid"] == server.process.pid == server.ready["pid"]
    assert health["state"] == str(server.state)
    assert "sandbox" in server.http.get("/").json()["notice"].lower()


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/v1/nothing", b"", 404),
        ("PATCH", "/v1/models", b"", 405),
        ("POST", "/v1/fine_tuning/jobs", b"{", 400),
        ("POST", "/v1/fine_tuning/jobs", b"[]", 400),
        ("POST", "/v1/fine_tuning/jobs", b"{}", 400),
        ("POST", "/v1/files", b"", 400),
        ("POST", "/v1/chat/completions", b'{"model": "gpt-4o", "messages": []}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "no", "messages": [{"role": "user", "content": "Hi"}]}', 404),
        ("GET", "/v1/fine_tuning/jobs?limit=0", b"", 400),
        ("GET", "/v1/fine_tuning/jobs/ftjob-none", b"", 404),
        ("GET", "/v1/fine_tuning/jobs/ftjob-none/events", b"", 404),
    ],
)
def test_every_refusal_has_openais_error_shape(server: Served, method: str, path: str, content: bytes, status: int) -> None:
    answer = server.http.request(method, path, content=content, headers={"authorization": "Bearer sk-test"})
    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
