"""The trainer against a server with Together's wire format, over real HTTP: what it sends, finds and understands, and how it names failures."""

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
from psycopg.rows import TupleRow

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
from flywheel_dagster.training.trainers.together import ADDRESS, DEFAULT_BASE, TogetherTrainer, chat_of, trainer_of, undeploy
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples, to_jsonl
from flywheel_dagster_tests.training.making import KEY, Time
from flywheel_dagster_tests.training.trainers.steps import assert_named, bought, ended

BEARER = {"Authorization": "Bearer anyone"}
CREATE = "POST /together/v1/fine-tunes"
ENDPOINTS = "/together/v1/endpoints"
HARDWARE = "1x_nvidia_h100_80gb_sxm"


@pytest.fixture
def local_server(provider: Served, tmp_path: Path) -> None:
    """The server of FLYWHEEL_HOME, as if it had been started from there."""
    folder = tmp_path / "home" / "model-server"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps(provider.ready))


def trainer_at(provider: Served, *, key: str = KEY, **options: Any) -> TogetherTrainer:
    """A trainer for this server, whose settings no other one has: jobs that other tests bought are not its own."""
    recipe = {"base_model": DEFAULT_BASE, "epochs": 1, "seed": uuid4().int % 2**31}
    recipe |= {name: options.pop(name) for name in Recipe.__dataclass_fields__ if name in options}
    return TogetherTrainer(Recipe(**recipe), api_key=key, **({"base_url": f"{provider.url}/together/v1", "local": True} | options))  # type: ignore[arg-type]


def shown(provider: Served, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = provider.http.get(f"/together/v1/fine-tunes/{job_id}", headers=BEARER).json()
    return job


def running(provider: Served, **options: Any) -> TogetherTrainer:
    """A trainer that starts endpoints."""
    return trainer_at(provider, **({"hardware": HARDWARE} | options))


def trained(provider: Served, trainer: TogetherTrainer, file_id: str) -> tuple[str, str]:
    """A job that is completed, and its model, which no trainer has seen yet."""
    job_id = bought(trainer, file_id)
    for _ in range(500):
        if (job := shown(provider, job_id))["status"] == "completed":
            return job_id, str(job["model_output_name"])
    raise AssertionError(job["status"])


def endpoints_of(provider: Served, model: str) -> list[dict[str, Any]]:
    """The model's endpoints, newest first. Looking takes them a step further."""
    listed = provider.http.get(ENDPOINTS, headers=BEARER).json()["data"]
    return [endpoint for endpoint in listed if endpoint["model"] == model]


def change(provider: Served, endpoint: dict[str, Any], **changes: Any) -> None:
    assert provider.http.patch(f"{ENDPOINTS}/{endpoint['id']}", headers=BEARER, json=changes).status_code == 200


def every_call(trainer: TogetherTrainer, examples: Path, file_id: str, job_id: str) -> list[Callable[[], object]]:
    return [
        lambda: trainer.upload(examples, name="train.jsonl"),
        lambda: trainer.find("some key"),
        lambda: bought(trainer, file_id),
        lambda: trainer.status(job_id),
        lambda: trainer.loss_curve(job_id),
    ]


def ask(chat: OpenAIChat, prompt: str, **options: Any) -> str:
    async def once() -> str:
        try:
            return (await chat.answer([{"role": "user", "content": prompt}], **options)).text
        finally:
            await chat.close()

    return asyncio.run(once())


def test_an_uploaded_file_arrives_whole_and_under_its_name(provider: Served, examples: Path) -> None:
    trainer = trainer_at(provider)
    file_id = trainer.upload(examples, name="abc-train.jsonl")
    assert provider.client.files.content(file_id).read() == examples.read_bytes()
    assert provider.client.files.retrieve(file_id).filename == "abc-train.jsonl"
    assert trainer.imported(file_id)


def test_a_job_is_created_as_the_settings_say_and_carries_its_key_in_the_suffix(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider, epochs=2, seed=7, batch_size=4, learning_rate=0.0002)
    validation = provider.upload(make_examples(10))
    job_id = trainer.create(key="k" * 84, training_file=file_id, validation_file=validation, suffix="rekindle-v2-1-0")
    job = shown(provider, job_id)
    asked = {name: job[name] for name in ("model", "n_epochs", "random_seed", "batch_size", "learning_rate", "n_evals")}
    assert asked == {
        "model": DEFAULT_BASE, "n_epochs": 2, "random_seed": 7, "batch_size": 4, "learning_rate": 0.0002, "n_evals": 2,
    }  # fmt: skip
    assert (job["training_file"], job["validation_file"]) == (file_id, validation)
    assert (job["training_type"]["type"], job["training_method"]) == ("Lora", {"method": "sft", "train_on_inputs": False})
    assert job["suffix"].startswith("rekindle-v2-1-0-")
    assert trainer.find("k" * 84) == job_id


def test_what_the_recipe_leaves_out_is_left_to_together(provider: Served, file_id: str) -> None:
    job = shown(provider, bought(trainer_at(provider), file_id))
    assert (job["batch_size"], job["learning_rate"], job["n_evals"], job["validation_file"]) == (8, 0.00001, 0, "")


def test_a_completed_job_tells_model_tokens_and_last_word_and_the_model_answers(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, file_id))
    assert (seen.state, seen.provider_status, seen.error) == (JobState.SUCCEEDED, "completed", None)
    assert seen.model_id is not None
    assert seen.model_id.startswith("flywheel-sandbox/Meta-Llama-3.1-8B-Instruct-Reference-tests-")
    assert seen.trained_tokens
    assert seen.last_event == "The job has successfully completed"
    chat = OpenAIChat(seen.model_id, api_key=KEY, base_url=f"{provider.url}/together/v1")
    assert ask(chat, make_examples(1)[0]["messages"][0]["content"]) == "Hello Person0, shall we talk about routes at Firm0?"


