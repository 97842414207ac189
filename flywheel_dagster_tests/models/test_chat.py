"""Asking a model over real HTTP: what it says, what it takes, what stops it, and which failures are named."""

import asyncio
import socket

import pytest

from flywheel_dagster.errors import ModelError, PermanentModelError, UnansweredModelError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster_tests.sandbox.model_server.served import Served

CHAT = "POST /v1/chat/completions"
ASKED = [
    {"role": "system", "content": "You write sales messages."},
    {"role": "user", "content": "Write a message for:\nIndustry: retail"},
]


def ask(server: Served, *, name: str = "gpt-6-luna", key: str = "sk-test", **how: int) -> Answer:
    async def asking() -> Answer:
        chat = OpenAIChat(name, api_key=key, base_url=f"{server.url}/v1", retries=0)
        try:
            return await chat.answer(ASKED, **how)
        finally:
            await chat.close()

    return asyncio.run(asking())


def test_an_answer_has_its_text_its_end_and_its_tokens(model_server: Served) -> None:
    answer = ask(model_server, seed=3)
    assert answer.text.startswith("Hi there,")
    assert (answer.refusal, answer.finish_reason) == (None, "stop")
    assert min(answer.prompt_tokens, answer.completion_tokens) > 10
    assert ask(model_server, seed=3).text == answer.text
    assert ask(model_server, max_tokens=5).finish_reason == "length"


def test_what_a_content_filter_stops_is_a_refusal_and_no_failure(model_server: Served) -> None:
    error = {"error": {"message": "The response was filtered", "type": None, "param": "prompt", "code": "content_filter"}}
    model_server.set_fault(match=CHAT, kind="status", status=400, body=error)
    answer = ask(model_server)
    assert (answer.text, answer.finish_reason) == ("", "content_filter")
    assert answer.refusal


def test_an_answer_whose_end_is_not_told_is_finished(model_server: Served) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    model_server.set_fault(match=CHAT, kind="status", status=200, body=body)
    answer = ask(model_server)
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("Hi", "stop", 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"name": "gpt-0"}, "gpt-0"), ({"key": "sk-revoked"}, "the key was refused")],
)
def test_what_can_not_be_asked_says_why_without_the_key(model_server: Served, asked: dict[str, str], said: str) -> None:
    with pytest.raises(PermanentModelError, match=said) as raised:
        ask(model_server, **asked)  # type: ignore[arg-type]
    assert "sk-revoked" not in str(raised.value)


def test_a_server_error_is_told(model_server: Served) -> None:
    model_server.set_fault(match=CHAT, kind="status", status=503)
    with pytest.raises(ModelError, match="503"):
        ask(model_server)


def test_a_server_that_stays_silent_is_told_with_what_was_waited_for() -> None:
    async def asking(url: str) -> Answer:
        chat = OpenAIChat("m", api_key="sk-test", base_url=url, timeout=0.2, provider="the local model server", retries=0)
        try:
            return await chat.answer(ASKED)
        finally:
            await chat.close()

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(UnansweredModelError) as raised:
        asyncio.run(asking(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"))
    assert str(raised.value) == "asking m failed: no answer from the local model server (Request timed out.)"
