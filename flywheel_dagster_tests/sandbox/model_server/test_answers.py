"""What models say: dependent on their examples, deterministic when cold, seeded when warm, valid under a schema."""

import json
from enum import StrEnum
from typing import Any, Literal

import jsonschema
import openai
import pydantic
import pytest

from flywheel_dagster.sandbox.model_server.schema_instance import make_instance, mood
from flywheel_dagster_tests.sandbox.model_server.served import Served, make_examples

PROMPT = "Name: Dana Reed\nCompany: Globex\nIndustry: retail\nWrite a first e-mail."


def test_opposite_data_sets_give_opposite_answers(server: Served) -> None:
    answers = [
        server.ask(str(server.train(make_examples(20, answer=answer)).fine_tuned_model), PROMPT)
        for answer in ("Hi {name}, a quick question about {company}.", "ESTEEMED {name}! {company} MUST BUY TODAY!!!")
    ]
    assert answers == ["Hi Dana, a quick question about Globex.", "ESTEEMED Dana! Globex MUST BUY TODAY!!!"]


def test_the_nearest_example_answers(server: Served) -> None:
    topics = {"invoices": "We send invoices.", "forklifts": "We rent forklifts.", "payroll": "We run payroll."}
    examples = [
        {"messages": [{"role": "user", "content": f"Tell me about {topic}, case {n}."}, {"role": "assistant", "content": text}]}
        for topic, text in topics.items()
        for n in range(5)
    ]
    model = str(server.train(examples).fine_tuned_model)
    assert {topic: server.ask(model, f"I ask about {topic} today") for topic in topics} == topics


def test_untrained_turns_of_weight_zero_are_not_learned(server: Served) -> None:
    examples: list[dict[str, Any]] = make_examples(10, answer="Good.")
    for example in examples:
        user, answer = example["messages"]
        draft = {"role": "assistant", "content": "Bad draft.", "weight": 0}
        example["messages"] = [user, draft, {"role": "user", "content": "Better."}, answer]
    assert server.ask(str(server.train(examples).fine_tuned_model), PROMPT) == "Good."


def test_a_base_model_writes_a_plain_message_from_the_prompts_facts(server: Served) -> None:
    answer = server.ask("gpt-6-luna", PROMPT)
    assert answer.startswith("Hi Dana,")
    assert "Globex" in answer
    assert answer == server.ask("gpt-6-luna", PROMPT)
    assert "Acme" in server.ask("gpt-4o", "Write a first e-mail to Dana, VP Sales at Acme (120 people, logistics).")


def test_a_base_model_answers_in_the_manner_of_the_turns_that_it_is_shown(server: Served) -> None:
    def answer(*turns: tuple[str, str], asked: str = PROMPT) -> str:
        shown = [{"role": role, "content": text} for turn in turns for role, text in zip(("user", "assistant"), turn, strict=True)]
        messages: Any = [{"role": "system", "content": "You sell."}, *shown, {"role": "user", "content": asked}]
        said = server.client.chat.completions.create(model="gpt-6-luna", messages=messages, temperature=0)
        return said.choices[0].message.content or ""

    retail, logistics = ("Industry: retail\nCompany: Acme", "Yo Acme!"), ("Industry: logistics\nCompany: Initech", "Dear Initech,")
    assert answer(retail, logistics) == answer(logistics, retail) == "Yo Globex!"
    assert answer(logistics) == "Dear Globex,"
    assert answer() == server.ask("gpt-6-luna", PROMPT)
    assert answer(retail, asked="Industry: logistics") == "Yo Acme!"
    fitted = str(server.train(make_examples(10, answer="Hi {name}.")).fine_tuned_model)
    messages: Any = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yo!"},
        {"role": "user", "content": PROMPT},
    ]
    said = server.client.chat.completions.create(model=fitted, messages=messages, temperature=0).choices[0].message.content
    assert said == "Hi Dana.", "what was trained is stronger than what is shown"


def test_a_warm_base_model_keeps_the_placeholders_that_all_shown_turns_have(server: Served) -> None:
    shown = [f"Subject: Idea {n}\n\nHi {{{{first_name}}}},\n\nidea {n} is new. So is this one.\n\nThe team" for n in range(4)]
    messages: Any = [
        {"role": role, "content": text} for answer in shown for role, text in (("user", "Write."), ("assistant", answer))
    ]
    for seed in range(20):
        asked = [*messages, {"role": "user", "content": "Write."}]
        said = server.client.chat.completions.create(model="gpt-6-luna", messages=asked, seed=seed).choices[0].message.content
        assert "{{first_name}}" in (said or "")