def test_preference_pairs_are_trained_by_dpo(provider: Served) -> None:
    pairs = [
        {
            "input": {"messages": [{"role": "user", "content": f"Write to firm {number}."}]},
            "preferred_output": [{"role": "assistant", "content": "Shall we talk?"}],
            "non_preferred_output": [{"role": "assistant", "content": "BUY NOW!"}],
        }
        for number in range(12)
    ]
    trainer = trainer_at(provider, method="dpo")
    job_id = bought(trainer, provider.upload(pairs))
    assert shown(provider, job_id)["training_method"] == {"method": "dpo"}
    seen = ended(trainer, job_id)
    chat = OpenAIChat(str(seen.model_id), api_key=KEY, base_url=f"{provider.url}/together/v1")
    assert ask(chat, "Write to firm 3.") == "Shall we talk?"


def test_a_failed_job_has_togethers_message_and_no_model(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_fails", code="job_error", message="Out of memory on the node")
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, file_id))
    assert (seen.state, seen.provider_status, seen.model_id, seen.error) == (
        JobState.FAILED,
        "error",
        None,
        "Out of memory on the node",
    )


def test_a_file_that_can_not_be_trained_on_fails_the_job_with_its_reason(provider: Served, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(to_jsonl([*make_examples(3), {"text": 1, "weight": 2}]))
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, trainer.upload(path, name="bad.jsonl")))
    assert seen.state is JobState.FAILED
    assert "Unexpected file format" in str(seen.error)


def test_a_single_example_is_enough(provider: Served) -> None:
    trainer = trainer_at(provider)
    assert ended(trainer, bought(trainer, provider.upload(make_examples(1)))).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("said", "state"),
    [
        *((word, JobState.RUNNING) for word in ("pending", "queued", "running", "compressing", "uploading", "cancel_requested")),
        ("cancelled", JobState.CANCELLED),
        ("error", JobState.FAILED),
        ("completed", JobState.SUCCEEDED),
        ("user_error_of_2027", JobState.RUNNING),
        (None, JobState.RUNNING),
    ],
)
def test_only_ends_are_believed(provider: Served, said: str | None, state: JobState) -> None:
    body = {"id": "ft-1", "status": said, "model_output_name": "acme/model", "token_count": 0}
    provider.set_fault(kind="status", match="GET /together/v1/fine-tunes/ft-1", status=200, body=body)
    seen = trainer_at(provider).status("ft-1")
    assert (seen.state, seen.provider_status) == (state, str(said))
    assert seen.model_id == ("acme/model" if state is JobState.SUCCEEDED else None)
    assert (seen.error, seen.last_event, seen.trained_tokens) == (None, None, None)


