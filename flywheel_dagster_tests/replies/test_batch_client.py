"""The Batch API through the official client, at the local model server: submitted, found, read line by line, and every failure named."""

import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flywheel_dagster.errors import (
    ModelError,
    PermanentModelError,
    SettingsError,
    TransientModelError,
    UnansweredModelError,
    UnknownBatchError,
)
from flywheel_dagster.replies.batch_client import BatchClient, BatchState, BatchStatus, request_line
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered
from flywheel_dagster_tests.replies.asking import GOOD, KEY, model_at, said
from flywheel_dagster_tests.sandbox.model_server.served import Served

TEXTS = ("Let's schedule a call.", "Not interested.", "Got it.")


def client_at(server: Served, **model: Any) -> BatchClient:
    return BatchClient(model_at(server, **model))


def ids(count: int = 3) -> list[str]:
    run = uuid4().hex
    return [f"{run}-{number}" for number in range(count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def written(path: Path, custom_ids: list[str], *, model: str = "gpt-6-luna") -> Path:
    lines = [request_line(each, said(TEXTS[number % 3]), "Hi", {"n": 1}, model) for number, each in enumerate(custom_ids)]
    path.write_bytes(b"".join(lines))
    return path


def ended(client: BatchClient, batch_id: str) -> BatchStatus:
    for _ in range(2_000):
        if (seen := client.status(batch_id)).state is not BatchState.RUNNING:
            return seen
    raise AssertionError(f"{batch_id} is still {seen.provider_status}")


def bought(client: BatchClient, path: Path, *, key: str | None = None) -> str:
    return client.create(key or uuid4().hex, client.upload(path, name="in.jsonl"))


def answers(client: BatchClient, seen: BatchStatus) -> dict[str, Answer]:
    files = [file_id for file_id in (seen.output_file_id, seen.error_file_id) if file_id]
    found = [result for file_id in files for result in client.results(file_id)]
    assert len(dict(found)) == len(found)
    return dict(found)


def reason(answer: Answer) -> Reason:
    assert isinstance(answer.analysis, Unanswered)
    return answer.analysis.reason


def test_a_batch_is_answered_at_half_the_price(model_server: Served, path: Path) -> None:
    client, custom_ids = client_at(model_server), ids()
    seen = ended(client, bought(client, written(path, custom_ids)))
    assert (seen.state, seen.provider_status, seen.error, seen.error_file_id) == (BatchState.COMPLETED, "completed", None, None)
    assert (seen.total, seen.completed, seen.failed) == (3, 3, 0)
    found = answers(client, seen)
    labels = []
    for custom_id in custom_ids:
        analysis, usage = found[custom_id].analysis, found[custom_id].usage
        assert not isinstance(analysis, Unanswered)
        assert (analysis["method"], analysis["model"]) == ("llm", "gpt-6-luna")
        labels.append(analysis["sentiment_label"])
        assert usage.cost_usd == (usage.prompt_tokens * Decimal("0.05") + usage.completion_tokens * Decimal("0.25")) / 1_000_000
    assert labels == ["positive", "negative", "neutral"]


def test_a_batch_is_found_by_its_key_alone_the_oldest_first(model_server: Served, path: Path) -> None:
    client, key, now = client_at(model_server), uuid4().hex, datetime.now(UTC)
    file_id = client.upload(written(path, ids(1)), name="in.jsonl")
    first = client.create(key, file_id)
    client.create(key, file_id)
    client.create(uuid4().hex, file_id)
    assert client.find(key, since=now) == first
    assert client.find(key[:-1], since=now) is None
    stored = model_server.client.batches.retrieve(first)
    assert (stored.metadata, stored.completion_window, stored.endpoint) == ({"flywheel_key": key}, "24h", "/v1/chat/completions")
    assert model_server.client.files.retrieve(file_id).purpose == "batch"


def test_a_batch_is_found_after_its_creates_answer_was_lost(model_server: Served, path: Path) -> None:
    client, key = client_at(model_server), uuid4().hex
    file_id = client.upload(written(path, ids(1)), name="in.jsonl")
    model_server.set_fault(match="POST /v1/batches", kind="drop_after")
    with pytest.raises(UnansweredModelError):
        client.create(key, file_id)
    found = client.find(key, since=datetime.now(UTC))
    assert found is not None
    assert ended(client, found).state is BatchState.COMPLETED


def listed(*batches: tuple[str, datetime, str], more: bool = False) -> dict[str, Any]:
    """A page of GET /batches: (id, created, key)."""
    data = [
        {"id": batch_id, "object": "batch", "created_at": int(created.timestamp()), "metadata": {"flywheel_key": key}, "status": "completed",
         "endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": "file-x"}
        for batch_id, created, key in batches
    ]  # fmt: skip
    return {"object": "list", "data": data, "has_more": more, "first_id": data[0]["id"], "last_id": data[-1]["id"]}


def test_the_list_is_read_back_to_the_given_time_and_no_further(model_server: Served) -> None:
    now = datetime.now(UTC)
    new, old = ("batch_new", now, "a"), ("batch_old", now - timedelta(hours=2), "b")
    before = model_server.count_calls()["calls"].get("GET /v1/batches", 0)
    model_server.set_fault(kind="status", match="GET /v1/batches", status=200, body=listed(new, old, more=True))
    assert client_at(model_server).find("wanted", since=now) is None
    assert model_server.count_calls()["calls"]["GET /v1/batches"] == before + 1
    model_server.set_fault(kind="status", match="GET /v1/batches", status=200, body=listed(new, more=True))
    model_server.set_fault(
        kind="status", match="GET /v1/batches", status=200, body=listed(("batch_mine", now, "wanted"), old, more=True)
    )
    assert client_at(model_server).find("wanted", since=now) == "batch_mine"
    assert model_server.count_calls()["calls"]["GET /v1/batches"] == before + 3


def test_a_list_in_another_order_is_read_to_its_end(model_server: Served) -> None:
    now = datetime.now(UTC)
    old, older = ("batch_old", now - timedelta(days=2), "b"), ("batch_older", now - timedelta(days=3), "a")
    model_server.set_fault(kind="status", match="GET /v1/batches", status=200, body=listed(older, old, more=True))
    model_server.set_fault(kind="status", match="GET /v1/batches", status=200, body=listed(("batch_mine", now, "wanted")))
    assert client_at(model_server).find("wanted", since=now) == "batch_mine"


def test_a_batch_that_expires_gives_back_what_was_answered_and_names_the_rest(model_server: Served, path: Path) -> None:
    client, custom_ids = client_at(model_server), ids(5)
    model_server.set_fault(kind="batch_expires", after=2)
    seen = ended(client, bought(client, written(path, custom_ids)))
    assert (seen.state, seen.completed, seen.failed) == (BatchState.EXPIRED, 2, 3)
    found = answers(client, seen)
    assert [isinstance(found[each].analysis, Unanswered) for each in custom_ids] == [False, False, True, True, True]
    assert reason(found[custom_ids[4]]) is Reason.EXPIRED
    assert found[custom_ids[4]].usage.cost_usd == 0


def test_a_cancelled_batch_is_seen_as_such(model_server: Served, path: Path) -> None:
    client = client_at(model_server)
    model_server.set_fault(kind="batch_stuck")
    batch_id = bought(client, written(path, ids(2)))
    while client.status(batch_id).provider_status != "in_progress":
        pass
    client.cancel(batch_id)
    seen = ended(client, batch_id)
    assert seen.state is BatchState.CANCELLED
    assert {reason(answer) for answer in answers(client, seen).values()} == {Reason.CANCELLED}
    with pytest.raises(ModelError, match="Cannot cancel"):
        client.cancel(batch_id)


def test_a_failed_batch_says_why_in_one_line(model_server: Served, path: Path) -> None:
    client = client_at(model_server)
    path.write_bytes(request_line("a", said("x"), None, None, "gpt-6-luna") * 6)
    seen = ended(client, bought(client, path))
    assert (seen.state, seen.output_file_id) == (BatchState.FAILED, None)
    assert seen.error is not None
    assert seen.error.startswith("line 2: The custom_id 'a' for this request is a duplicate")
    assert seen.error.endswith(" and 2 more")
    assert "\n" not in seen.error


def test_every_way_in_which_a_request_fails_is_told_apart(model_server: Served, path: Path) -> None:
    client, custom_ids = client_at(model_server), ids(9)
    spoils: list[dict[str, Any]] = [
        {"kind": "answer", "answer": "refusal"},
        {"kind": "answer", "answer": "cut_off"},
        {"kind": "answer", "answer": "invalid_json"},
        {"kind": "answer", "answer": "out_of_range"},
        {"kind": "answer", "answer": "disagreeing"},
        {"kind": "status", "status": 429, "code": "rate_limit_exceeded"},
        {"kind": "status", "status": 429, "code": "insufficient_quota"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 400},
    ]
    for custom_id, spoil in zip(custom_ids, spoils, strict=True):
        model_server.set_fault(match=f"BATCH {custom_id}", **spoil)
    found = answers(client, ended(client, bought(client, written(path, custom_ids))))
    assert [reason(found[each]) for each in custom_ids] == [
        Reason.REFUSAL,
        Reason.CUT_OFF,
        Reason.NONSENSE,
        Reason.NONSENSE,
        Reason.NONSENSE,
        Reason.RATE_LIMITED,
        Reason.NO_CREDIT,
        Reason.SERVER_ERROR,
        Reason.REFUSED_REQUEST,
    ]
    assert [bool(found[each].usage.cost_usd) for each in custom_ids] == [True] * 5 + [False] * 4


def stored(server: Served, content: bytes) -> str:
    return server.client.files.create(file=("out.jsonl", content), purpose="user_data").id


def output_line(custom_id: str, **changes: Any) -> bytes:
    body = {"model": "m", "choices": [{"message": {"content": json.dumps(GOOD)}, "finish_reason": "stop"}], "usage": None}
    response = {"status_code": 200, "request_id": "r", "body": body}
    return json.dumps(
        {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None, **changes}, ensure_ascii=False
    ).encode()


def test_lines_are_cut_at_line_feeds_alone_whatever_the_answers_hold(model_server: Served) -> None:
    odd = "a\u2028b\u2029c\x85d"
    content = b"\n" + output_line(odd) + b"\r\n\n" + output_line("last, without a line feed")
    found = list(client_at(model_server).results(stored(model_server, content)))
    assert [custom_id for custom_id, _ in found] == [odd, "last, without a line feed"]
    assert all(not isinstance(answer.analysis, Unanswered) for _, answer in found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response": None, "error": {"code": "request_timeout", "message": "m"}}, Reason.TIMEOUT),
        ({"response": None, "error": {"code": "of_another_day"}}, Reason.SERVER_ERROR),
        ({"response": None}, Reason.NONSENSE),
        ({"response": {"status_code": 200, "body": None}}, Reason.REFUSED_REQUEST),
        ({"response": {"status_code": "200", "body": {}}}, Reason.SERVER_ERROR),
        ({"response": {"status_code": 404, "body": {"error": {"code": "model_not_found"}}}}, Reason.REFUSED_REQUEST),
    ],
    ids=str,
)
def test_a_line_in_another_shape_has_a_reason_too(model_server: Served, changes: dict[str, Any], expected: Reason) -> None:
    ((_, answer),) = client_at(model_server).results(stored(model_server, output_line("a", **changes)))
    assert reason(answer) is expected


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"{}", b"5"])
def test_a_file_that_is_no_batches_output_is_an_error_that_quotes_nothing(model_server: Served, content: bytes) -> None:
    file_id = stored(model_server, output_line("a") + b"\n" + content)
    results = client_at(model_server).results(file_id)
    assert next(results)[0] == "a"
    with pytest.raises(PermanentModelError, match=f"line 2 of file {file_id} is not a batch's output"):
        next(results)