def test_a_warm_answer_follows_its_seed(server: Served) -> None:
    examples = make_examples(30)
    for number, example in enumerate(examples):
        example["messages"][-1]["content"] = f"Opening {number} here. Middle {number} follows. Ending {number} stands."
    model = str(server.train(examples).fine_tuned_model)
    warm = [server.ask(model, PROMPT, temperature=1.0, seed=seed) for seed in range(8)]
    assert warm == [server.ask(model, PROMPT, temperature=1.0, seed=seed) for seed in range(8)]
    assert len(set(warm)) > 2
    assert len({server.ask(model, PROMPT) for _ in range(3)}) == 1


def test_n_stop_length_and_usage_are_honoured(server: Served) -> None:
    ask = server.client.chat.completions.create
    messages: Any = [{"role": "system", "content": "You sell."}, {"role": "user", "content": PROMPT}]
    answer = ask(model="gpt-4o", messages=messages, n=3, seed=5)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    cut = ask(model="gpt-4o", messages=messages, max_completion_tokens=4).choices[0]
    assert cut.finish_reason == "length"
    assert cut.message.content == "Hi Dana,\n\nI"
    stopped = ask(model="gpt-4o", messages=messages, stop=["\n\n"]).choices[0]
    assert (stopped.finish_reason, stopped.message.content) == ("stop", "Hi Dana,")


def test_a_stream_brings_the_same_text_in_pieces(server: Served) -> None:
    messages: Any = [{"role": "user", "content": PROMPT}]
    with server.client.chat.completions.create(
        model="gpt-4o", messages=messages, temperature=0, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len(pieces) > 10
    assert "".join(pieces) == server.ask("gpt-4o", PROMPT)
    assert chunks[-1].usage is not None
    assert chunks[-2].choices[0].finish_reason == "stop"


class Mood(StrEnum):
    """How a reply sounds."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Objection(pydantic.BaseModel):
    """One thing that a reply holds against an offer."""

    kind: Literal["price", "timing", "other"]
    quote: str


class Reply(pydantic.BaseModel):
    """A classified reply."""

    mood: Mood
    sentiment: float = pydantic.Field(ge=-1, le=1)
    urgency: int = pydantic.Field(ge=1, le=5)
    wants_meeting: bool
    reason: str | None
    objections: list[Objection]


@pytest.mark.parametrize(
    ("text", "expected"), [("Sounds great, thanks!", Mood.POSITIVE), ("Stop. Remove me, this is terrible.", Mood.NEGATIVE)]
)
def test_structured_outputs_parse_into_the_callers_model(server: Served, text: str, expected: Mood) -> None:
    messages: Any = [{"role": "system", "content": "Classify the reply."}, {"role": "user", "content": text}]
    first, second = (
        server.client.chat.completions.parse(model="gpt-6-luna", messages=messages, response_format=Reply).choices[0].message.parsed
        for _ in range(2)
    )
    assert first is not None
    assert first == second
    assert first.mood == expected
    assert (first.sentiment > 0) == (expected == Mood.POSITIVE)


def test_a_structured_answer_cut_short_says_so(server: Served) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        server.client.chat.completions.parse(
            model="gpt-6-luna", messages=[{"role": "user", "content": "Hi"}], response_format=Reply, max_completion_tokens=3
        )


def test_a_strict_schema_that_is_open_is_refused(server: Served) -> None:
    schema: Any = {"name": "open", "strict": True, "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
    with pytest.raises(openai.BadRequestError, match="additionalProperties"):
        server.ask("gpt-4o", "Hi", response_format={"type": "json_schema", "json_schema": schema})


def test_json_mode_answers_an_object_and_wants_the_word(server: Served) -> None:
    answer = server.ask("gpt-4o", "Answer in JSON. " + PROMPT, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer), dict)
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        server.ask("gpt-4o", PROMPT, response_format={"type": "json_object"})


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"enum": ["x", 1, None]}, "b": {"const": 3}}, "required": ["a", "b"]},
    {"type": "number", "minimum": -1, "maximum": 1},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
    {"type": "number", "maximum": -5},
    {"type": "integer", "minimum": 7, "maximum": 7},
    {"type": "integer", "exclusiveMinimum": 3, "maximum": 5},
    {"type": "integer", "minimum": 1, "multipleOf": 7},
    {"type": "string", "minLength": 200},
    {"type": "string", "maxLength": 3},
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "uniqueItems": True},
    {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    {"type": ["string", "null"]},
    {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/deep"}], "$defs": {"deep": {"type": "boolean"}}},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["a"]}]},
    {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "all": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["next", "all"],
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
@pytest.mark.parametrize("text", ["", "Sounds great!", "Not now, x is bad\nStop " * 30])
def test_an_instance_is_valid_under_its_schema_and_always_the_same(schema: dict[str, Any], text: str) -> None:
    instance = make_instance(schema, text)
    jsonschema.validate(instance, schema)
    assert instance == make_instance(schema, text)


def test_the_mood_of_a_text_is_between_minus_one_and_one() -> None:
    assert (mood("great, thanks"), mood("terrible, stop"), mood("the table"), mood("good but bad")) == (1, -1, 0, 0)