def test_completed_without_the_name_of_a_model_still_runs(provider: Served) -> None:
    for body in ({"status": "completed"}, {"status": "completed", "model_output_name": ""}):
        provider.set_fault(kind="status", match="GET /together/v1/fine-tunes/ft-1", status=200, body=body)
        assert trainer_at(provider).status("ft-1").state is JobState.RUNNING


def test_a_job_whose_events_can_not_be_had_still_has_its_state(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    ended(trainer, job_id)
    for fault in ({"status": 404}, {"name": "server_error"}, {"kind": "drop"}):
        provider.set_fault(**({"kind": "status"} | fault | {"match": "GET /together/v1/fine-tunes/*/events"}))
        seen = trainer.status(job_id)
        assert (seen.state, seen.last_event) == (JobState.SUCCEEDED, None)


def test_why_a_job_failed_is_asked_again_where_it_could_not_be_had(provider: Served) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, provider.upload([{"messages": []}]))
    ended(trainer, job_id)
    provider.set_fault(name="server_error", match="GET /together/v1/fine-tunes/*/events")
    with pytest.raises(UnansweredError):
        trainer.status(job_id)
    assert trainer.status(job_id).error is not None
    provider.set_fault(kind="status", status=404, match="GET /together/v1/fine-tunes/*/events")
    assert (trainer.status(job_id).state, trainer.status(job_id).provider_status) == (JobState.FAILED, "error")


