"""Asks a chat model about one reply at a time, over any OpenAI-compatible address: concurrency limit, timeout, and bounded retries."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
import openai
import orjson

from flywheel_dagster.errors import PermanentModelError
from flywheel_dagster.http_errors import retry_after
from flywheel_dagster.openai_errors import checked_key
from flywheel_dagster.replies.choice import REMEDIES, ChatModel
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered, Usage, read_completion, read_refusal
from flywheel_dagster.replies.model_prompt import chat_request
from flywheel_dagster.replies.own_words import OwnWords

_ATTEMPTS = 4
_LONGEST_WAIT = 60.0  # seconds between two attempts; who wants more patience than that gets no further call
_RETRIED = frozenset({Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.UNREACHABLE})


class ModelClient:
    """One model, asked by as many calls at a time as `concurrency` allows. Belongs to the event loop that first uses it.

    `calls` counts the requests that were sent, the repeated ones too.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        timeout: float,
        concurrency: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.calls = 0
        self._model, self._timeout, self._sleep = model, timeout, sleep
        self._key = checked_key(model.api_key)
        self._turns = asyncio.Semaphore(concurrency)
        self._client = openai.AsyncOpenAI(api_key=self._key, base_url=model.base_url, max_retries=0, timeout=timeout)

    async def ask(self, words: OwnWords, original_message: str | None = None, context: Mapping[str, Any] | None = None) -> Answer:
        """The model's answer, or why there is none once it was asked often enough.

        429, 5xx and connections that don't come about are tried again, after the time that Retry-After names. A call whose answer is lost, or
        takes more than `timeout` seconds, may be paid for already and is not made again. Raises PermanentModelError where no reply would be answered: a wrong key, an unknown model.
        """
        request = chat_request(words, original_message, context, model=self._model.name)
        async with self._turns:
            for attempt in range(1, _ATTEMPTS + 1):
                answer, wait = await self._try(request)
                reason = answer.analysis.reason if isinstance(answer.analysis, Unanswered) else None
                wait = _backoff(attempt) if wait is None else wait
                if reason not in _RETRIED or attempt == _ATTEMPTS or wait > _LONGEST_WAIT:
                    break
                await self._sleep(wait)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _try(self, request: Mapping[str, Any]) -> tuple[Answer, float | None]:
        """One call: its answer, and how long the server asked to be left alone."""
        self.calls += 1
        # What stands in extra_body is sent as it is; of other arguments the client examines every part, which takes a third of its time.
        given = {name: request[name] for name in ("model", "messages")}
        rest = {name: value for name, value in request.items() if name not in given}
        try:
            async with asyncio.timeout(self._timeout):
                answered = await self._client.chat.completions.with_raw_response.create(**given, extra_body=rest)
        except (TimeoutError, openai.APITimeoutError):
            return _unanswered(Reason.TIMEOUT, f"no answer within {self._timeout:g} s"), None
        except openai.APIConnectionError as error:
            unsent = isinstance(error.__cause__, httpx2.ConnectError)
            return _unanswered(Reason.UNREACHABLE if unsent else Reason.LOST_CONNECTION), None
        except openai.APIStatusError as error:
            refused = read_refusal(error.status_code, error.body)
            if error.status_code in (401, 403, 404):  # the server's own words, and with them the cause, may quote key and reply
                remedy = REMEDIES.get(error.code or "", "look at OPENAI_API_KEY, OPENAI_BASE_URL and FLYWHEEL_REPLY_MODEL")
                raise PermanentModelError(f"the model can't be asked ({refused.detail}); {remedy}") from None
            return Answer(refused, Usage()), retry_after(error.response.headers)
        try:
            body = orjson.loads(answered.content)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return _unanswered(Reason.NONSENSE, "the server's answer is not a JSON object"), None
        return read_completion(body, asked=self._model.name, price=self._model.price), None


def _unanswered(reason: Reason, detail: str = "") -> Answer:
    return Answer(Unanswered(reason, detail), Usage())


def _backoff(attempt: int) -> float:
    """Half a second, doubled for each attempt, less up to a quarter by chance so that many callers don't come back at once."""
    return 0.5 * 2.0 ** (attempt - 1) * random.uniform(0.75, 1)  # noqa: S311  no secret
