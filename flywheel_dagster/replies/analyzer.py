"""Reads replies one by one as they arrive, or many: by a language model where one is configured, by rules where it fails."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.automatic import is_automatic, wants_unsubscribe
from flywheel_dagster.replies.choice import ChatModel, chosen_model
from flywheel_dagster.replies.fallback import judge_offline
from flywheel_dagster.replies.model_answer import Unanswered, Usage
from flywheel_dagster.replies.own_words import OwnWords, own_words
from flywheel_dagster.settings import load_settings

if TYPE_CHECKING:
    from flywheel_dagster.replies.model_client import ModelClient

ReplyItem = str | Mapping[str, Any]


@dataclass
class Totals:
    """What an analyzer did since it was made: replies analyzed, calls sent to the model, what was paid, and why rules stood in how often."""

    replies: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    fallbacks: Counter[str] = field(default_factory=Counter)


class _Asked(NamedTuple):
    """A reply that can be asked about."""

    words: OwnWords
    original_message: str | None
    context: Mapping[str, Any] | None
    automatic: bool
    unsubscribe: bool


class SentimentAnalyzer:
    """Analyzes replies; use it with `async with`, or call `close`. Belongs to the event loop that first uses it.

    Without arguments everything comes from the settings. Where these lead to the local development server, which is no language model,
    or with `offline`, rules answer alone; a `model`, `base_url` or key given here is asked in any case. `timeout` is in seconds, for one
    answer; `concurrency` is the most replies that are asked about at a time.
    """

    def __init__(
        self,
        openai_api_key: str | None = None,
        *,
        base_url: str | None = None,
        model: str | None = None,
        offline: bool = False,
        timeout: float | None = None,
        concurrency: int | None = None,
    ) -> None:
        settings = load_settings()
        self._concurrency = concurrency or settings.reply_concurrency
        self._totals = Totals()
        chosen = None if offline else chosen_model(settings, openai_api_key=openai_api_key, base_url=base_url, model=model)
        self._client = _client(chosen, timeout=timeout or settings.reply_timeout, concurrency=self._concurrency) if chosen else None

    @property
    def totals(self) -> Totals:
        """What was done so far."""
        self._totals.calls = self._client.calls if self._client else 0
        return self._totals

    async def analyze_reply(
        self, reply_text: str, original_message: str | None = None, context: Mapping[str, Any] | None = None
    ) -> ReplyAnalysis:
        """What a reply says.

        `context` may have "headers", those of the mail: a machine's answer that they tell is decided without the model, which sees none of
        them. Other plain values of the context are shown to the model. Where the model gives no usable answer, rules answer and
        `fallback_reason` says why. Raises InputError for an empty reply, PermanentModelError for a wrong key or an unknown model.
        """
        return await self._analyze(_read_item({"reply_text": reply_text, "original_message": original_message, "context": context}))

    async def analyze_batch(self, replies: Iterable[ReplyItem]) -> list[ReplyAnalysis]:
        """The analyses in the order of the replies: texts, or mappings with reply_text and maybe original_message and context.

        Raises InputError naming the position (from 1) of the first bad item, before anything is asked.
        """
        asked = []
        for position, item in enumerate(replies, start=1):
            try:
                asked.append(_read_item(item))
            except InputError as error:
                raise InputError(f"reply {position}: {error}") from error
            await asyncio.sleep(0)  # others of this event loop have their turn
        found: list[ReplyAnalysis | None] = [None] * len(asked)
        waiting = iter(enumerate(asked))
        workers = [asyncio.ensure_future(self._work(waiting, found)) for _ in range(min(self._concurrency, len(asked)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return [analysis for analysis in found if analysis is not None]

    async def close(self) -> None:
        """Close the connections to the model."""
        if self._client:
            await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _work(self, waiting: Iterator[tuple[int, _Asked]], found: list[ReplyAnalysis | None]) -> None:
        for place, asked in waiting:
            found[place] = await self._analyze(asked)
            await asyncio.sleep(0)

    async def _analyze(self, asked: _Asked) -> ReplyAnalysis:
        reason = None
        if self._client and not (asked.automatic or asked.unsubscribe):
            answer = await self._client.ask(asked.words, asked.original_message, asked.context)
            self._totals.usage += answer.usage
            if not isinstance(answer.analysis, Unanswered):
                self._totals.replies += 1
                return answer.analysis
            reason = answer.analysis
            self._totals.fallbacks[reason.reason.value] += 1
        self._totals.replies += 1
        analysis = judge_offline(asked.words, automatic=asked.automatic, unsubscribe=asked.unsubscribe)
        if reason is not None:
            analysis["fallback_reason"] = str(reason)
        return analysis


def _client(model: ChatModel, *, timeout: float, concurrency: int) -> "ModelClient":
    from flywheel_dagster.replies.model_client import ModelClient  # the official client takes most of a second to import

    return ModelClient(model, timeout=timeout, concurrency=concurrency)


def _read_item(item: ReplyItem) -> _Asked:
    """Raises InputError for what can't be read as a reply."""
    if isinstance(item, str):
        item = {"reply_text": item}
    if not isinstance(item, Mapping):
        raise InputError(f"a reply is a text, or a mapping with reply_text, not {type(item).__name__}")
    text, original, context = item.get("reply_text"), item.get("original_message"), item.get("context")
    if not isinstance(text, str):
        raise InputError("reply_text is missing or no text; give what the lead wrote")
    if not isinstance(original, str | None):
        raise InputError("original_message is no text; give the message that was answered, or leave it out")
    if not isinstance(context, Mapping | None):
        raise InputError('context is no mapping; give facts by name, such as {"company": "Acme"}, or leave it out')
    headers = (context or {}).get("headers") or {}
    if not isinstance(headers, Mapping):
        raise InputError("context.headers is no mapping; give the mail's headers by name, or leave them out")
    known = {str(name).lower(): str(value) for name, value in headers.items()}
    return _Asked(own_words(text), original, context, is_automatic(known), wants_unsubscribe(known))