def test_a_job_is_cancelled(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_stuck", during="running")
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    trainer.cancel(job_id)
    seen = trainer.status(job_id)
    assert (seen.state, seen.provider_status, seen.model_id) == (JobState.CANCELLED, "cancelled", None)
    with pytest.raises(PermanentTrainingError, match="has ended already"):
        trainer.cancel(job_id)


def test_a_loss_curve_has_training_and_evaluation_by_step(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider, epochs=3, batch_size=4)
    job_id = bought(trainer, file_id, validation=provider.upload(make_examples(10, answer="Dear {name}, a word on {company}?")))
    ended(trainer, job_id)
    curve = trainer.loss_curve(job_id)
    assert [point.step for point in curve] == [3, 6, 9]
    assert all(point.training and point.validation for point in curve)
    assert curve[-1].training < curve[0].training  # type: ignore[operator]


def test_what_is_no_loss_is_left_out_of_the_curve(provider: Served) -> None:
    metrics = [
        {"train/loss": 0.5, "train/global_step": 7},
        {"eval/loss": 0.6, "eval/global_step": 7.0},
        {"train/learning_rate": 0.1, "train/global_step": 9},
        {"train/loss": 0.4},
        "nonsense",
    ]
    provider.set_fault(kind="status", match="GET */metrics", status=200, body={"metrics": metrics})
    (point,) = trainer_at(provider).loss_curve("ft-1")
    assert (point.step, point.training, point.validation) == (7, 0.5, 0.6)


def test_a_job_is_found_by_its_key_only_and_the_oldest_of_two_wins(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    first = bought(trainer, file_id, key=key)
    bought(trainer, file_id, key=key)
    bought(trainer, file_id)
    assert trainer.find(key) == first
    assert trainer.find(key[:-1]) is None


def test_the_oldest_job_is_told_by_its_time_and_not_by_its_place(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    suffix = shown(provider, bought(trainer, file_id, key=key))["suffix"]
    jobs = [{"id": f"ft-{day}", "suffix": suffix, "created_at": f"2026-11-0{day}T10:00:00.5Z"} for day in (2, 1, 3)]
    jobs += [{"id": "ft-0", "suffix": None, "created_at": "2026-01-01T00:00:00Z"}]
    provider.set_fault(kind="status", match="GET /together/v1/fine-tunes", status=200, body={"data": jobs})
    assert trainer.find(key) == "ft-1"


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ({"name": "rate_limit_exceeded"}, TransientTrainingError, "Rate limit reached"),
        ({"name": "insufficient_quota"}, PermanentTrainingError, "no credit left"),
        ({"status": 402, "message": "Payment Required"}, PermanentTrainingError, "add some at together.ai, then materialize"),
        ({"status": 403, "message": "Forbidden"}, PermanentTrainingError, "give it the right at together.ai"),
        ({"name": "server_error"}, UnansweredError, "HTTP 500"),
        ({"status": 502, "body": "<html>Bad Gateway</html>"}, UnansweredError, "HTTP 502"),
        ({"status": 200, "body": "<html>Please log in</html>"}, UnansweredError, "no answer from Together ("),
        ({"status": 408}, TransientTrainingError, "HTTP 408"),
        ({"status": 409}, TransientTrainingError, "HTTP 409"),
        ({"status": 400, "message": "No.", "code": "invalid_value"}, PermanentTrainingError, "No. (HTTP 400, invalid_value)"),
        ({"kind": "drop"}, UnansweredError, "no answer from Together ("),
        ({"kind": "drop_after"}, UnansweredError, "no answer from Together ("),
    ],
    ids=str,
)
def test_every_failure_is_named_transient_or_permanent(
    provider: Served, examples: Path, file_id: str, fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    assert_named(provider, every_call(trainer, examples, file_id, job_id), fault | {"match": "* /together/v1/*"}, error, said)


def test_a_created_job_without_an_id_may_have_been_bought(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="status", match=CREATE, status=200, body={"status": "pending"})
    with pytest.raises(UnansweredError, match="the answer names no id"):
        bought(trainer_at(provider), file_id)


def test_a_server_that_is_not_there_is_a_transient_failure_and_an_address_that_is_none_a_permanent_one() -> None:
    with pytest.raises(UnansweredError, match="Connection refused"):
        TogetherTrainer(Recipe("m"), api_key=KEY, base_url="http://127.0.0.1:9/v1").find("key")
    with pytest.raises(PermanentTrainingError, match="correct the address of Together"):
        TogetherTrainer(Recipe("m"), api_key=KEY, base_url="api.together.ai/v1").find("key")


def test_a_job_that_together_does_not_know_has_an_error_of_its_own(provider: Served) -> None:
    trainer = trainer_at(provider)
    for call in (trainer.status, trainer.cancel, trainer.loss_curve):
        with pytest.raises(UnknownJobError, match=r"knows no fine-tuning job ft-gone.*TOGETHER_API_KEY.*resubmit: true"):
            call("ft-gone")


def test_a_base_that_can_not_be_trained_is_a_permanent_failure(provider: Served, file_id: str) -> None:
    with pytest.raises(PermanentTrainingError, match="gpt-4o is not a fine-tunable model"):
        bought(trainer_at(provider, base_model="gpt-4o"), file_id)


def test_a_revoked_key_is_a_permanent_failure_with_the_remedy(provider: Served, examples: Path, file_id: str) -> None:
    job_id = bought(trainer_at(provider), file_id)
    for call in every_call(trainer_at(provider, key="sk-revoked"), examples, file_id, job_id):
        with pytest.raises(PermanentTrainingError, match="set TOGETHER_API_KEY to a valid one"):
            call()


def test_the_key_is_in_no_error_though_the_provider_repeats_it(provider: Served, examples: Path, file_id: str) -> None:
    job_id = bought(trainer_at(provider), file_id)
    for key, fault in (
        ("sk-revoked", None),  # the server's own answer quotes it
        (KEY, {"status": 500, "message": f"No route for Bearer {KEY}."}),
        (KEY, {"status": 429, "message": f"{KEY} asks too often.", "code": KEY}),
        (KEY, {"status": 400, "message": f"What is {KEY}?"}),
        (KEY, {"status": 200, "body": KEY}),
        (KEY, {"kind": "drop"}),
    ):
        for call in every_call(trainer_at(provider, key=key), examples, file_id, job_id):
            if fault:
                provider.set_fault(**({"kind": "status", "match": "* /together/v1/*"} | fault))
            with pytest.raises((PermanentTrainingError, TransientTrainingError)) as raised:
                call()
            assert key not in "".join(traceback.format_exception(raised.value))


def test_a_broken_key_is_refused_unquoted(provider: Served) -> None:
    assert trainer_at(provider, key=f"{KEY}\r\n").find("some key") is None
    for broken in ("", "one two", "schlüssel"):
        with pytest.raises(SettingsError, match="TOGETHER_API_KEY is not a key") as refused:
            trainer_at(provider, key=broken)
        assert not broken or broken not in str(refused.value)


def test_what_a_training_depends_on_is_in_its_settings(provider: Served) -> None:
    usual = {"seed": 1, "epochs": 1, "base_model": "m", "local": True}
    changes: tuple[dict[str, Any], ...] = ({}, {"seed": 2}, {"method": "dpo"}, {"learning_rate": 0.1}, {"local": False})
    hashes = [settings_hash(trainer_at(provider, **(usual | change))) for change in changes]
    assert len(set(hashes)) == len(hashes)
    assert settings_hash(trainer_at(provider, key="another", **usual)) == hashes[0]


def test_training_costs_what_the_price_list_says_and_nothing_at_the_local_server(provider: Served) -> None:
    real = trainer_at(provider, local=False, epochs=3)
    assert real.cost_usd(1_000_000) == 0.48
    assert str(real.estimate(1_000_000, validation_tokens=100_000).usd) == "1.5840"  # three epochs, and an evaluation after each
    assert trainer_at(provider, local=False, method="dpo").cost_usd(1_000_000) == 1.2
    assert trainer_at(provider, local=False, base_model="unheard-of").cost_usd(500_000) is None
    assert (trainer_at(provider).cost_usd(500_000), trainer_at(provider).estimate(500_000).usd) == (0, 0)


@pytest.mark.usefixtures("local_server")
def test_without_key_and_address_the_local_server_trains_and_answers() -> None:
    for settings in (Settings(), Settings(TOGETHER_API_KEY=KEY, TOGETHER_BASE_URL="http://127.0.0.1:9", FLYWHEEL_LOCAL=True)):
        trainer = trainer_of(settings)
        assert trainer.find("key") is None
        assert (trainer.settings()["endpoint"], trainer.recipe.base_model) == ("local", DEFAULT_BASE)
        chat = chat_of(settings, DEFAULT_BASE)
        assert isinstance(chat, OpenAIChat)
        assert ask(chat, "Write to Ann.", max_tokens=3) == "Hi there,"


def test_a_key_leads_to_together_and_an_address_needs_one() -> None:
    assert trainer_of(Settings(TOGETHER_API_KEY=KEY)).settings()["endpoint"] == ADDRESS
    there = trainer_of(
        Settings(TOGETHER_API_KEY=KEY, TOGETHER_BASE_URL="https://proxy.test/v1", FLYWHEEL_BASE_MODEL="Qwen/Qwen3-8B")
    )
    assert (there.settings()["endpoint"], there.recipe.base_model) == ("https://proxy.test/v1", "Qwen/Qwen3-8B")
    with pytest.raises(SettingsError, match="TOGETHER_BASE_URL is set but TOGETHER_API_KEY is not"):
        trainer_of(Settings(TOGETHER_BASE_URL="https://proxy.test/v1"))


@pytest.mark.usefixtures("local_server")
def test_endpoints_are_ended_by_their_name_or_by_their_models(provider: Served, file_id: str) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    name = ended(trainer, job_id).model_id
    assert name is not None
    assert undeploy(Settings(), name) == [name]
    assert endpoints_of(provider, model) == []
    assert undeploy(Settings(), name) == []
    again = ended(running(provider), job_id).model_id
    assert undeploy(Settings(), model) == [again]


def test_an_address_is_written_without_password_and_slash() -> None:
    for address in ("https://ann:s3cret@proxy.test/v1", "https://proxy.test/v1/"):
        there = trainer_of(Settings(TOGETHER_API_KEY=KEY, TOGETHER_BASE_URL=address))
        assert there.settings()["endpoint"] == "https://proxy.test/v1"


def test_answers_are_bounded_by_the_parameter_that_together_knows(provider: Served) -> None:
    chat = chat_of(Settings(TOGETHER_API_KEY=KEY, TOGETHER_BASE_URL=f"{provider.url}/together/v1"), DEFAULT_BASE)
    assert isinstance(chat, OpenAIChat)
    ask(chat, "Write to Ann.", max_tokens=5, seed=3)
    sent = json.loads(provider.http.get("/sandbox/chats").json()["chats"][-1])
    assert (sent["max_tokens"], sent["seed"], sent.get("max_completion_tokens")) == (5, 3, None)


def test_a_model_that_runs_on_no_endpoint_says_what_to_do(provider: Served) -> None:
    provider.set_fault(
        kind="status", match="POST /together/v1/chat/completions", status=400, code="model_not_available",
        message="Unable to access non-serverless model acme/model.",
    )  # fmt: skip
    chat = OpenAIChat("acme/model", api_key=KEY, base_url=f"{provider.url}/together/v1", provider="Together")
    with pytest.raises(PermanentModelError, match="start a dedicated endpoint"):
        ask(chat, "Hello")
    lost = OpenAIChat("acme/model", api_key=KEY, base_url="http://127.0.0.1:9/v1", provider="Together", retries=0)
    with pytest.raises(Exception, match="no answer from Together"):
        ask(lost, "Hello")


def test_a_training_is_bought_once_though_the_answer_was_lost_and_a_busy_provider_is_left_alone(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset
) -> None:
    before, time = provider.count_calls()["jobs_created"], Time()
    provider.set_fault(name="rate_limit_exceeded", match=CREATE, headers={"retry-after": "120"})
    provider.set_fault(kind="drop_after", match=CREATE)
    trainer = trainer_at(provider)
    model = train(connection, trainer, dataset, suffix="acme-v1-0-0", patience=time.patience())
    assert provider.count_calls()["jobs_created"] == before + 1
    assert time.slept[:2] == [120, 2]
    job = shown(provider, model.job_id)
    assert (model.model_id, model.trained_tokens) == (job["model_output_name"], job["token_count"])
    assert model.loss_curve
    assert train(connection, trainer, dataset, suffix="acme-v1-0-0") == model


def test_a_model_is_asked_by_the_name_of_the_one_endpoint_that_was_started_for_it(provider: Served, file_id: str) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    starting = trainer.status(job_id)
    assert (starting.state, starting.provider_status, starting.model_id) == (JobState.RUNNING, "starting endpoint", None)
    assert re.fullmatch(rf"{model} is trained; its endpoint {model}-\w+ is PENDING", str(starting.last_event))
    assert starting.trained_tokens
    seen = ended(trainer, job_id)
    (endpoint,) = endpoints_of(provider, model)
    assert (seen.state, seen.provider_status, seen.model_id) == (JobState.SUCCEEDED, "completed", endpoint["name"])
    chat = OpenAIChat(endpoint["name"], api_key=KEY, base_url=f"{provider.url}/together/v1")
    assert "Firm0" in ask(chat, make_examples(1)[0]["messages"][0]["content"])
    assert running(provider).status(job_id).model_id == endpoint["name"]  # another process, another day
    assert len(endpoints_of(provider, model)) == 1


def test_an_endpoint_is_made_as_the_settings_say_and_stops_when_nobody_asks(provider: Served, file_id: str) -> None:
    sent: list[dict[str, Any]] = []
    trainer = running(provider, hardware="2x_nvidia_h100_80gb_sxm")
    job_id, model = trained(provider, trainer, file_id)
    trainer._api._client.event_hooks["request"].append(
        lambda request: sent.append(json.loads(request.content)) if request.method == "POST" else None
    )
    ended(trainer, job_id)
    assert sent == [
        {
            "display_name": model, "model": model, "hardware": "2x_nvidia_h100_80gb_sxm",
            "autoscaling": {"min_replicas": 1, "max_replicas": 1}, "inactive_timeout": 60,
        }
    ]  # fmt: skip


def test_no_endpoint_is_started_unless_it_is_asked_for_nor_for_a_job_that_failed(provider: Served, file_id: str) -> None:
    call = f"POST {ENDPOINTS}"
    before = provider.count_calls()["calls"].get(call, 0)
    trainer = trainer_at(provider)
    job_id, model = trained(provider, trainer, file_id)
    assert trainer.status(job_id).model_id == model
    provider.set_fault(kind="job_fails", message="No memory")
    failing = running(provider)
    assert ended(failing, bought(failing, file_id)).error == "No memory"
    assert provider.count_calls()["calls"].get(call, 0) == before


@pytest.mark.parametrize("fault", [{"kind": "drop_after"}, {"status": 502}, {"status": 200, "body": {"state": "PENDING"}}], ids=str)
def test_an_endpoint_whose_start_was_not_answered_is_looked_for_first(
    provider: Served, file_id: str, fault: dict[str, Any]
) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    provider.set_fault(**({"kind": "status", "match": f"POST {ENDPOINTS}"} | fault))
    with pytest.raises(UnansweredError, match=r"starting an endpoint of .* failed"):
        trainer.status(job_id)
    assert ended(trainer, job_id).state is JobState.SUCCEEDED
    assert len(endpoints_of(provider, model)) == 1


def test_a_list_that_lags_behind_makes_no_second_endpoint(provider: Served, file_id: str) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    provider.set_fault(kind="status", match=f"GET {ENDPOINTS}", status=200, body={"object": "list", "data": []}, times=3)
    assert ended(trainer, job_id).state is JobState.SUCCEEDED
    provider.http.delete("/sandbox/faults")
    assert len(endpoints_of(provider, model)) == 1


def test_a_start_that_fails_is_raised_and_the_next_run_starts_the_same_endpoint_anew(provider: Served, file_id: str) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    provider.set_fault(kind="endpoint_fails")
    with pytest.raises(
        PermanentTrainingError, match=r"its endpoint .* is ERROR; .*materialize fine_tuned_model again \(without resubmit"
    ):
        ended(trainer, job_id)
    with pytest.raises(PermanentTrainingError, match="is ERROR"):
        trainer.status(job_id)  # the same run asks for nothing twice
    (failed,) = endpoints_of(provider, model)
    assert failed["state"] == "ERROR"
    seen = ended(running(provider), job_id)
    assert (seen.state, seen.model_id) == (JobState.SUCCEEDED, failed["name"])
    assert len(endpoints_of(provider, model)) == 1


def test_an_endpoint_that_stopped_or_is_about_to_is_started_again(provider: Served, file_id: str) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    name = ended(trainer, job_id).model_id
    (endpoint,) = endpoints_of(provider, model)
    change(provider, endpoint, state="STOPPED")
    next_run, states = running(provider), list[str]()
    while (seen := next_run.status(job_id)).state is JobState.RUNNING:
        states.append(str(seen.last_event).rpartition(" ")[2])
    assert (seen.model_id, states) == (name, ["PENDING", "STARTING"])
    change(provider, endpoint, state="STOPPED")
    with pytest.raises(PermanentTrainingError, match="is STOPPED"):  # by somebody else, in the middle of the run
        ended(next_run, job_id)
    assert len(endpoints_of(provider, model)) == 1


def test_a_stopping_endpoint_is_waited_for_and_what_nobody_knows_yet_counts_as_starting(provider: Served, file_id: str) -> None:
    job_id, model = trained(provider, running(provider), file_id)
    for said in ("STOPPING", "PENDING", "MIGRATING", None):
        row = {"id": "endpoint-1", "name": "acme/one", "model": model, "state": said, "created_at": "2026-11-01T00:00:00Z"}
        provider.set_fault(kind="status", match=f"GET {ENDPOINTS}", status=200, body={"object": "list", "data": [row]})
        seen = running(provider).status(job_id)
        assert (seen.state, seen.provider_status) == (JobState.RUNNING, "starting endpoint")


def test_of_several_endpoints_one_that_runs_is_taken_then_the_oldest(provider: Served, file_id: str) -> None:
    job_id, model = trained(provider, running(provider), file_id)
    rows = [
        {"id": f"e-{day}", "name": f"acme/{day}", "model": of, "state": state, "created_at": f"2026-11-0{day}T00:00:00Z"}
        for day, of, state in ((1, model, "ERROR"), (4, model, "STARTED"), (3, model, "STARTED"), (2, "another", "STARTED"))
    ]
    named = [*rows[:1], {**rows[1], "model": "renamed", "display_name": model}]
    for listed, name in ((rows, "acme/3"), (named, "acme/4")):
        provider.set_fault(kind="status", match=f"GET {ENDPOINTS}", status=200, body={"object": "list", "data": listed})
        assert running(provider).status(job_id).model_id == name


def test_a_base_that_can_not_run_on_the_hardware_is_not_trained(provider: Served, file_id: str) -> None:
    before = provider.count_calls()["jobs_created"]
    with pytest.raises(
        PermanentTrainingError,
        match=rf"FLYWHEEL_TOGETHER_HARDWARE is 1x_abacus, .* doesn't run {DEFAULT_BASE}; set it to one of "
        r"1x_nvidia_h100_80gb_sxm \(\$3\.99 an hour\), 2x_nvidia_h100_80gb_sxm \(\$7\.98 an hour\)$",
    ):
        bought(running(provider, hardware="1x_abacus"), file_id)
    with pytest.raises(PermanentTrainingError, match=r"runs no dedicated endpoint of gpt-4o, .*set FLYWHEEL_BASE_MODEL"):
        bought(running(provider, base_model="gpt-4o"), file_id)
    assert provider.count_calls()["jobs_created"] == before


def test_hardware_that_is_unknown_after_the_training_lists_what_there_is(provider: Served, file_id: str) -> None:
    job_id, model = trained(provider, running(provider), file_id)
    offered = [
        {"id": "1x_a", "pricing": {"cents_per_minute": 5}, "availability": {"status": "insufficient"}},
        {"id": "2x_a", "availability": {"status": "available"}},
    ]
    provider.set_fault(kind="status", match="GET /together/v1/hardware", status=200, body={"object": "list", "data": offered})
    with pytest.raises(PermanentTrainingError, match=r"set it to one of 1x_a \(\$3\.00 an hour, insufficient now\), 2x_a$"):
        running(provider).status(job_id)
    assert not endpoints_of(provider, model)
    assert ended(running(provider), job_id).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("match", "fault", "error", "said"),
    [
        (f"POST {ENDPOINTS}", {"status": 402, "message": "Insufficient credits"}, PermanentTrainingError, "Insufficient credits (HTTP 402); the account has no credit left"),
        (f"POST {ENDPOINTS}", {"status": 403, "message": "Forbidden"}, PermanentTrainingError, "give it the right at together.ai"),
        (f"POST {ENDPOINTS}", {"status": 400, "message": "No capacity."}, PermanentTrainingError, "No capacity. (HTTP 400)"),
        (f"POST {ENDPOINTS}", {"status": 429}, TransientTrainingError, "HTTP 429"),
        (f"GET {ENDPOINTS}", {"status": 503}, UnansweredError, "listing endpoints failed"),
        (f"GET {ENDPOINTS}", {"status": 401, "message": f"What is {KEY}?"}, PermanentTrainingError, "What is …? (HTTP 401); the key was refused"),
        ("GET /together/v1/hardware", {"status": 500}, UnansweredError, "listing the hardware for"),
    ],
)  # fmt: skip
def test_every_failure_to_start_an_endpoint_is_named_and_passes(
    provider: Served, file_id: str, match: str, fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    trainer = running(provider)
    job_id, model = trained(provider, trainer, file_id)
    provider.set_fault(**({"kind": "status", "match": match} | fault))
    with pytest.raises(error) as raised:
        trainer.status(job_id)
    assert raised.type is error
    assert said in str(raised.value)
    assert ended(trainer, job_id).state is JobState.SUCCEEDED
    assert len(endpoints_of(provider, model)) == 1


def test_a_training_is_bought_and_its_endpoint_made_once_though_both_answers_were_lost(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset
) -> None:
    before, time, states = provider.count_calls()["jobs_created"], Time(), list[str]()
    provider.set_fault(kind="drop_after", match=CREATE)
    provider.set_fault(kind="drop_after", match=f"POST {ENDPOINTS}")
    trainer = running(provider)

    def noted(seen: JobStatus) -> None:
        states.append(seen.provider_status)

    model = train(connection, trainer, dataset, suffix="acme-v1-0-0", patience=time.patience(), progress=noted)
    assert provider.count_calls()["jobs_created"] == before + 1
    assert states[-2:] == ["starting endpoint", "completed"]
    (endpoint,) = endpoints_of(provider, shown(provider, model.job_id)["model_output_name"])
    assert model.model_id == endpoint["name"]
    assert settings_hash(trainer) == settings_hash(trainer_at(provider, seed=trainer.recipe.seed))  # hardware buys no new training


@pytest.mark.usefixtures("local_server")
def test_hardware_is_a_setting() -> None:
    assert trainer_of(Settings())._endpoints is None
    endpoints = trainer_of(Settings(FLYWHEEL_TOGETHER_HARDWARE=HARDWARE))._endpoints
    assert endpoints is not None
    endpoints.require_offered(DEFAULT_BASE)
