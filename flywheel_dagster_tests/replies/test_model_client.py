"""Asking a model over real HTTP: what it costs, what is tried again, what is given up, and that nothing leaks."""

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from flywheel_dagster.errors import PermanentModelError
from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered
from flywheel_dagster.replies.model_client import ModelClient
from flywheel_dagster_tests.replies.asking import CHAT, KEY, Sleeper, client_at, said
from flywheel_dagster_tests.sandbox.model_server.served import Served


def ask(server: Served, text: str = "Let's schedule a call.", sleeper: Sleeper | None = None, **client: Any) -> tuple[Answer, int]:
    """The answer, and how many calls it took."""

    async def one() -> tuple[Answer, int]:
        asking = client_at(server, sleeper, **client)
        try:
            return await asking.ask(said(text)), asking.calls
        finally:
            await asking.close()

    return asyncio.run(one())


def why(answer: Answer) -> Unanswered:
    assert isinstance(answer.analysis, Unanswered)
    return answer.analysis


def test_an_answer_comes_with_its_tokens_and_its_price(model_server: Served) -> None:
    answer, calls = ask(model_server)
    assert not isinstance(answer.analysis, Unanswered)
    assert (answer.analysis["sentiment_label"], answer.analysis["method"]) == ("positive", "llm")
    assert (answer.analysis["model"], calls) == ("gpt-6-luna", 1)
    usage = answer.usage
    assert usage.prompt_tokens > 500
    assert usage.completion_tokens > 50
    assert usage.cost_usd == (usage.prompt_tokens * Decimal("0.10") + usage.completion_tokens * Decimal("0.50")) / 1_000_000


def test_the_cost_is_unknown_where_no_price_is_known(model_server: Served) -> None:
    assert ask(model_server, price=None)[0].usage.cost_usd is None


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ({"kind": "answer", "answer": "refusal"}, Reason.REFUSAL, ""),
        ({"kind": "answer", "answer": "cut_off"}, Reason.CUT_OFF, "after "),
        ({"kind": "answer", "answer": "invalid_json"}, Reason.NONSENSE, "the answer is not what the schema asks for"),
        ({"kind": "answer", "answer": "out_of_range"}, Reason.NONSENSE, "sentiment_score is 7, outside -1 to 1"),
        ({"kind": "answer", "answer": "disagreeing"}, Reason.NONSENSE, "sentiment_label is positive, but sentiment_score is -0.9"),
    ],
    ids=str,
)
def test_an_answer_that_can_not_be_used_is_named_and_was_paid_for(
    model_server: Served, fault: dict[str, Any], reason: Reason, said: str
) -> None:
    model_server.set_fault(**fault)
    answer, calls = ask(model_server)
    assert (why(answer).reason, calls) == (reason, 1)
    assert why(answer).detail.startswith(said)
    assert answer.usage.cost_usd


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<html>gateway</html>", Reason.NONSENSE),
        ([], Reason.NONSENSE),
        ({}, Reason.NONSENSE),
        ({"choices": []}, Reason.NONSENSE),
        ({"choices": [{"message": None}], "usage": None}, Reason.NONSENSE),
        ({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}, Reason.REFUSAL),
        ({"choices": [{"message": {"content": 5}}], "usage": {"prompt_tokens": "many", "completion_tokens": -1}}, Reason.NONSENSE),
    ],
    ids=str,
)
def test_an_answer_in_no_shape_at_all_is_nonsense(model_server: Served, body: object, reason: Reason) -> None:
    model_server.set_fault(kind="status", match=CHAT, status=200, body=body)
    answer, _ = ask(model_server)
    assert (why(answer).reason, answer.usage.prompt_tokens, answer.usage.completion_tokens) == (reason, 0, 0)


@pytest.mark.parametrize(
    "fault",
    [{"name": "rate_limit_exceeded"}, {"name": "server_error"}, {"name": "server_is_overloaded"},
     {"kind": "status", "status": 408}, {"kind": "status", "status": 409}],
    ids=str,
)  # fmt: skip
def test_what_may_pass_is_tried_again(model_server: Served, fault: dict[str, Any]) -> None:
    model_server.set_fault(match=CHAT, times=2, **fault)
    sleeper = Sleeper()
    answer, calls = ask(model_server, sleeper=sleeper)
    assert not isinstance(answer.analysis, Unanswered)
    assert (calls, len(sleeper.slept)) == (3, 2)


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        ({"name": "rate_limit_exceeded"}, Reason.RATE_LIMITED, "HTTP 429, rate_limit_exceeded"),
        ({"name": "server_error"}, Reason.SERVER_ERROR, "HTTP 500"),
    ],
    ids=str,
)
def test_what_does_not_pass_is_given_up_after_four_calls(
    model_server: Served, fault: dict[str, Any], reason: Reason, detail: str
) -> None:
    model_server.set_fault(match=CHAT, times=None, **fault)
    answer, calls = ask(model_server)
    assert (why(answer), calls) == (Unanswered(reason, detail), 4)


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry-after": "7"}, [7.0]),
        ({"retry-after": "0.5"}, [0.5]),
        ({"retry-after-ms": "250", "retry-after": "9"}, [0.25]),
        ({"retry-after": "60"}, [60.0]),
        ({"retry-after": "61"}, []),
        ({"retry-after": "1e400"}, []),
    ],
    ids=str,
)
def test_a_server_is_left_alone_for_as_long_as_it_asks_up_to_a_minute(
    model_server: Served, headers: dict[str, str], waits: list[float]
) -> None:
    model_server.set_fault(name="rate_limit_exceeded", match=CHAT, headers=headers)
    sleeper = Sleeper()
    answer, _ = ask(model_server, sleeper=sleeper)
    assert sleeper.slept == waits
    assert isinstance(answer.analysis, Unanswered) == (not waits)


