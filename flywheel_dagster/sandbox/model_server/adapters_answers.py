"""Answers of adapters to chat requests: those that wait for the same model are answered together, off the event loop. Networks are in
`adapters_generation.py`.

Answers are greedy, whatever temperature and seed are: the same question has the same answer, up to the rounding of who is answered with it.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flywheel_dagster.sandbox.model_server.adapters import Adapters
from flywheel_dagster.sandbox.model_server.adapters_generation import Asked, Generated, Networks
from flywheel_dagster.sandbox.model_server.chat_requests import ChatRequest
from flywheel_dagster.sandbox.model_server.completions import Choice, completion
from flywheel_dagster.sandbox.model_server.tokens import message_text, tokenise
from flywheel_dagster.sandbox.model_server.wire import ApiError

_AT_ONCE = 8  # questions: it takes little longer than one
_QUIET = 0.1  # seconds without a further question: those that are asked along with another come one after the other
_MOST_TOKENS = 512  # of an answer whose asker sets no limit
_INSTALL = "this model needs the extra lora where the model server runs; pip install 'flywheel-dagster[lora]', then restart it (flywheel down)"


class AdapterAnswers:
    """What adapters and their bases say. Used from one event loop."""

    def __init__(self, adapters: Adapters, networks: Networks | None = None) -> None:
        self._adapters, self._networks = adapters, networks or Networks()
        self._waiting: dict[Asked, asyncio.Future[Generated]] = {}
        self._turn, self._thread = asyncio.Lock(), ThreadPoolExecutor(1)

    async def complete(self, asked: ChatRequest) -> tuple[dict[str, Any], list[Choice]] | None:
        """The chat completion object, and its choices for those who stream them; None for a model that is no adapter, 400 for what none can do."""
        adapter = self._adapters.find(asked.model)
        if adapter is None:
            return None
        if asked.schema is not None or asked.json_object:
            raise ApiError(400, f"The model `{adapter.name}` answers in plain text only.", param="response_format")
        messages = tuple((_role(message["role"]), message_text(message)) for message in asked.messages)
        said = await self._answer(
            Asked(adapter.folder, adapter.base, adapter.alone, messages, asked.max_tokens or _MOST_TOKENS, tuple(asked.stop))
        )
        choices = [Choice(said.text, tokenise(said.text), said.finish_reason)] * asked.n
        return completion(adapter.name, choices, prompt_tokens=said.prompt_tokens, answer_tokens=said.tokens * asked.n), choices

    def close(self) -> None:
        """Break off what is being answered."""
        self._networks.stop()

    async def _answer(self, asked: Asked) -> Generated:
        # Who gave up waiting and asks again gets the answer that is on its way; a second one would take just as long.
        answer = self._waiting.setdefault(asked, asyncio.get_running_loop().create_future())
        async with self._turn:
            if not answer.done():  # else one who had the turn before answered it along with its own
                await self._answer_together(await self._gathered(asked))
        return answer.result()

    async def _gathered(self, asked: Asked) -> list[Asked]:
        """A question and those that can be answered along with it, once no more of them come, or there are enough."""
        before: list[Asked] = []
        found = [asked]
        while len(before) < len(found) < _AT_ONCE:
            await asyncio.sleep(_QUIET)
            others = [each for each in self._waiting if each != asked and each.fits(asked)]
            before, found = found, [asked, *others][:_AT_ONCE]
        return found

    async def _answer_together(self, batch: Sequence[Asked]) -> None:
        said: Sequence[Generated | Exception]
        try:
            said = await asyncio.get_running_loop().run_in_executor(self._thread, self._networks.answer, batch)
        except Exception as error:
            said = [_named(error)] * len(batch)
        for asked, one in zip(batch, said, strict=True):
            answer = self._waiting.pop(asked)
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)


def _named(error: Exception) -> Exception:
    if isinstance(error, ModuleNotFoundError):
        return ApiError(400, f"{error.name} is missing: {_INSTALL}.", code="extra_not_installed", param="model")
    if isinstance(error, OSError):
        return ApiError(400, f"The model's weights can't be loaded: {error}", code="model_not_loaded", param="model")
    return error


def _role(role: str) -> str:
    return "system" if role == "developer" else role
