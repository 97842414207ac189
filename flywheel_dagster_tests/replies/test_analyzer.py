"""The analyzer: who answers when, in which order, what it adds up, and what it refuses before anything is asked."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flywheel_dagster.errors import InputError, PermanentModelError
from flywheel_dagster.replies.analyzer import SentimentAnalyzer, Totals
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster_tests.replies.asking import CHAT, KEY, newest_chat
from flywheel_dagster_tests.sandbox.model_server.served import Served


def run(server: Served | None, use: Callable[[SentimentAnalyzer], Awaitable[Any]], **options: Any) -> tuple[Any, Totals]:
    """What came of it, and the totals; with a server, at its address."""

    async def inside() -> tuple[Any, Totals]:
        given = {"openai_api_key": KEY, "base_url": f"{server.url}/v1"} if server else {}
        async with SentimentAnalyzer(**(given | options)) as analyzer:
            return await use(analyzer), analyzer.totals

    return asyncio.run(inside())


def one(server: Served | None, *reply: Any, **options: Any) -> Any:
    return run(server, lambda analyzer: analyzer.analyze_reply(*reply), **options)[0]


def many(server: Served | None, replies: list[Any], **options: Any) -> tuple[Any, Totals]:
    return run(server, lambda analyzer: analyzer.analyze_batch(replies), **options)


def chats(server: Served) -> int:
    count: int = server.count_calls()["calls"].get(CHAT, 0)
    return count


def test_a_configured_model_answers(model_server: Served) -> None:
    analysis = one(model_server, "Not interested.", "Shall we talk?", {"company": "Acme"})
    assert (analysis["method"], analysis["model"], analysis["version"]) == ("llm", "gpt-6-luna", PROMPT_VERSION)
    assert (analysis["sentiment_label"], analysis["fallback_reason"]) == ("negative", None)
    user = newest_chat(model_server)["messages"][1]["content"]
    assert '"original_message": "Shall we talk?", "context": {"company": "Acme"}' in user


def test_the_model_reads_the_writers_own_words_only(model_server: Served) -> None:
    one(
        model_server,
        "Sounds great, call me.\n\nOn Mon, Nov 2, 2026 at 9:00 AM Kim <kim@example.com> wrote:\n> Please unsubscribe me",
    )
    assert "unsubscribe me" not in newest_chat(model_server)["messages"][1]["content"]


def test_the_settings_choose_model_address_and_key(model_server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model_server.url}/v1")
    monkeypatch.setenv("FLYWHEEL_REPLY_MODEL", "gpt-5-mini")
    assert one(None, "Hello")["model"] == "gpt-5-mini"
    before = chats(model_server)
    assert one(None, "Hello", offline=True)["method"] == "rules"
    monkeypatch.setenv("FLYWHEEL_LOCAL", "1")
    assert one(None, "Hello")["method"] == "rules"
    assert chats(model_server) == before


def test_without_a_model_rules_answer_and_nothing_else_is_loaded() -> None:
    script = (
        "import asyncio, sys\n"
        "from flywheel_dagster.replies.analyzer import SentimentAnalyzer\n"
        "analysis = asyncio.run(SentimentAnalyzer().analyze_reply('Not interested.'))\n"
        "assert (analysis['method'], analysis['fallback_reason']) == ('rules', None), analysis\n"
        "sys.exit(any(name in sys.modules for name in ('openai', 'dagster', 'psycopg')))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "answer", "answer": "refusal"}, "refusal"),
        ({"kind": "answer", "answer": "cut_off"}, "cut_off"),
        ({"kind": "answer", "answer": "invalid_json"}, "nonsense"),
        ({"kind": "answer", "answer": "out_of_range"}, "nonsense"),
        ({"kind": "answer", "answer": "disagreeing"}, "nonsense"),
        ({"name": "insufficient_quota", "match": CHAT}, "no_credit"),
        ({"name": "rate_limit_exceeded", "match": CHAT, "headers": {"retry-after": "120"}}, "rate_limited"),
        ({"name": "rate_limit_exceeded", "match": CHAT, "headers": {"retry-after-ms": "1"}, "times": 4}, "rate_limited"),
        ({"name": "server_error", "match": CHAT, "headers": {"retry-after-ms": "1"}, "times": 4}, "server_error"),
        ({"kind": "status", "status": 400, "match": CHAT}, "refused_request"),
        ({"kind": "hold", "match": CHAT}, "timeout"),
    ],
    ids=str,
)
def test_where_the_model_fails_rules_answer_and_say_why(model_server: Served, fault: dict[str, Any], reason: str) -> None:
    assert model_server.set_fault(**fault).status_code == 200
    timeout = 0.2 if reason == "timeout" else 20
    analysis, totals = run(model_server, lambda analyzer: analyzer.analyze_reply("Not interested."), timeout=timeout)
    assert (analysis["method"], analysis["sentiment_label"], analysis["model"]) == ("rules", "negative", None)
    assert analysis["fallback_reason"].split(":")[0] == reason
    assert totals.fallbacks == {reason: 1}


def test_a_rate_limit_that_passes_is_waited_for(model_server: Served) -> None:
    model_server.set_fault(name="rate_limit_exceeded", match=CHAT, headers={"retry-after-ms": "1"}, times=3)
    analysis, totals = run(model_server, lambda analyzer: analyzer.analyze_reply("Hello"))
    assert (analysis["method"], totals.calls) == ("llm", 4)


def test_a_machines_answer_is_known_by_its_headers_and_the_model_is_not_asked(model_server: Served) -> None:
    before = chats(model_server)
    away = one(model_server, "I love it, let's schedule!", None, {"headers": {"Auto-Submitted": "auto-replied"}})
    left = one(model_server, "Hello", None, {"headers": {"Subject": "Unsubscribe"}})
    assert chats(model_server) == before
    assert (away["method"], away["is_auto_reply"], away["sentiment_label"], away["interest_level"]) == (
        "rules",
        True,
        "neutral",
        "none",
    )
    assert (left["wants_unsubscribe"], left["sentiment_label"], left["fallback_reason"]) == (True, "negative", None)
    assert one(model_server, "Hello", None, {"headers": {"Auto-Submitted": "no"}})["method"] == "llm"


def test_a_batch_comes_back_in_order_with_its_totals(model_server: Served) -> None:
    texts = ["Not interested.", "Let's schedule a call.", "Got it."] * 10
    replies: list[Any] = [
        text if number % 2 else {"reply_text": text, "original_message": "Hi", "context": {}} for number, text in enumerate(texts)
    ]
    analyses, totals = many(model_server, replies, concurrency=5)
    assert [analysis["sentiment_label"] for analysis in analyses] == ["negative", "positive", "neutral"] * 10
    assert (totals.replies, totals.calls, totals.fallbacks) == (30, 30, {})
    assert totals.usage.prompt_tokens > 30 * 500
    assert totals.usage.cost_usd
    assert many(model_server, [])[0] == []


def test_a_batch_survives_answers_that_fail_in_its_middle(model_server: Served) -> None:
    for kind in ("refusal", "cut_off", "invalid_json", "out_of_range", "disagreeing"):
        model_server.set_fault(kind="answer", answer=kind)
    analyses, totals = many(model_server, ["Let's schedule a call."] * 20)
    assert len(analyses) == 20
    assert sorted(analysis["method"] for analysis in analyses) == ["llm"] * 15 + ["rules"] * 5
    assert totals.fallbacks == {"refusal": 1, "cut_off": 1, "nonsense": 3}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("", "the reply is empty"),
        (" \u200b\n", "the reply is empty"),
        (None, "a reply is a text, or a mapping"),
        (7, "a reply is a text, or a mapping"),
        ({}, "reply_text is missing"),
        ({"reply_text": None}, "reply_text is missing"),
        ({"reply_text": "x", "original_message": 5}, "original_message is no text"),
        ({"reply_text": "x", "context": "Acme"}, "context is no mapping"),
        ({"reply_text": "x", "context": {"headers": "Auto-Submitted: yes"}}, "context.headers is no mapping"),
    ],
    ids=str,
)
def test_a_bad_item_is_named_by_its_position_before_anything_is_asked(model_server: Served, bad: Any, said: str) -> None:
    before = chats(model_server)
    with pytest.raises(InputError, match=f"^reply 3: {said}"):
        many(model_server, ["Hello", "Hello", bad, ""])
    assert chats(model_server) == before
    with pytest.raises(InputError):
        many(None, ["Hello", bad])


def test_an_empty_reply_is_an_error(model_server: Served) -> None:
    with pytest.raises(InputError, match=r"^the reply is empty"):
        one(model_server, "")


def test_a_wrong_key_ends_a_batch_with_the_remedy_and_asks_no_further(model_server: Served) -> None:
    before = chats(model_server)
    with pytest.raises(PermanentModelError, match="set OPENAI_API_KEY"):
        many(model_server, ["Hello"] * 200, openai_api_key="sk-revoked", concurrency=2)
    assert chats(model_server) - before < 20


def test_the_answer_of_one_analyzer_is_the_answer_of_another(model_server: Served) -> None:
    assert one(model_server, "Hello there") == one(model_server, "Hello there")


def test_other_work_of_the_event_loop_goes_on_during_a_batch() -> None:
    async def both() -> int:
        turns = 0

        async def tick() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        async with SentimentAnalyzer(offline=True) as analyzer:
            await analyzer.analyze_batch(["Not interested."] * 50)
        ticking.cancel()
        return turns

    assert asyncio.run(both()) >= 50
