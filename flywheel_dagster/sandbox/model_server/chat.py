"""POST /v1/chat/completions: reads the request, has the model answer off the event loop, and writes the answer, whole or streamed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.adapters_answers import AdapterAnswers
from flywheel_dagster.sandbox.model_server.answers import FittedModels
from flywheel_dagster.sandbox.model_server.billing import Billing
from flywheel_dagster.sandbox.model_server.chat_requests import read_chat_request
from flywheel_dagster.sandbox.model_server.completions import FINGERPRINT, Choice, complete
from flywheel_dagster.sandbox.model_server.faults import FaultPlan
from flywheel_dagster.sandbox.model_server.models import KnownModel, require_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import read_json


def chat_routes(
    store: Store,
    fitted: FittedModels,
    billing: Billing,
    faults: FaultPlan,
    *,
    root: str = "/v1",
    find: Callable[[str], KnownModel] | None = None,
    adapters: AdapterAnswers | None = None,
) -> list[Route]:
    """The chat route under a root. `find` knows models by other names. Token counts are words and signs, but for `adapters` real ones."""
    path, model_of = f"{root}/chat/completions", find or partial(require_model, store)

    async def answer(request: Request) -> Response:
        billing.note_body(await request.body())
        asked = read_chat_request(await read_json(request))
        done = None if adapters is None else await adapters.complete(asked)
        if done is None:
            model, fault = model_of(asked.model), faults.take_for_answer(f"POST {path}")
            done = await asyncio.to_thread(complete, asked, model, fitted=fitted, models=store.models, fault=fault)
        body, choices = done
        billing.bill_chat(asked.messages)
        if asked.stream:
            return StreamingResponse(_stream(body, choices, usage=asked.include_usage), media_type="text/event-stream")
        return JSONResponse(body)

    return [Route(path, answer, methods=["POST"])]


async def _stream(body: dict[str, Any], choices: list[Choice], *, usage: bool) -> AsyncIterator[str]:
    """Server-sent events: a role, one piece a token, a finish reason for each choice, the usage if asked, then [DONE]."""
    frame = {name: body[name] for name in ("id", "created", "model")}

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        chunk = {**frame, "object": "chat.completion.chunk", "system_fingerprint": FINGERPRINT, "choices": choices, **more}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    def piece(index: int, delta: dict[str, Any], finish_reason: str | None = None) -> str:
        return event([{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}])

    for index, choice in enumerate(choices):
        yield piece(index, {"role": "assistant", "content": "", "refusal": None})
        for token in choice.tokens:
            yield piece(index, {"content" if choice.refusal is None else "refusal": token})
        yield piece(index, {}, choice.finish_reason)
    if usage:
        yield event([], usage=body["usage"])
    yield "data: [DONE]\n\n"
