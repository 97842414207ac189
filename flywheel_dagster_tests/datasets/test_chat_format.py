"""The provider's rules for a chat training file, example by example."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.datasets.chat_format import CHAT, line_problems
from flywheel_dagster.datasets.dpo_format import DPO
from flywheel_dagster.datasets.kto_format import KTO
from flywheel_dagster.datasets.tokens import MOST_TOKENS, count_example
from flywheel_dagster.sandbox.model_server.validation import check_examples
from flywheel_dagster_tests.thoroughness import examples

SYSTEM, USER = {"role": "system", "content": "s"}, {"role": "user", "content": "u"}
ANSWER: dict[str, Any] = {"role": "assistant", "content": "a", "weight": 1}
GOOD: dict[str, Any] = {"messages": [SYSTEM, USER, ANSWER]}
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"firm": "Acme"}'}}
CALLING: dict[str, Any] = {"role": "assistant", "tool_calls": [CALL]}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}


def found(example: Any) -> list[str]:
    return list(line_problems(json.dumps(example).encode()))


def with_answer(**changes: Any) -> dict[str, Any]:
    return {"messages": [SYSTEM, USER, ANSWER | changes]}


def with_user(**changes: Any) -> dict[str, Any]:
    return {"messages": [USER | changes, ANSWER]}


@pytest.mark.parametrize(
    "example",
    [
        GOOD,
        {"messages": [USER, ANSWER | {"weight": 0}, USER, ANSWER]},
        {"messages": [USER, CALLING], "tools": [TOOL], "parallel_tool_calls": False},
        {"messages": [USER, CALLING, {"role": "tool", "tool_call_id": "c1", "content": ""}, ANSWER], "tools": [TOOL]},
        {"messages": [{"role": "developer", "content": "d"}, USER, {"role": "assistant", "content": None, "refusal": "no"}]},
        with_user(content=[{"type": "text", "text": "what is this?"}, IMAGE]),
        with_user(name="dana"),
        with_answer(content=[{"type": "text", "text": "a"}]),
        {"messages": [USER, {"role": "assistant", "content": None, "function_call": CALL["function"]}], "functions": [TOOL["function"]]},
        {"messages": [USER, CALLING, {"role": "function", "name": "look_up", "content": None}, ANSWER]},
    ],
)  # fmt: skip
def test_what_the_schema_allows_has_no_problem(example: dict[str, Any]) -> None:
    assert found(example) == []


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (GOOD | {"metadata": {"outcome_id": 1}}, 'contains an extra "metadata"'),
        (GOOD | {"weight": 10.0}, 'contains an extra "weight"'),
        ({"prompt": "p", "completion": "c"}, "is in the prompt-completion format"),
        ({}, "messages is missing: Unexpected file format"),
        ({"messages": []}, "messages is empty"),
        ({"messages": {"role": "user"}}, "messages is not a list"),
        ({"messages": ["hello"]}, "message 1: is not a JSON dictionary"),
        ({"messages": [{"content": "a"}]}, "message 1: Discriminator 'role' is missing in value"),
        ({"messages": [{"role": "human", "content": "a"}]}, 'message 1: role "human" is not one of'),
        ({"messages": [{"role": ["user"], "content": "a"}]}, "message 1: role (list) is not one of"),
        ({"messages": [SYSTEM, USER]}, "must have at least one message from the assistant"),
        ({"messages": [ANSWER, USER]}, "the last message must be from the assistant"),
        (with_answer(weight=0), "all messages from the assistant have weight 0"),
        (with_answer(weight=0.5), "message 3: weight: Input should be 0 or 1"),
        (with_answer(weight=10), "message 3: weight: Input should be 0 or 1"),
        (with_answer(weight=True), "message 3: weight: Input should be 0 or 1"),
        (with_answer(weight=1.0), "message 3: weight: Input should be 0 or 1"),
        (with_user(weight=1), 'message 1: contains an extra "weight"'),
        (with_answer(content=None), "message 3: content is missing"),
        (with_answer(content="  \n"), "message 3: content is empty"),
        (with_answer(content=5), "message 3: content: Input should be a valid string"),
        (with_answer(content=[]), "message 3: content is empty"),
        (with_answer(content=[IMAGE]), 'message 3: content part 1: type "image_url" is not one of text, refusal'),
        (with_user(content=[{"type": "input_audio", "input_audio": {}}]), 'message 1: content part 1: type "input_audio"'),
        (with_user(content=[{"type": "text"}]), "message 1: content part 1: text is missing"),
        (with_user(content=[{"type": "text", "text": "a", "style": "bold"}]), 'message 1: content part 1: contains an extra "style"'),
        (with_user(content=[{"type": "image_url", "image_url": "a.png"}]), "message 1: content part 1: image_url has no address"),
        (with_user(content=["a"]), "message 1: content part 1: type"),
        (with_user(name=7), "message 1: name is not a text"),
        (with_answer(tool_calls=[]), "message 3: tool_calls is not a list of calls"),
        (with_answer(tool_calls=[{"id": "1"}]), "message 3: tool call 1 is not"),
        (with_answer(tool_calls=[CALL | {"function": {"name": "f", "arguments": {}}}]), "message 3: tool call 1: arguments is not a string"),
        (with_answer(audio={"id": "1"}), 'message 3: contains an extra "audio"'),
        ({"messages": [USER, {"role": "tool", "content": "x", "tool_call_id": "c9"}, ANSWER]}, 'message 2: tool_call_id "c9" answers no'),
        ({"messages": [USER, {"role": "tool", "content": "x"}, ANSWER]}, "message 2: tool_call_id is missing"),
        (GOOD | {"tools": {}}, "tools is not a list"),
        (GOOD | {"tools": [{"type": "function"}]}, "tool 1 is not"),
        (GOOD | {"tools": [{"type": "function", "function": {"name": "two words"}}]}, "tool 1: name is not 1 to 64 letters"),
        (GOOD | {"functions": [{"name": "f", "parameters": []}]}, "function 1: parameters has the wrong type"),
        (GOOD | {"tools": [TOOL] * 129}, "tools is not a list of at most 128"),
        (GOOD | {"parallel_tool_calls": 1}, "parallel_tool_calls is neither true nor false"),
    ],
)  # fmt: skip
def test_a_bad_example_says_what_is_wrong(example: Any, reason: str) -> None:
    assert any(problem.startswith(reason) for problem in found(example)), found(example)


def test_an_example_may_have_as_many_tokens_as_the_provider_takes_and_not_one_more() -> None:
    words = MOST_TOKENS - count_example([SYSTEM, USER, ANSWER | {"content": ""}])
    longest = with_answer(content="a" + " a" * (words - 1))
    assert count_example(longest["messages"]) == MOST_TOKENS
    assert found(longest) == []
    assert found(with_answer(content="a" + " a" * words)) == ["has 65,537 tokens, but must have at most 65,536"]
    assert found(with_answer(content="a" * 300_000)) == []


def test_tools_count_towards_the_limit() -> None:
    schema = {"type": "object", "description": "word " * 40_000}
    crowded = GOOD | {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}] * 2}
    (reason,) = found(crowded)
    assert reason.endswith("tokens, but must have at most 65,536")


def test_a_reason_repeats_no_long_text_of_the_file() -> None:
    for example in (
        GOOD | {"k" * 10_000: 1},
        {"messages": [{"role": "r" * 10_000}]},
        {"messages": [USER | {"n" * 10_000: 1}, ANSWER]},
    ):
        assert all(len(reason) < 250 for reason in found(example))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["", " ", "a", "user"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "id", "function", "url"]), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
ALMOST_A_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function", "developer", "other"])},
    optional={
        "content": st.just("text") | ANY_JSON | st.just([{"type": "text", "text": "t"}]),
        "weight": st.sampled_from([0, 1, 1, 2, True, 0.5]),
        "name": st.just("n") | ANY_JSON,
        "tool_calls": st.just([CALL]) | ANY_JSON,
        "function_call": st.just(CALL["function"]) | ANY_JSON,
        "tool_call_id": st.just("c1") | ANY_JSON,
        "refusal": st.just("no") | ANY_JSON,
    },
)
ALMOST_AN_EXAMPLE = st.fixed_dictionaries(
    {"messages": st.lists(ALMOST_A_MESSAGE, max_size=3).map(lambda messages: [*messages, ANSWER])},
    optional={
        "tools": st.just([TOOL]) | ANY_JSON,
        "functions": st.just([TOOL["function"]]) | ANY_JSON,
        "parallel_tool_calls": st.booleans() | ANY_JSON,
    },
)


@given(ALMOST_AN_EXAMPLE)
@settings(deadline=None, max_examples=examples(300, quick=100))
def test_what_passes_here_is_taken_by_a_server_with_the_providers_rules(example: dict[str, Any]) -> None:
    if not found(example):
        examples, problem = check_examples(json.dumps(example).encode(), param="validation_file")
        assert problem is None
        assert len(examples) == 1


@given(st.lists(st.sampled_from([SYSTEM, USER, ANSWER, CALLING, {"role": "assistant", "content": "a"}, {"role": "user", "content": " "}, {"role": "x"}, 1])
    | st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": ANY_JSON}), max_size=3),
    st.booleans())  # fmt: skip
@settings(deadline=None)
def test_what_is_passed_at_a_glance_breaks_no_rule(messages: list[Any], extra: bool) -> None:
    turns = [message for message in messages if message != 1]
    for form, example in (
        (CHAT, {"messages": messages}),
        (DPO, {"input": {"messages": messages}, "preferred_output": turns[-1:], "non_preferred_output": turns[:1]}),
        (KTO, {"prompt": messages, "completion": turns[-1:], "label": True}),
    ):
        whole = example | ({"extra": 1} if extra else {})
        try:
            plain = form.plain(whole)
        except (TypeError, KeyError, AttributeError):
            continue
        assert not plain or list(form.rules(whole)) == []


def test_the_collected_lines_are_judged_as_the_provider_judged_them(shared: Path) -> None:
    samples = shared / "samples" / "openai"
    for line in (samples / "train_valid_lines.jsonl").read_bytes().splitlines():
        assert list(line_problems(line)) == []
    for sample in json.loads((samples / "train_invalid_lines.json").read_text()):
        assert list(line_problems(sample["line"].encode())), sample["name"]