def test_the_input_of_a_batch_can_be_deleted_and_again(model_server: Served, path: Path) -> None:
    client = client_at(model_server)
    file_id = client.upload(written(path, ids(1)), name="in.jsonl")
    client.delete_file(file_id)
    client.delete_file(file_id)
    with pytest.raises(UnknownBatchError, match=f"knows no file {file_id}"):
        list(client.results(file_id))


def every_call(client: BatchClient, path: Path, batch_id: str, file_id: str) -> dict[str, Callable[[], object]]:
    return {
        "upload": lambda: client.upload(path, name="in.jsonl"),
        "find": lambda: client.find("key", since=datetime.now(UTC)),
        "create": lambda: client.create(uuid4().hex, file_id),
        "status": lambda: client.status(batch_id),
        "results": lambda: list(client.results(file_id)),
        "delete": lambda: client.delete_file("file-none"),
    }


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        ({"name": "rate_limit_exceeded"}, TransientModelError, "Rate limit reached"),
        ({"name": "insufficient_quota"}, PermanentModelError, "no credit left; add some, then materialize reply_sentiment"),
        ({"name": "server_error"}, UnansweredModelError, "HTTP 500"),
        ({"status": 502, "body": "<html>Bad Gateway</html>"}, UnansweredModelError, "HTTP 502"),
        ({"status": 408}, TransientModelError, "HTTP 408"),
        ({"status": 400, "message": "No.", "code": "invalid_value"}, PermanentModelError, "No. (HTTP 400, invalid_value)"),
        ({"kind": "drop"}, UnansweredModelError, "no answer from OpenAI ("),
        ({"kind": "drop_after"}, UnansweredModelError, "no answer from OpenAI"),
    ],
    ids=str,
)
def test_every_failure_is_named_transient_or_permanent_and_nothing_is_called_twice(
    model_server: Served, path: Path, fault: dict[str, Any], error: type[Exception], told: str
) -> None:
    client = client_at(model_server)
    batch_id = bought(client, written(path, ids(1)))
    file_id = ended(client, batch_id).output_file_id
    assert file_id is not None
    # Any stored file can be read as results; create wants one for batches.
    source = model_server.client.batches.retrieve(batch_id).input_file_id
    calls = every_call(client, path, batch_id, file_id) | {"create": lambda: client.create(uuid4().hex, source)}
    for name, call in calls.items():
        before = sum(model_server.count_calls()["calls"].values())
        model_server.set_fault(**({"kind": "status"} | fault | {"match": "* /v1/*"}))
        with pytest.raises(error) as raised:
            call()
        assert raised.type is error, name
        assert told in str(raised.value), name
        assert "\n" not in str(raised.value)
        assert sum(model_server.count_calls()["calls"].values()) == before + 1, name
        call()  # the fault has passed