def test_a_date_in_retry_after_is_understood_and_rubbish_is_waited_for_as_usual(model_server: Served) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for value, least, most in ((soon, 20, 31), ("soon", 0.3, 0.6), ("-5", 0.3, 0.6), ("nan", 0.3, 0.6)):
        model_server.set_fault(name="rate_limit_exceeded", match=CHAT, headers={"retry-after": value})
        sleeper = Sleeper()
        ask(model_server, sleeper=sleeper)
        (waited,) = sleeper.slept
        assert least < waited < most, value


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"name": "insufficient_quota"}, Reason.NO_CREDIT),
        ({"kind": "status", "status": 400, "code": "context_length_exceeded"}, Reason.REFUSED_REQUEST),
        ({"kind": "status", "status": 422}, Reason.REFUSED_REQUEST),
        ({"kind": "status", "status": 400, "code": "content_filter"}, Reason.REFUSAL),
    ],
    ids=str,
)
def test_what_does_not_pass_by_waiting_is_not_tried_again(model_server: Served, fault: dict[str, Any], reason: Reason) -> None:
    model_server.set_fault(match=CHAT, **fault)
    answer, calls = ask(model_server)
    assert (why(answer).reason, calls) == (reason, 1)


def test_a_slow_answer_is_not_waited_for_and_not_bought_again(model_server: Served) -> None:
    model_server.set_fault(kind="hold", match=CHAT)
    answer, calls = ask(model_server, timeout=0.05)
    assert (why(answer), calls) == (Unanswered(Reason.TIMEOUT, "no answer within 0.05 s"), 1)


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
def test_a_call_whose_answer_is_lost_may_be_paid_for_and_is_not_made_again(model_server: Served, kind: str) -> None:
    model_server.set_fault(match=CHAT, kind=kind)
    answer, calls = ask(model_server)
    assert (why(answer), calls) == (Unanswered(Reason.LOST_CONNECTION), 1)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    async def one() -> Answer:
        client = ModelClient(ChatModel("m", KEY, "http://127.0.0.1:9/v1"), timeout=5, concurrency=1, sleep=Sleeper().sleep)
        answer = await client.ask(said("Hello"))
        await client.close()
        return answer

    assert why(asyncio.run(one())).reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("client", "remedy"),
    [
        ({"key": "sk-revoked"}, "set OPENAI_API_KEY to a valid one"),
        ({"name": "gpt-9"}, "set FLYWHEEL_REPLY_MODEL to a model that this address offers"),
    ],
    ids=str,
)
def test_what_would_fail_for_every_reply_is_an_error_with_a_remedy(
    model_server: Served, client: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(PermanentModelError, match=remedy):
        ask(model_server, **client)


def test_neither_key_nor_reply_is_in_any_error_or_reason(model_server: Served) -> None:
    text = "My secret is a purple elephant"
    for status, code in ((401, "invalid_api_key"), (403, KEY), (400, KEY), (400, text), (429, text), (500, KEY)):
        body = {"error": {"message": f"{KEY} said {text}", "code": code, "type": text, "param": KEY}}
        model_server.set_fault(kind="status", match=CHAT, status=status, body=body, times=4)
        try:
            answer, _ = ask(model_server, text)
            told = str(why(answer))
        except PermanentModelError as error:
            told = "".join(traceback.format_exception(error))
        model_server.http.delete("/sandbox/faults")
        assert KEY not in told
        assert "elephant" not in told
    model_server.set_fault(kind="answer", content=f'{{"reasoning": "{text}"')
    assert "elephant" not in str(why(ask(model_server, text)[0]))


def test_no_more_replies_are_asked_about_at_a_time_than_allowed(model_server: Served) -> None:
    async def many() -> tuple[int, list[Answer]]:
        client = client_at(model_server)
        model_server.set_fault(kind="hold", match=CHAT, times=4)
        waiting = [asyncio.ensure_future(client.ask(said(f"Hello {number}"))) for number in range(12)]
        while model_server.http.get("/sandbox/faults").json()["faults"]:
            await asyncio.sleep(0)
        for _ in range(200):
            await asyncio.sleep(0)
        at_a_time = client.calls
        model_server.http.delete("/sandbox/faults")
        answers = list(await asyncio.gather(*waiting))
        await client.close()
        return at_a_time, answers

    at_a_time, answers = asyncio.run(many())
    assert (at_a_time, len(answers)) == (4, 12)
