"""The count of answers by request, and the requests as they came."""

import hashlib
import json
from typing import Any

import openai
import pytest

from flywheel_dagster_tests.sandbox.model_server.batching import make_requests, run
from flywheel_dagster_tests.sandbox.model_server.conftest import StartServer
from flywheel_dagster_tests.sandbox.model_server.served import Served


def key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_online_request_is_billed_once_for_every_answer(start_server: StartServer) -> None:
    server = start_server()
    for text in ("one", "two", "two"):
        server.ask("gpt-6-luna", text)
    assert server.http.get("/sandbox/billed").json()["chat"] == {"requests": 2, "answers": 3, "repeated": {key("two"): 2}}
    assert server.http.get("/sandbox/billed/chat").json() == {key("one"): 1, key("two"): 2}


def test_a_lost_answer_is_billed_and_a_refused_call_is_not(start_server: StartServer) -> None:
    server = start_server()
    for fault in ({"kind": "drop"}, {"name": "server_error"}, {"name": "rate_limit_exceeded"}, {"kind": "drop_after"}):
        server.set_fault(match="POST /v1/chat/completions", **fault)
        with pytest.raises(openai.APIError):
            server.ask("gpt-6-luna", str(fault))
    assert server.http.get("/sandbox/billed/chat").json() == {key("{'kind': 'drop_after'}"): 1}


def test_a_batch_is_billed_by_custom_id_over_restarts(start_server: StartServer) -> None:
    server, requests = start_server(), make_requests(3)
    for _ in range(2):
        run(server, requests)
        server.kill()
        server = start_server()
    assert server.http.get("/sandbox/billed/batch").json() == {request["custom_id"]: 2 for request in requests}
    assert server.http.get("/sandbox/billed").json()["batch"]["repeated"] == {each["custom_id"]: 2 for each in requests}
    assert server.http.delete("/sandbox/billed").json()["batch"] == {"requests": 0, "answers": 0, "repeated": {}}
    assert server.http.get("/sandbox/billed/nothing").status_code == 404


def test_chat_requests_are_shown_as_they_came(server: Served) -> None:
    content: list[Any] = [{"role": "user", "content": "Grüße \u2028 </x>"}]
    server.client.chat.completions.create(model="gpt-6-luna", messages=content)
    assert json.loads(server.http.get("/sandbox/chats").json()["chats"][-1])["messages"] == content
