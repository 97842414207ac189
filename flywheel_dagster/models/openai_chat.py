"""Asking a model over OpenAI's chat API, which most servers of models speak. The client takes a second to import, so that only askers do."""

import time
from dataclasses import replace
from typing import Any, Literal

import openai
from openai.types.chat import ChatCompletion

from flywheel_dagster.errors import PermanentModelError, TransientModelError, UnansweredModelError
from flywheel_dagster.http_errors import Failures
from flywheel_dagster.models.chat import RETRIES, Answer, Messages
from flywheel_dagster.openai_errors import checked_key, classified

_FILTERED = "content_filter"
_REMEDIES = {
    "invalid_api_key": "the key was refused; set a valid one",
    "model_not_found": "the address doesn't offer this model: it was deleted or switched off there, or another account trained it",
    "model_not_available": "the address doesn't run this model now: at together.ai, start a dedicated endpoint for it",
    "DeploymentNotFound": "no deployment of this name stands at Azure: it was deleted, or the address is another resource's",
    "dedicated_endpoint_not_running": "its endpoint has stopped; start it at the provider",
    "insufficient_quota": "the account has no credit left; add some",
    "credit_balance_exhausted": "the account has no credit left; add some",
}
_FAILURES = Failures(PermanentModelError, TransientModelError, UnansweredModelError, _REMEDIES)


class OpenAIChat:
    """A model at an address that speaks OpenAI's chat API; `base_url` None is OpenAI's own. Asking is safe to repeat, so the client does.

    `provider` is whom errors name, `token_limit` the parameter that bounds an answer there.
    """

    def __init__(
        self,
        name: str,
        *,
        api_key: str,
        base_url: str | None = None,
        timeout: float = 60,
        retries: int = RETRIES,
        provider: str = "OpenAI",
        token_limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",  # noqa: S107  no secret
    ) -> None:
        self.name, self._api_key, self._token_limit = name, checked_key(api_key), token_limit
        self._failures = replace(_FAILURES, provider=provider)
        self._client = openai.AsyncOpenAI(api_key=self._api_key, base_url=base_url, timeout=timeout, max_retries=retries)

    async def answer(self, messages: Messages, *, max_tokens: int | None = None, seed: int | None = None) -> Answer:
        """POST /chat/completions. A request that a content filter stopped (Azure: HTTP 400) is a refusal like any other."""
        began = time.monotonic()
        limit: dict[str, Any] = {self._token_limit: max_tokens} if max_tokens is not None else {}
        with classified(f"asking {self.name}", api_key=self._api_key, failures=self._failures):
            try:
                said: ChatCompletion = await self._client.chat.completions.create(
                    model=self.name,
                    messages=[dict(message) for message in messages],  # type: ignore[misc]  # their union of roles
                    seed=seed if seed is not None else openai.omit,
                    **limit,
                )
            except openai.BadRequestError as error:
                if error.code != _FILTERED:
                    raise
                return Answer("", "stopped by the content filter", _FILTERED, 0, 0, time.monotonic() - began)
        if not said.choices:
            raise PermanentModelError(
                f"asking {self.name} failed: the answer has no choices; ask a server that speaks OpenAI's chat API"
            )
        choice, usage = said.choices[0], said.usage
        return Answer(
            text=choice.message.content or "",
            refusal=choice.message.refusal,
            finish_reason=choice.finish_reason or "stop",  # null at some servers
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            seconds=time.monotonic() - began,
        )

    async def close(self) -> None:
        """Give its connections back."""
        await self._client.close()
