"""POST /v1/chat/completions: reads the request, has the model answer off the event loop, and writes the answer, whole or streamed."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.answers import FittedModels, answer_plainly
from flywheel_dagster.sandbox.model_server.chat_requests import ChatRequest, read_chat_request
from flywheel_dagster.sandbox.model_server.models import KnownModel, require_model
from flywheel_dagster.sandbox.model_server.schema_instance import make_instance
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.tokens import count_message_tokens, message_text, prompt_text, tokenise
from flywheel_dagster.sandbox.model_server.wire import new_id, now, read_json

_FINGERPRINT = "fp_flywheel_sandbox"


@dataclass(frozen=True)
class Choice:
    """One answer: its text, its tokens, and why it ended (`stop` or `length`)."""

    text: str
    tokens: list[str]
    finish_reason: str


def chat_routes(store: Store, fitted: FittedModels) -> list[Route]:
    """The chat route. Token counts are words and signs, not OpenAI's."""

    async def complete(request: Request) -> Response:
        asked = read_chat_request(await read_json(request))
        model = require_model(store, asked.model)
        choices = await asyncio.to_thread(_answer, store, fitted, model, asked)
        usage = _count_usage(asked, choices)
        frame = {"id": new_id("chatcmpl-"), "created": now(), "model": model.base if model.job_id is None else model.name}
        if asked.stream:
            return StreamingResponse(
                _stream(frame, choices, usage if asked.include_usage else None), media_type="text/event-stream"
            )
        return JSONResponse(
            {
                **frame,
                "object": "chat.completion",
                "choices": [_choice_as_wire(index, choice) for index, choice in enumerate(choices)],
                "usage": usage,
                "service_tier": "default",
                "system_fingerprint": _FINGERPRINT,
            }
        )

    return [Route("/v1/chat/completions", complete, methods=["POST"])]


def cut_answer(text: str, *, stop: list[str], max_tokens: int | None) -> Choice:
    """End an answer before the first stop text, or after `max_tokens` tokens."""
    ends = [place for word in stop if (place := text.find(word)) >= 0]
    if ends:
        text = text[: min(ends)]
    tokens = tokenise(text)
    if max_tokens is not None and len(tokens) > max_tokens:
        return Choice("".join(tokens[:max_tokens]), tokens[:max_tokens], "length")
    return Choice(text, tokens, "stop")


def _answer(store: Store, fitted: FittedModels, model: KnownModel, asked: ChatRequest) -> list[Choice]:
    prompt = prompt_text(asked.messages)
    choices = []
    for number in range(asked.n):
        chance = random.Random(None if asked.seed is None else f"{asked.seed}/{number}")  # noqa: S311 (a draw, no secret)
        if asked.schema is not None:
            users = [message_text(message) for message in asked.messages if message["role"] == "user"]
            text = json.dumps(make_instance(asked.schema, users[-1] if users else prompt), ensure_ascii=False)
        else:
            if model.job_id is None:
                text = answer_plainly(prompt, temperature=asked.temperature, chance=chance)
            else:
                loaded = fitted.get(model.name, store.models / f"{model.job_id}.json", model.weights)
                text = loaded.answer(prompt, temperature=asked.temperature, chance=chance)
            if asked.json_object and not _is_json_object(text):
                text = json.dumps({"message": text}, ensure_ascii=False)
        choices.append(cut_answer(text, stop=asked.stop, max_tokens=asked.max_tokens))
    return choices


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _count_usage(asked: ChatRequest, choices: list[Choice]) -> dict[str, Any]:
    prompt, answer = count_message_tokens(asked.messages) + 3, sum(len(choice.tokens) for choice in choices)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _choice_as_wire(index: int, choice: Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish_reason}


async def _stream(frame: dict[str, Any], choices: list[Choice], usage: dict[str, Any] | None) -> AsyncIterator[str]:
    """Server-sent events: a role, one piece a token, a finish reason for each choice, the usage if asked, then [DONE]."""

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        chunk = {**frame, "object": "chat.completion.chunk", "system_fingerprint": _FINGERPRINT, "choices": choices, **more}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    def piece(index: int, delta: dict[str, Any], finish_reason: str | None = None) -> str:
        return event([{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}])

    for index, choice in enumerate(choices):
        yield piece(index, {"role": "assistant", "content": "", "refusal": None})
        for token in choice.tokens:
            yield piece(index, {"content": token})
        yield piece(index, {}, choice.finish_reason)
    if usage is not None:
        yield event([], usage=usage)
    yield "data: [DONE]\n\n"
