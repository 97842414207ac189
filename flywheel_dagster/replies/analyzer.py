"""Reads replies one by one as they arrive, or many: by a language model where one is configured, by rules where it fails."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.model_answer import Usage

ReplyItem = str | Mapping[str, Any]


@dataclass
class Totals:
    """What an analyzer did since it was made: replies, calls of the model that were answered or failed, what they cost, and why rules stood in."""

    replies: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    fallbacks: Counter[str] = field(default_factory=Counter)


class SentimentAnalyzer:
    """Analyzes replies; use it with `async with`, or call `close`.

    Without arguments everything comes from the settings. Where these lead to the local development server, which is no language model,
    or with `offline`, rules answer alone; a `model` or `base_url` given here is asked in any case.
    """

    totals: Totals

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
        raise NotImplementedError

    async def analyze_reply(
        self, reply_text: str, original_message: str | None = None, context: Mapping[str, Any] | None = None
    ) -> ReplyAnalysis:
        """What a reply says. `context` may have "headers" of the mail. Raises InputError for an empty reply."""
        raise NotImplementedError

    async def analyze_batch(self, replies: Iterable[ReplyItem]) -> list[ReplyAnalysis]:
        """The analyses in the order of the replies: texts, or mappings with reply_text and maybe original_message and context.

        Raises InputError naming the position of the first bad item, before anything is asked.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connections to the model."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