def test_an_unknown_batch_has_an_error_of_its_own(model_server: Served) -> None:
    with pytest.raises(UnknownBatchError, match=r"knows no batch batch_gone.*OPENAI_API_KEY"):
        client_at(model_server).status("batch_gone")


def test_the_key_is_in_no_error_though_the_provider_repeats_it(model_server: Served, path: Path) -> None:
    written(path, ids(1))
    for key, fault in (
        ("sk-revoked", None),
        (KEY, {"status": 500, "message": f"No route for Bearer {KEY}."}),
        (KEY, {"status": 404, "message": f"What is {KEY}?", "code": KEY}),
        (KEY, {"kind": "drop"}),
    ):
        client = client_at(model_server, key=key)
        for name, call in every_call(client, path, "batch_x", "file-x").items():
            if name == "delete":
                continue
            if fault:
                model_server.set_fault(**({"kind": "status"} | fault))
            with pytest.raises(ModelError) as raised:
                call()
            assert key not in "".join(traceback.format_exception(raised.value)), name
    with pytest.raises(SettingsError, match="is not a key"):
        client_at(model_server, key="sk-one sk-two")


def test_a_connection_lost_in_the_middle_of_a_file_is_transient(tmp_path: Path) -> None:
    import socket
    import threading

    from flywheel_dagster.replies.choice import ChatModel

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def half() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + output_line("a") + b"\n")

        thread = threading.Thread(target=half)
        thread.start()
        client = BatchClient(ChatModel("m", KEY, f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))
        found = []
        with pytest.raises(TransientModelError, match="the connection was lost in the middle"):
            found.extend(custom_id for custom_id, _ in client.results("file-x"))
        thread.join()
        client.close()
