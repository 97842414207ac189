"""The trainer against a server with OpenAI's wire format, over real HTTP: what it sends, finds and understands, and how it names failures."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flywheel_dagster.errors import PermanentTrainingError, SettingsError, TransientTrainingError, UnansweredError, UnknownJobError
from flywheel_dagster.training.trainer import JobState, Recipe, settings_hash
from flywheel_dagster.training.trainers.openai import OpenAITrainer
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples
from flywheel_dagster_tests.training.making import KEY, trainer_at
from flywheel_dagster_tests.training.trainers.steps import assert_named, bought, ended

BEARER = {"Authorization": "Bearer sk-test"}


def every_call(trainer: OpenAITrainer, examples: Path, file_id: str, job_id: str) -> list[Callable[[], object]]:
    return [
        lambda: trainer.upload(examples, name="train.jsonl"),
        lambda: trainer.find("some key"),
        lambda: bought(trainer, file_id),
        lambda: trainer.status(job_id),
    ]


def test_an_uploaded_file_arrives_whole_and_under_its_name(provider: Served, examples: Path) -> None:
    file_id = trainer_at(provider).upload(examples, name="abc-train.jsonl")
    assert provider.client.files.content(file_id).read() == examples.read_bytes()
    stored = provider.client.files.retrieve(file_id)
    assert (stored.filename, stored.purpose) == ("abc-train.jsonl", "fine-tune")


def test_a_job_is_created_as_the_settings_say_and_carries_its_key(provider: Served, file_id: str) -> None:
    trainer, validation = trainer_at(provider, epochs=2, seed=7), provider.upload(make_examples(10))
    job_id = trainer.create(key="k" * 84, training_file=file_id, validation_file=validation, suffix="flywheel-v1-0-0")
    job = provider.client.fine_tuning.jobs.retrieve(job_id)
    assert (job.model, job.seed, job.training_file, job.validation_file) == ("gpt-4o-mini-2024-07-18", 7, file_id, validation)
    assert job.metadata == {"flywheel_key": "k" * 84}
    assert job.method is not None
    assert job.method.supervised is not None
    assert job.method.supervised.hyperparameters is not None
    assert job.method.supervised.hyperparameters.n_epochs == 2
    assert ended(trainer, job_id).model_id == provider.wait(job_id).fine_tuned_model


def test_a_succeeded_job_tells_model_tokens_and_last_word(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, file_id))
    assert (seen.state, seen.provider_status, seen.error) == (JobState.SUCCEEDED, "succeeded", None)
    assert seen.model_id is not None
    assert seen.model_id.startswith("ft:gpt-4o-mini-2024-07-18:")
    assert seen.trained_tokens
    assert seen.last_event == "The job has successfully completed"


def test_a_failed_job_has_the_providers_message_and_no_model(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_fails", code="exceeded_quota", message="Billing hard limit has been reached")
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, file_id))
    assert (seen.state, seen.model_id) == (JobState.FAILED, None)
    assert seen.error == "Billing hard limit has been reached (exceeded_quota)"


def test_a_file_that_the_provider_refuses_fails_the_job_with_its_reason(provider: Served) -> None:
    trainer = trainer_at(provider)
    seen = ended(trainer, bought(trainer, provider.upload(make_examples(9))))
    assert seen.state is JobState.FAILED
    assert seen.error is not None
    assert "10" in seen.error
    assert seen.error.endswith("(invalid_n_examples)")


def test_a_state_that_is_no_end_counts_as_running(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_stuck", during="queued")
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    assert trainer.status(job_id).state is JobState.RUNNING
    provider.client.fine_tuning.jobs.pause(job_id)
    seen = trainer.status(job_id)
    assert (seen.state, seen.provider_status, seen.model_id, seen.error) == (JobState.RUNNING, "paused", None, None)
    provider.client.fine_tuning.jobs.cancel(job_id)
    assert trainer.status(job_id).state is JobState.CANCELLED


def test_a_job_whose_events_can_not_be_had_still_has_its_state(provider: Served, file_id: str) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    ended(trainer, job_id)
    for fault in ({"status": 404}, {"name": "server_error"}, {"kind": "drop"}):
        provider.set_fault(match="GET /v1/fine_tuning/jobs/*/events", **({"kind": "status"} | fault))
        seen = trainer.status(job_id)
        assert (seen.state, seen.last_event) == (JobState.SUCCEEDED, None)


def test_a_job_is_found_by_its_key_only(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    job_id = bought(trainer, file_id, key=key)
    bought(trainer, file_id)
    assert trainer.find(key) == job_id
    assert trainer.find(key[:-1]) is None


def test_a_job_is_found_where_the_list_ignores_the_question(provider: Served, file_id: str) -> None:
    trainer, key = trainer_at(provider), uuid4().hex
    mine, other = bought(trainer, file_id, key=key), bought(trainer, file_id)
    answer = {
        "object": "list",
        "has_more": False,
        "data": [provider.http.get(f"/v1/fine_tuning/jobs/{job}", headers=BEARER).json() for job in (other, mine)],
    }
    for asked, found in ((key, mine), ("unknown", None)):
        provider.set_fault(kind="status", match="GET /v1/fine_tuning/jobs", status=200, body=answer)
        assert trainer.find(asked) == found


def test_the_oldest_of_many_jobs_is_found_beyond_the_first_page(provider: Served, file_id: str) -> None:
    provider.set_fault(kind="job_stuck", during="validating_files", times=None)
    trainer, key = trainer_at(provider), uuid4().hex
    jobs = [bought(trainer, file_id, key=key) for _ in range(101)]
    before = provider.count_calls()["calls"]["GET /v1/fine_tuning/jobs"]
    assert trainer.find(key) == jobs[0]
    assert provider.count_calls()["calls"]["GET /v1/fine_tuning/jobs"] == before + 2


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ({"name": "training_not_available"}, PermanentTrainingError, "choose another trainer (FLYWHEEL_TRAINER)"),
        ({"name": "rate_limit_exceeded"}, TransientTrainingError, "Rate limit reached"),
        ({"name": "insufficient_quota"}, PermanentTrainingError, "no credit left; add some, then materialize"),
        ({"status": 429, "code": "credit_balance_exhausted"}, PermanentTrainingError, "no credit left"),
        ({"name": "server_error"}, UnansweredError, "HTTP 500"),
        ({"name": "server_is_overloaded"}, UnansweredError, "HTTP 503, server_is_overloaded"),
        ({"status": 502, "body": "<html>Bad Gateway</html>"}, UnansweredError, "HTTP 502"),
        ({"status": 408}, TransientTrainingError, "HTTP 408"),
        ({"status": 409}, TransientTrainingError, "HTTP 409"),
        ({"status": 400, "message": "No.", "code": "invalid_value"}, PermanentTrainingError, "No. (HTTP 400, invalid_value)"),
        (
            {"status": 401, "message": "Who?", "code": "ip_not_authorized"},
            PermanentTrainingError,
            "set OPENAI_API_KEY to a valid one",
        ),
        (
            {"status": 403, "message": "You may not."},
            PermanentTrainingError,
            "give it the permission for files, models and fine-tuning",
        ),
        ({"kind": "drop"}, UnansweredError, "no answer from OpenAI ("),
        ({"kind": "drop_after"}, UnansweredError, "no answer from OpenAI"),
    ],
    ids=str,
)
def test_every_failure_is_named_transient_or_permanent(
    provider: Served, examples: Path, file_id: str, fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    trainer = trainer_at(provider)
    job_id = bought(trainer, file_id)
    assert_named(provider, every_call(trainer, examples, file_id, job_id), fault | {"match": "* /v1/*"}, error, said)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({}, "correct OPENAI_BASE_URL, or choose another trainer"),
        ({"code": "model_not_found"}, "set FLYWHEEL_BASE_MODEL to one that is"),
    ],
)
def test_what_is_not_there_has_a_remedy(provider: Served, file_id: str, fault: dict[str, str], said: str) -> None:
    provider.set_fault(kind="status", status=404, match="POST /v1/fine_tuning/jobs", **fault)
    with pytest.raises(PermanentTrainingError, match=said):
        bought(trainer_at(provider), file_id)


def test_a_server_that_is_not_there_is_a_transient_failure(tmp_path: Path) -> None:
    nowhere = OpenAITrainer(Recipe("m"), api_key=KEY, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UnansweredError, match="Connection refused"):
        nowhere.find("key")


def test_a_job_that_the_provider_does_not_know_has_an_error_of_its_own(provider: Served) -> None:
    with pytest.raises(UnknownJobError, match=r"knows no fine-tuning job ftjob-gone.*OPENAI_API_KEY.*resubmit: true"):
        trainer_at(provider).status("ftjob-gone")


def test_a_revoked_key_is_a_permanent_failure_with_the_remedy(provider: Served, examples: Path, file_id: str) -> None:
    job_id = bought(trainer_at(provider), file_id)
    for call in every_call(trainer_at(provider, key="sk-revoked"), examples, file_id, job_id):
        with pytest.raises(PermanentTrainingError, match="set OPENAI_API_KEY to a valid one"):
            call()


def test_the_key_is_in_no_error_though_the_provider_repeats_it(provider: Served, examples: Path, file_id: str) -> None:
    job_id = bought(trainer_at(provider), file_id)
    for key, fault in (
        ("sk-revoked", None),  # the server's own answer quotes it
        (KEY, {"status": 500, "message": f"No route for Bearer {KEY}."}),
        (KEY, {"status": 429, "message": f"{KEY} asks too often.", "code": KEY}),
        (KEY, {"status": 400, "message": f"What is {KEY}?"}),
        (KEY, {"status": 404, "message": f"What is {KEY}?"}),
        (KEY, {"kind": "drop"}),
    ):
        for call in every_call(trainer_at(provider, key=key), examples, file_id, job_id):
            if fault:
                provider.set_fault(**({"kind": "status"} | fault))
            with pytest.raises((PermanentTrainingError, TransientTrainingError)) as raised:
                call()
            assert key not in "".join(traceback.format_exception(raised.value))


def test_a_key_with_a_line_end_is_read_without_it_and_a_broken_one_is_refused_unquoted(provider: Served) -> None:
    assert trainer_at(provider, key=f"{KEY}\r\n").find("some key") is None
    for broken in ("", " \n", "sk-one sk-two", "sk-one\nsk-two", "sk-schlüssel", "sk-\x00"):
        with pytest.raises(SettingsError, match="OPENAI_API_KEY is not a key") as refused:
            trainer_at(provider, key=broken)
        assert "sk-" not in str(refused.value)


def test_what_a_training_depends_on_is_in_its_settings(provider: Served) -> None:
    usual = {"seed": 1, "epochs": 1, "base_model": "m", "local": True}
    hashes = [
        settings_hash(trainer_at(provider, **(usual | change)))
        for change in ({}, {"seed": 2}, {"epochs": 2}, {"base_model": "n"}, {"local": False})
    ]
    assert len(set(hashes)) == len(hashes)
    assert settings_hash(trainer_at(provider, key="sk-another", **usual)) == hashes[0]
    for address in ("https://proxy.test/v1", "https://proxy.test/v1/", "https://ann:s3cret@proxy.test/v1"):
        there = trainer_at(provider, local=False, base_url=address)
        assert there.settings()["endpoint"] == "https://proxy.test/v1/"


def test_training_costs_what_the_price_table_says_and_nothing_at_the_local_server(provider: Served) -> None:
    assert trainer_at(provider, local=False).cost_usd(500_000) == 1.5
    assert trainer_at(provider, local=False, base_model="unheard-of").cost_usd(500_000) is None
    assert trainer_at(provider).cost_usd(500_000) == 0
