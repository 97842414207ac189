"""The Batch API as the official client sees it: states, files, counts, refusals, faults, and kills in the middle."""

from typing import Any

import openai
import pytest

from flywheel_dagster.sandbox.model_server.batch_input import MOST_REQUESTS, check_input
from flywheel_dagster.sandbox.model_server.files import LARGEST_BATCH, check_size
from flywheel_dagster.sandbox.model_server.wire import ApiError
from flywheel_dagster_tests.sandbox.model_server.batching import as_lines, create, ended, make_request, make_requests, read, run
from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served


def test_a_batch_answers_every_request_and_counts_what_it_used(server: Served) -> None:
    requests = make_requests(3)
    created = create(server, as_lines(requests), metadata={"flywheel_key": "k"})
    assert (created.status, created.object, created.completion_window) == ("validating", "batch", "24h")
    assert created.expires_at == created.created_at + 86_400
    batch = ended(server, created.id)
    assert (batch.status, batch.error_file_id, batch.errors, batch.model) == ("completed", None, None, "gpt-6-luna")
    assert batch.metadata == {"flywheel_key": "k"}
    assert None not in (batch.in_progress_at, batch.finalizing_at, batch.completed_at)
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 3, 0)
    lines = read(server, batch.output_file_id)
    assert [line["custom_id"] for line in lines] == [request["custom_id"] for request in requests]
    for line in lines:
        assert line.keys() == {"id", "custom_id", "response", "error"}
        assert line["id"].startswith("batch_req_")
        assert line["error"] is None
        assert line["response"].keys() == {"status_code", "request_id", "body"}
        assert line["response"]["status_code"] == 200
        assert line["response"]["body"]["object"] == "chat.completion"
    assert batch.usage is not None
    assert batch.usage.input_tokens == sum(line["response"]["body"]["usage"]["prompt_tokens"] for line in lines)
    assert batch.usage.output_tokens == sum(line["response"]["body"]["usage"]["completion_tokens"] for line in lines)
    assert server.client.files.retrieve(str(batch.output_file_id)).purpose == "batch_output"


def test_a_batch_answers_as_an_online_call_would(server: Served) -> None:
    (line,) = read(server, run(server, make_requests(1, temperature=0)).output_file_id)
    assert line["response"]["body"]["choices"][0]["message"]["content"] == server.ask("gpt-6-luna", "Hello 0")


def test_a_bad_request_goes_to_the_error_file_and_the_others_are_answered(server: Served) -> None:
    requests = make_requests(3)
    requests[1]["body"]["messages"] = []
    batch = run(server, requests)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    (line,) = read(server, batch.error_file_id)
    assert (line["custom_id"], line["error"], line["response"]["status_code"]) == (requests[1]["custom_id"], None, 400)
    assert line["response"]["body"]["error"]["param"] == "messages"
    assert len(read(server, batch.output_file_id)) == 2


