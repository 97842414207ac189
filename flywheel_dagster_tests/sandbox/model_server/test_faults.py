"""Faults on demand: what a client sees, and what really happened behind it."""

from typing import Any

import openai
import pytest

from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples

CREATE = "POST /v1/fine_tuning/jobs"


def _create(server: Served, file_id: str, **options: Any) -> Any:
    return server.client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file_id, **options)


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("training_not_available", openai.PermissionDeniedError, "training_not_available"),
        ("rate_limit_exceeded", openai.RateLimitError, "rate_limit_exceeded"),
        ("insufficient_quota", openai.RateLimitError, "insufficient_quota"),
        ("server_error", openai.InternalServerError, None),
        ("server_is_overloaded", openai.InternalServerError, "server_is_overloaded"),
    ],
)
def test_a_ready_made_error_comes_once_and_creates_nothing(
    server: Served, name: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    file_id, before = server.upload(make_examples(10)), server.count_calls()
    server.set_fault(name=name, match=CREATE)
    with pytest.raises(error) as refused:
        _create(server, file_id)
    assert refused.value.code == code
    assert refused.value.response.headers.get("retry-after") == ("1" if name == "rate_limit_exceeded" else None)
    assert server.count_calls()["jobs_created"] == before["jobs_created"]
    assert server.wait(_create(server, file_id).id).status == "succeeded"
    after = server.count_calls()
    assert after["calls"][CREATE] == before["calls"].get(CREATE, 0) + 2
    assert after["jobs_created"] == before["jobs_created"] + 1


def test_a_dropped_call_never_happened(server: Served) -> None:
    file_id, before = server.upload(make_examples(10)), server.count_calls()["jobs_created"]
    server.set_fault(match=CREATE, kind="drop")
    with pytest.raises(openai.APIConnectionError):
        _create(server, file_id)
    assert server.count_calls()["jobs_created"] == before


def test_a_lost_answer_leaves_a_job_that_can_be_found_by_its_metadata(server: Served) -> None:
    file_id, before = server.upload(make_examples(10)), server.count_calls()["jobs_created"]
    server.set_fault(match=CREATE, kind="drop_after")
    with pytest.raises(openai.APIConnectionError):
        _create(server, file_id, metadata={"run_id": "lost"})
    assert server.count_calls()["jobs_created"] == before + 1
    found = list(server.client.fine_tuning.jobs.list(metadata={"run_id": "lost"}))
    assert len(found) == 1
    assert server.wait(found[0].id).status == "succeeded"


def test_a_careless_retry_after_a_lost_answer_buys_two_jobs(server: Served) -> None:
    file_id, before = server.upload(make_examples(10)), server.count_calls()["jobs_created"]
    server.set_fault(match=CREATE, kind="drop_after")
    server.client.with_options(max_retries=2).fine_tuning.jobs.create(model="gpt-4o-mini", training_file=file_id)
    assert server.count_calls()["jobs_created"] == before + 2


def test_a_delayed_call_runs_into_the_clients_timeout(server: Served) -> None:
    server.set_fault(match="GET /v1/models", kind="delay", seconds=0.3)
    with pytest.raises(openai.APITimeoutError):
        server.client.with_options(timeout=0.05).models.list()
    assert list(server.client.models.list())


def test_a_fault_can_wait_repeat_and_match_a_pattern(server: Served) -> None:
    server.set_fault(match="GET /v1/models/*", status=418, kind="status", times=2, skip=1, message="Tea", code="teapot")
    ask = server.client.models.retrieve
    assert ask("gpt-6-luna")
    for _ in range(2):
        with pytest.raises(openai.APIStatusError) as refused:
            ask("gpt-6-luna")
        assert (refused.value.status_code, refused.value.code) == (418, "teapot")
    assert ask("gpt-6-luna")


def test_the_clients_own_retry_survives_a_rate_limit(server: Served) -> None:
    server.set_fault(name="rate_limit_exceeded", headers={"retry-after-ms": "1"})
    assert list(server.client.with_options(max_retries=1).models.list())


def test_a_job_can_be_made_to_fail_in_its_running(server: Served) -> None:
    server.set_fault(kind="job_fails", code="exceeded_quota", message="Billing hard limit has been reached")
    job = server.train(make_examples(10))
    assert job.error is not None
    assert (job.status, job.error.code, job.error.message) == ("failed", "exceeded_quota", "Billing hard limit has been reached")
    assert job.hyperparameters.n_epochs == 10  # it had begun to run
    assert server.train(make_examples(10)).status == "succeeded"


def test_a_stuck_job_stays_where_it_is_until_it_is_cancelled(server: Served) -> None:
    server.set_fault(kind="job_stuck", during="queued")
    jobs = server.client.fine_tuning.jobs
    job = _create(server, server.upload(make_examples(10)))
    server.wait_for_event(job.id, "moving job to queued state")
    assert server.train(make_examples(10)).status == "succeeded"
    assert jobs.retrieve(job.id).status == "queued"
    assert jobs.cancel(job.id).status == "cancelled"


def test_a_slow_job_is_still_running_when_a_later_one_is_done(server: Served) -> None:
    server.set_fault(kind="job_slow", seconds=60)
    slow = _create(server, server.upload(make_examples(10)))
    assert server.train(make_examples(10)).status == "succeeded"
    assert server.client.fine_tuning.jobs.cancel(slow.id).status == "cancelled"


def test_a_slow_job_is_not_done_before_it_was_looked_at(server: Served) -> None:
    server.set_fault(kind="job_slow", seconds=0, looks=2)
    slow = _create(server, server.upload(make_examples(10)))
    assert server.train(make_examples(10)).status == "succeeded"
    looks = [server.client.fine_tuning.jobs.retrieve(slow.id).status for _ in range(2)]
    assert looks == ["running", "running"]
    assert server.wait(slow.id).status == "succeeded"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "explode"},
        {"name": "nothing"},
        {},
        {"kind": "drop", "times": 0},
        {"kind": "delay", "seconds": "x"},
        {"kind": "job_slow", "looks": "x"},
    ],
    ids=str,
)
def test_a_fault_that_can_not_be_played_is_refused(server: Served, fault: dict[str, Any]) -> None:
    assert server.set_fault(**fault).status_code == 400
