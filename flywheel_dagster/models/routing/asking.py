"""Asking one model for a message within a time limit, again where that may help. Who is asked instead is the router's affair."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from flywheel_dagster.errors import FlywheelError, ModelError, TransientError, UnansweredModelError
from flywheel_dagster.models.chat import Answer, Messages
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.prices import InferencePrices
from flywheel_dagster.models.routing.providers import Chats
from flywheel_dagster.models.routing.requests import ErrorKind
from flywheel_dagster.patience import Patience

_PAUSES = Patience()


@dataclass(frozen=True)
class Limits:
    """How long one model is asked: `timeout` is of one try, `limit` of all its `tries` and the pauses between them; in seconds."""

    timeout: float = 30
    tries: int = 3
    limit: float = 60


@dataclass(frozen=True)
class Question:
    """A request for a message. `channel` and `language` (ISO 639-1) where the caller tells them; the messages may, too."""

    messages: Messages
    organization_id: str
    campaign_id: str
    unit: str
    channel: str | None = None
    language: str | None = None
    max_tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Asked:
    """What came of asking a model. `error` None: it wrote a message. Latency as in `ModelRequest`; `cost_usd` None: nobody knows."""

    target: Target
    asked_at: datetime
    latency_ms: float
    tries: int
    answer: Answer | None
    error: ErrorKind | None
    why: str = ""
    transient: bool = False
    cost_usd: Decimal | None = None


@dataclass(frozen=True)
class Asker:
    """Asks models. `sleep` (seconds) and `clock` (monotonic) are injectable."""

    chats: Chats
    prices: InferencePrices
    limits: Limits = Limits()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    async def ask(self, target: Target, question: Question) -> Asked:
        """The answer, or why there is none; it raises nothing that a provider or the settings are to blame for.

        What may pass by itself is tried again after a pause (1, 2 … seconds, or what the provider asks for), as long as the limit leaves time for it.
        A model that refuses, or writes nothing, isn't asked again. The Chat should not repeat calls itself: what it does can't be counted here.
        """
        asked_at, began = datetime.now(UTC), self.clock()
        for tries in range(1, self.limits.tries + 1):
            left = began + self.limits.limit - self.clock()
            seconds = min(self.limits.timeout, left)
            failure: FlywheelError
            try:
                async with asyncio.timeout(seconds), self.chats.of(target.trainer, target.model_id) as chat:
                    answer = await chat.answer(question.messages, max_tokens=question.max_tokens, seed=question.seed)
                return self._answered(target, answer, asked_at, self._milliseconds(began), tries)
            except TimeoutError:
                failure, kind = UnansweredModelError(f"no answer within {seconds:.0f} s"), ErrorKind.TIMEOUT
            except FlywheelError as error:
                failure, kind = error, _kind(error)
            pause, left = _PAUSES.pause(tries, failure), began + self.limits.limit - self.clock()
            if not isinstance(failure, TransientError) or tries == self.limits.tries or pause >= left:
                break
            await self.sleep(pause)
        passing = isinstance(failure, TransientError)
        return Asked(target, asked_at, self._milliseconds(began), tries, None, kind, str(failure), passing)

    def _answered(self, target: Target, answer: Answer, asked_at: datetime, latency_ms: float, tries: int) -> Asked:
        wrote = bool(answer.text.strip())
        return Asked(
            target,
            asked_at,
            latency_ms,
            tries,
            answer,
            error=None if wrote else ErrorKind.REFUSED,
            why="" if wrote else f"it wrote nothing (finish reason: {answer.finish_reason})",
            cost_usd=self.prices.cost_usd(target, answer.prompt_tokens, answer.completion_tokens),
        )

    def _milliseconds(self, began: float) -> float:
        return (self.clock() - began) * 1_000


def _kind(error: FlywheelError) -> ErrorKind:
    match error:
        case UnansweredModelError():
            return ErrorKind.UNANSWERED
        case TransientError():
            return ErrorKind.TRANSIENT
        case ModelError():
            return ErrorKind.PERMANENT
    return ErrorKind.UNAVAILABLE