def test_a_batch_with_no_good_request_has_no_output_file(server: Served) -> None:
    batch = run(server, [make_request("a", n=0)])
    assert (batch.status, batch.output_file_id) == ("completed", None)
    assert len(read(server, batch.error_file_id)) == 1


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        (as_lines([make_request("a"), make_request("b"), make_request("a")]), "duplicate_custom_id", 3),
        (as_lines([make_request("a"), {**make_request("b"), "url": "/v1/embeddings"}]), "invalid_url", 2),
        (as_lines([{**make_request("a"), "method": "GET"}]), "invalid_method", 1),
        (as_lines([make_request("a"), make_request("b", model="gpt-9")]), "model_not_found", 2),
        (as_lines([make_request("a"), make_request("b", model="gpt-4o")]), "mismatched_model", 2),
        (as_lines([{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions"}]), "missing_required_parameter", 1),
        (as_lines([make_request("")]), "missing_required_parameter", 1),
        (as_lines([make_request("a", model="")]), "missing_required_parameter", 1),
        (as_lines([make_request("a")]) + b"{\n", "invalid_json_line", 2),
        (as_lines([[], "a", 1]), "invalid_json_line", 1),
        (b"\n\n", "empty_file", None),
    ],
)
def test_a_bad_file_fails_the_batch_and_names_the_line(server: Served, lines: bytes, code: str, line: int | None) -> None:
    batch = ended(server, create(server, lines).id)
    assert (batch.status, batch.output_file_id, batch.error_file_id) == ("failed", None, None)
    assert batch.failed_at is not None
    assert batch.errors is not None
    assert batch.errors.data
    assert (batch.errors.data[0].code, batch.errors.data[0].line) == (code, line)
    assert batch.errors.data[0].message


def test_a_batch_is_limited_in_requests_and_bytes(tmp_path: Any) -> None:
    line = b'{"custom_id": "%d", "method": "POST", "url": "/u", "body": {"model": "m"}}\n'
    path = tmp_path / "in.jsonl"
    for count, codes in ((MOST_REQUESTS, []), (MOST_REQUESTS + 1, ["too_many_tasks"])):
        path.write_bytes(b"".join(line % number for number in range(count)))
        total, model, problems = check_input(path, endpoint="/u", known_model=lambda _: True)
        assert (total, model, [problem["code"] for problem in problems]) == (count, "m", codes)
    check_size(LARGEST_BATCH, "in.jsonl", "batch")
    with pytest.raises(ApiError, match="at most 200 MB for purpose 'batch'"):
        check_size(LARGEST_BATCH + 1, "in.jsonl", "batch")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "48h"}, "completion_window"),
        ({"input_file_id": ""}, "input_file_id"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_at_once(server: Served, change: dict[str, Any], param: str) -> None:
    file = server.client.files.create(file=("in.jsonl", as_lines(make_requests(1))), purpose="batch")
    asked = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h", **change}
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.post("/batches", body=asked, cast_to=object)
    assert refused.value.param == param


def test_an_unknown_file_or_one_of_another_purpose_is_refused(server: Served) -> None:
    make = server.client.batches.create
    with pytest.raises(openai.NotFoundError, match="No such File object: file-abc"):
        make(input_file_id="file-abc", endpoint="/v1/chat/completions", completion_window="24h")
    other = server.client.files.create(file=("notes.jsonl", b"{}"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="must have purpose 'batch'"):
        make(input_file_id=other.id, endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl"):
        server.client.files.create(file=("in.txt", b"{}"), purpose="batch")
    with pytest.raises(openai.NotFoundError, match="batch_none"):
        server.client.batches.retrieve("batch_none")


def test_batches_are_listed_newest_first_in_pages(start_server: StartServer) -> None:
    server = start_server()
    assert list(server.client.batches.list()) == []
    ids = [create(server, as_lines(make_requests(1))).id for _ in range(5)]
    first = server.client.batches.list(limit=2)
    assert [batch.id for batch in first.data] == ids[:2:-1]
    assert [batch.id for batch in server.client.batches.list(limit=2)] == ids[::-1]
    assert [batch.id for batch in server.client.batches.list(after=ids[1])] == [ids[0]]


def test_a_cancelled_batch_keeps_what_was_answered_and_gives_the_rest_back(server: Served) -> None:
    server.set_fault(kind="batch_stuck")
    batch = create(server, as_lines(make_requests(4)))
    while server.client.batches.retrieve(batch.id).status != "in_progress":
        pass
    assert server.client.batches.cancel(batch.id).status == "cancelling"
    after = ended(server, batch.id)
    assert (after.status, after.output_file_id) == ("cancelled", None)
    assert None not in (after.cancelling_at, after.cancelled_at)
    assert {line["error"]["code"] for line in read(server, after.error_file_id)} == {"batch_cancelled"}
    with pytest.raises(openai.ConflictError, match="Cannot cancel a batch with status 'cancelled'"):
        server.client.batches.cancel(batch.id)


def test_a_batch_can_be_made_to_fail(server: Served) -> None:
    server.set_fault(kind="batch_fails", code="token_limit_exceeded", message="Enqueued token limit reached.")
    batch = run(server, make_requests(1))
    assert batch.errors is not None
    assert batch.errors.data
    assert (batch.status, batch.errors.data[0].code) == ("failed", "token_limit_exceeded")
    assert run(server, make_requests(1)).status == "completed"


def test_a_batch_can_expire_in_its_middle(server: Served) -> None:
    server.set_fault(kind="batch_expires", after=2)
    requests = make_requests(5)
    batch = run(server, requests)
    assert (batch.status, batch.completed_at) == ("expired", None)
    assert batch.expired_at is not None
    assert batch.request_counts is not None
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 3)
    assert [line["custom_id"] for line in read(server, batch.output_file_id)] == [each["custom_id"] for each in requests[:2]]
    left = read(server, batch.error_file_id)
    assert [line["custom_id"] for line in left] == [each["custom_id"] for each in requests[2:]]
    assert all((line["response"], line["error"]["code"]) == (None, "batch_expired") for line in left)


def test_a_slow_batch_is_not_done_before_it_was_looked_at(server: Served) -> None:
    server.set_fault(kind="batch_slow", seconds=0, looks=3)
    slow = create(server, as_lines(make_requests(1)))
    assert run(server, make_requests(1)).status == "completed"
    looks = [server.client.batches.retrieve(slow.id).status for _ in range(3)]
    assert looks == ["finalizing"] * 3
    assert ended(server, slow.id).status == "completed"


def test_a_lost_answer_leaves_a_batch_that_can_be_found_by_its_metadata(server: Served) -> None:
    before = server.count_calls()["batches_created"]
    server.set_fault(match="POST /v1/batches", kind="drop_after")
    with pytest.raises(openai.APIConnectionError):
        create(server, as_lines(make_requests(1)), metadata={"key": "lost"})
    assert server.count_calls()["batches_created"] == before + 1
    assert [batch.id for batch in server.client.batches.list() if (batch.metadata or {}).get("key") == "lost"]


def test_single_requests_of_a_batch_can_be_refused_or_spoilt(server: Served) -> None:
    requests = make_requests(4)
    server.set_fault(kind="status", match=f"BATCH {requests[1]['custom_id']}", status=500)
    server.set_fault(kind="answer", match=f"BATCH {requests[2]['custom_id']}", answer="refusal")
    batch = run(server, requests)
    (failed,) = read(server, batch.error_file_id)
    assert (failed["custom_id"], failed["response"]["status_code"]) == (requests[1]["custom_id"], 500)
    refusals = [line["response"]["body"]["choices"][0]["message"]["refusal"] for line in read(server, batch.output_file_id)]
    assert [bool(refusal) for refusal in refusals] == [False, True, False]


def test_a_killed_server_goes_on_with_its_batches_and_answers_nothing_twice(start_server: StartServer) -> None:
    server, requests = start_server(), make_requests(6_000)
    batch = create(server, as_lines(requests))
    server.client.files.delete(batch.input_file_id)  # an open batch still needs its bytes
    for least in (500, 1_500, 3_000):
        while (counts := server.client.batches.retrieve(batch.id).request_counts) is None or counts.completed < least:
            pass
        server.kill()
        server = start_server()
    after = ended(server, batch.id)
    assert after.status == "completed"
    answered = [line["custom_id"] for line in read(server, after.output_file_id)]
    assert answered == [request["custom_id"] for request in requests]
    assert server.http.get("/sandbox/billed").json()["batch"] == {"requests": 6_000, "answers": 6_000, "repeated": {}}
    assert list((server.state / "batches").iterdir()) == []


def test_health_answers_while_a_batch_runs(server: Served) -> None:
    batch = create(server, as_lines(make_requests(3_000)))
    while server.client.batches.retrieve(batch.id).status != "completed":
        assert server.http.get("/health", timeout=2).status_code == 200
