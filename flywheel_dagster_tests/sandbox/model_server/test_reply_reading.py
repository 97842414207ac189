"""The stand-in for a model that reads replies: keywords decide, the answer fits the schema, and faults spoil it on demand."""

import json
from itertools import count
from typing import Any

import jsonschema
import openai
import pytest

from flywheel_dagster.sandbox.model_server.reply_reading import quoted_reply, read_reply
from flywheel_dagster_tests.sandbox.model_server.served import Served

KINDS: dict[str, dict[str, Any]] = {
    "reasoning": {"type": "string"},
    "sentiment_label": {"enum": ["positive", "neutral", "negative"]},
    "sentiment_score": {"type": "number"},
    "interest_level": {"enum": ["high", "medium", "low", "none"]},
    "objection_type": {"enum": ["price", "timing", "authority", "competitor", "not_interested", "no_need", "none"]},
    "is_auto_reply": {"type": "boolean"},
    "wants_unsubscribe": {"type": "boolean"},
    "referral": {"type": "boolean"},
    "language": {"type": "string"},
    "confidence": {"type": "number"},
}
SCHEMA = {"type": "object", "properties": KINDS, "required": list(KINDS), "additionalProperties": False}
CHAT = "POST /v1/chat/completions"


def ask(server: Served, reply: str, *, name: str = "reply_analysis", schema: Any = SCHEMA) -> Any:
    data = "<reply_data>\n" + json.dumps({"original_message": "We sell. Unsubscribe here.", "reply": reply}) + "\n</reply_data>"
    return server.client.chat.completions.create(
        model="gpt-6-luna",
        messages=[{"role": "system", "content": "Classify."}, {"role": "user", "content": data}],
        response_format={"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}},
    ).choices[0]


@pytest.mark.parametrize(
    ("reply", "label", "interest", "objection"),
    [
        ("Sure, let's schedule a call.", "positive", "high", "none"),
        ("What does it cost?", "positive", "high", "none"),
        ("Got it.", "neutral", "low", "none"),
        ("Maybe next quarter.", "neutral", "medium", "timing"),
        ("I must ask my boss first.", "neutral", "medium", "authority"),
        ("Not interested.", "negative", "none", "not_interested"),
        ("We already use Acme.", "negative", "none", "competitor"),
        ("Kein Bedarf, danke.", "negative", "none", "no_need"),
        ("Please remove me from your list", "negative", "none", "not_interested"),
        ("I am out of office until Monday.", "neutral", "none", "none"),
    ],
)
def test_keywords_of_the_quoted_reply_decide(server: Served, reply: str, label: str, interest: str, objection: str) -> None:
    answer = json.loads(ask(server, reply).message.content)
    jsonschema.validate(answer, SCHEMA)
    assert (answer["sentiment_label"], answer["interest_level"], answer["objection_type"]) == (label, interest, objection)
    score = answer["sentiment_score"]
    assert label == ("positive" if score >= 0.5 else "negative" if score < -0.2 else "neutral")


def test_a_schema_of_another_name_or_with_other_properties_is_answered_as_ever(server: Served) -> None:
    wider = {**SCHEMA, "properties": {**KINDS, "mood": {"type": "string"}}, "required": [*KINDS, "mood"]}
    assert "Keywords only" not in ask(server, "Hi", name="other").message.content
    assert json.loads(ask(server, "Hi", schema=wider).message.content).keys() == {*KINDS, "mood"}


def test_a_message_without_quoted_data_is_read_as_the_reply() -> None:
    assert quoted_reply("Not interested.\n{broken\n{}") == "Not interested.\n{broken\n{}"
    assert read_reply("Obrigado, não")["language"] == "pt"


def test_answers_are_spoilt_on_demand(server: Served) -> None:
    for number, kind in zip(count(), ("refusal", "cut_off", "invalid_json", "out_of_range", "disagreeing"), strict=False):
        server.set_fault(kind="answer", answer=kind)
        choice = ask(server, f"Sure, let's schedule {number}")
        if kind == "refusal":
            assert (choice.message.content, choice.finish_reason) == (None, "stop")
            assert choice.message.refusal
        elif kind in ("cut_off", "invalid_json"):
            assert choice.finish_reason == ("length" if kind == "cut_off" else "stop")
            with pytest.raises(ValueError, match=r"."):
                json.loads(choice.message.content)
        else:
            answer = json.loads(choice.message.content)
            assert answer["sentiment_label"] == "positive"
            assert answer["sentiment_score"] == (7 if kind == "out_of_range" else -0.9)
    server.set_fault(kind="answer", content="anything")
    assert ask(server, "Hi").message.content == "anything"
    assert server.set_fault(kind="answer", answer="unheard-of").status_code == 400


def test_a_held_call_waits_until_the_faults_are_cleared_or_its_client_is_gone(server: Served) -> None:
    server.set_fault(kind="hold", match=CHAT, times=2)
    before = server.http.get("/sandbox/billed").json()["chat"]["answers"]
    with pytest.raises(openai.APITimeoutError):
        server.client.with_options(timeout=0.05).chat.completions.create(
            model="gpt-6-luna", messages=[{"role": "user", "content": "gone"}]
        )
    assert server.http.get("/sandbox/billed").json()["chat"]["answers"] == before


async def _ask_and_release(server: Served) -> str:
    import asyncio

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        asked = asyncio.ensure_future(
            client.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": "held"}])
        )
        while not server.count_calls()["calls"].get(CHAT, 0):
            await asyncio.sleep(0)
        while server.http.get("/sandbox/faults").json()["faults"]:  # taken, so the call is held
            await asyncio.sleep(0)
        assert not asked.done()
        server.http.delete("/sandbox/faults")
        return (await asked).choices[0].message.content or ""


def test_a_released_call_is_answered(server: Served) -> None:
    import asyncio

    server.set_fault(kind="hold", match=CHAT)
    assert asyncio.run(_ask_and_release(server))
