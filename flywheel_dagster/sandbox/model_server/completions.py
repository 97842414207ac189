"""One chat completion: the model's choices, spoilt where a fault says so, and the API's object for them. No HTTP and no database here."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel_dagster.sandbox.model_server.answers import FittedModels, answer_by_base
from flywheel_dagster.sandbox.model_server.chat_requests import ChatRequest
from flywheel_dagster.sandbox.model_server.models import KnownModel
from flywheel_dagster.sandbox.model_server.reply_reading import can_read, quoted_reply, read_reply
from flywheel_dagster.sandbox.model_server.schema_instance import make_instance
from flywheel_dagster.sandbox.model_server.tokens import count_message_tokens, message_text, prompt_text, tokenise
from flywheel_dagster.sandbox.model_server.wire import new_id, now

FINGERPRINT = "fp_flywheel_sandbox"
_REFUSAL = "I'm sorry, I can't help with that."


@dataclass(frozen=True)
class Choice:
    """One answer: its text, its tokens, and why it ended (`stop` or `length`); or a refusal, which has no text."""

    text: str
    tokens: list[str]
    finish_reason: str
    refusal: str | None = None

    def as_wire(self, index: int) -> dict[str, Any]:
        """The choice of the API."""
        content = self.text if self.refusal is None else None
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": self.refusal, "annotations": []}
        return {"index": index, "message": message, "logprobs": None, "finish_reason": self.finish_reason}


def complete(
    asked: ChatRequest, model: KnownModel, *, fitted: FittedModels, models: Path, fault: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[Choice]]:
    """The chat completion object, and its choices for those who stream them. `models` is where fine-tunes are kept."""
    choices = [_answer(asked, model, fitted, models, number) for number in range(asked.n)]
    if fault:
        choices = [_spoilt(choice, fault) for choice in choices]
    prompt_tokens, answer_tokens = count_message_tokens(asked.messages) + 3, sum(len(choice.tokens) for choice in choices)
    name = model.base if model.job_id is None else model.name
    return completion(name, choices, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens), choices


def completion(model: str, choices: list[Choice], *, prompt_tokens: int, answer_tokens: int) -> dict[str, Any]:
    """The chat completion object of the API."""
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": now(),
        "model": model,
        "choices": [choice.as_wire(index) for index, choice in enumerate(choices)],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer_tokens,
            "total_tokens": prompt_tokens + answer_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def cut_answer(text: str, *, stop: list[str], max_tokens: int | None) -> Choice:
    """End an answer before the first stop text, or after `max_tokens` tokens."""
    ends = [place for word in stop if (place := text.find(word)) >= 0]
    if ends:
        text = text[: min(ends)]
    tokens = tokenise(text)
    if max_tokens is not None and len(tokens) > max_tokens:
        return Choice("".join(tokens[:max_tokens]), tokens[:max_tokens], "length")
    return Choice(text, tokens, "stop")


def _answer(asked: ChatRequest, model: KnownModel, fitted: FittedModels, models: Path, number: int) -> Choice:
    if asked.schema is not None:
        text = json.dumps(_structured(asked, asked.schema), ensure_ascii=False)
    else:
        chance = random.Random(None if asked.seed is None else f"{asked.seed}/{number}")  # noqa: S311 (a draw, no secret)
        if model.job_id is None:
            text = answer_by_base(asked.messages, temperature=asked.temperature, chance=chance)
        else:
            loaded = fitted.get(model.name, models / f"{model.job_id}.json", model.weights)
            text = loaded.answer(prompt_text(asked.messages), temperature=asked.temperature, chance=chance)
        if asked.json_object and not _is_json_object(text):
            text = json.dumps({"message": text}, ensure_ascii=False)
    return cut_answer(text, stop=asked.stop, max_tokens=asked.max_tokens)


def _structured(asked: ChatRequest, schema: dict[str, Any]) -> Any:
    users = [message_text(message) for message in asked.messages if message["role"] == "user"]
    last = users[-1] if users else prompt_text(asked.messages)
    if can_read(asked.schema_name, schema):
        answer = read_reply(quoted_reply(last))
        return {name: answer[name] for name in schema["properties"]}
    return make_instance(schema, last)


def _spoilt(choice: Choice, fault: Mapping[str, Any]) -> Choice:
    """The choice as a fault wants it."""
    kind = fault.get("answer")
    if kind == "refusal":
        return Choice("", tokenise(_REFUSAL), "stop", _REFUSAL)
    if kind == "cut_off":
        half = choice.tokens[: len(choice.tokens) // 2]
        return Choice("".join(half), half, "length")
    text = fault.get("content")
    if text is None:
        text = choice.text[:-1] + ", oops" if kind == "invalid_json" else _contradicting(choice.text, wild=kind == "out_of_range")
    return Choice(text, tokenise(text), "stop")


def _contradicting(text: str, *, wild: bool) -> str:
    """A structured answer with a sentiment_score far outside its range, or inside it but against its label."""
    value = json.loads(text) if _is_json_object(text) else {}
    against = -0.9 if value.get("sentiment_label") == "positive" else 0.9
    return json.dumps({**value, "sentiment_score": 7 if wild else against}, ensure_ascii=False)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
