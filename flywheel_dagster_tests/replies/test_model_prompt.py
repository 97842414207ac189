"""What a model is shown of a reply, and which answers are believed."""

import json
from hashlib import sha256
from typing import Any

import jsonschema
import pytest

from flywheel_dagster.outcomes.events import sentiment_of
from flywheel_dagster.replies.analysis import InterestLevel, Objection
from flywheel_dagster.replies.model_prompt import (
    BEGIN,
    END,
    MOST_CONTEXT,
    MOST_ORIGINAL,
    MOST_REPLY,
    PROMPT_VERSION,
    SCHEMA_NAME,
    SYSTEM_PROMPT,
    NonsenseError,
    chat_request,
    messages,
    read_answer,
    response_format,
)
from flywheel_dagster.sandbox.model_server.reply_reading import SCHEMA_NAME as SANDBOX_NAME
from flywheel_dagster.sandbox.model_server.reply_reading import can_read
from flywheel_dagster_tests.replies.asking import GOOD, said


def data(text: str, original: str | None = None, context: Any = None) -> dict[str, Any]:
    begin, line, end = messages(said(text), original, context)[1]["content"].split("\n")
    assert (begin, end) == (BEGIN, END)
    found: dict[str, Any] = json.loads(line)
    return found


def read(**changes: Any) -> Any:
    return read_answer(json.dumps({**GOOD, **changes}), model="m")


def test_the_reply_the_message_and_plain_context_are_shown() -> None:
    context = {"company": "Acme", "seats": 20, "customer": False, "headers": {"x": "y"}, "list": [1], "nan": float("nan")}
    assert data("Yes.\nTuesday?", "Shall we talk?", context) == {
        "original_message": "Shall we talk?",
        "context": {"company": "Acme", "seats": 20, "customer": False},
        "reply": "Yes.\nTuesday?",
    }
    assert data("Yes", "  ", {"headers": {}}) == {"reply": "Yes"}


def test_long_texts_are_shortened_in_the_middle() -> None:
    shown = data(
        "a" * 50_000 + "unsubscribe", "b" * 50_000, {"k" * 500: "c" * 50_000} | {str(number): number for number in range(50)}
    )
    assert shown["reply"].startswith("aaa")
    assert shown["reply"].endswith("aunsubscribe")
    assert len(shown["reply"]) == MOST_REPLY + 7
    assert len(shown["original_message"]) == MOST_ORIGINAL + 7
    assert len(shown["context"]) == 12
    assert all(len(str(value)) <= MOST_CONTEXT + 7 for pair in shown["context"].items() for value in pair)


def test_the_schema_is_strict_and_is_the_one_that_the_development_server_knows() -> None:
    wrapper = response_format()["json_schema"]
    schema = wrapper["schema"]
    assert (wrapper["name"], wrapper["strict"], schema["additionalProperties"]) == (SCHEMA_NAME, True, False)
    assert set(schema["required"]) == set(schema["properties"]) == set(GOOD)
    assert SCHEMA_NAME == SANDBOX_NAME
    assert can_read(SCHEMA_NAME, schema)
    assert "title" not in json.dumps(schema)
    assert "description" not in json.dumps(schema), "a docstring is no part of the prompt"
    jsonschema.validate(GOOD, schema)


def test_the_examples_of_the_prompt_keep_to_the_conventions() -> None:
    examples = [line.rsplit(" -> ", 1)[1] for line in SYSTEM_PROMPT.splitlines() if line.startswith('"')]
    assert len(examples) == 9
    for example in examples:
        label, score, interest, objection = example.split(" (")[0].split(", ")
        assert sentiment_of(float(score)) == label
        assert InterestLevel(interest)
        assert Objection(objection)


def test_the_prompt_is_not_changed_without_a_new_version() -> None:
    told = json.dumps([SYSTEM_PROMPT, response_format(), messages(said("x"), "y", {"z": 1})], sort_keys=True)
    versions = {1: "d957b8538aae5b7c"}
    assert versions[PROMPT_VERSION] == sha256(told.encode()).hexdigest()[:16], "raise PROMPT_VERSION and add the new hash"


def test_a_request_is_the_same_for_the_same_reply() -> None:
    assert chat_request(said("x"), None, None, model="m") == chat_request(said("x"), None, {}, model="m")


def test_a_good_answer_becomes_an_analysis() -> None:
    analysis = read(reasoning=" Fine.\0 ", language="EN-us")
    assert (analysis["sentiment_score"], analysis["sentiment_label"], analysis["interest_level"]) == (0.9, "positive", "high")
    assert (analysis["method"], analysis["model"], analysis["version"]) == ("llm", "m", PROMPT_VERSION)
    assert (analysis["reasoning"], analysis["language"], analysis["fallback_reason"]) == ("Fine.", "en", None)
    assert read(language="English")["language"] == "und"
    assert read(sentiment_score=1)["sentiment_score"] == 1.0


def test_an_auto_reply_has_no_interest_and_no_objection_and_an_unsubscribe_no_interest() -> None:
    automatic = read(
        is_auto_reply=True, sentiment_label="neutral", sentiment_score=0, interest_level="low", objection_type="timing"
    )
    assert (automatic["interest_level"], automatic["objection_type"]) == ("none", "none")
    left = read(wants_unsubscribe=True, sentiment_label="negative", sentiment_score=-0.9, interest_level="low")
    assert left["interest_level"] == "none"


@pytest.mark.parametrize(
    "changes",
    [
        {"sentiment_score": 1.001},
        {"sentiment_score": -7},
        {"sentiment_score": 1e308},
        {"confidence": -0.1},
        {"confidence": 2},
        {"sentiment_score": -0.9},
        {"sentiment_score": 0.49},
        {"sentiment_label": "neutral"},
        {"sentiment_label": "negative", "sentiment_score": -0.2},
        {"sentiment_label": "negative", "sentiment_score": -0.8},
        {"wants_unsubscribe": True},
        {"wants_unsubscribe": True, "sentiment_label": "negative", "sentiment_score": -0.8, "interest_level": "medium"},
        {"is_auto_reply": True},
        {"is_auto_reply": True, "sentiment_label": "neutral", "sentiment_score": 0.1},
        {"sentiment_label": "POSITIVE"},
        {"sentiment_label": "positive; interest: high"},
        {"interest_level": "very high"},
        {"objection_type": None},
        {"sentiment_score": "0.9"},
        {"sentiment_score": True},
        {"is_auto_reply": "no"},
        {"reasoning": 5},
        {"system": "You are free"},
    ],
    ids=str,
)
def test_an_answer_out_of_range_or_against_itself_is_nonsense_and_is_told_without_its_text(changes: dict[str, Any]) -> None:
    with pytest.raises(NonsenseError) as refused:
        read(**changes)
    assert str(refused.value)
    for value in changes.values():
        assert not (isinstance(value, str) and len(value) > 8) or value not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    ["", "positive", "[]", "null", "{", json.dumps(GOOD)[:-1], f"```json\n{json.dumps(GOOD)}\n```", json.dumps(GOOD) * 2,
     json.dumps(GOOD).replace("0.9", "NaN"), json.dumps(GOOD).replace("0.9", "Infinity"), json.dumps({**GOOD, "reasoning": None})],
)  # fmt: skip
def test_what_is_not_the_json_that_was_asked_for_is_nonsense(content: str) -> None:
    with pytest.raises(NonsenseError):
        read_answer(content, model="m")
