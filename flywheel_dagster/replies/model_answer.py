"""What comes back from a chat model, online or in a batch: an analysis or the reason why there is none, and what was paid for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.model_prompt import NonsenseError, read_answer
from flywheel_dagster.replies.prices import Price

_CODE = re.compile(r"[a-z0-9_]{1,60}")
_NO_CREDIT = frozenset({"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"})


class Reason(StrEnum):
    """Why a model gave no usable answer."""

    REFUSAL = "refusal"  # the model declined, or a content filter did
    CUT_OFF = "cut_off"  # it ended at its token limit
    NONSENSE = "nonsense"  # not the JSON that was asked for, or parts that contradict each other
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    NO_CREDIT = "no_credit"
    SERVER_ERROR = "server_error"
    LOST_CONNECTION = "lost_connection"  # in the middle of a call, which may have been answered and paid for
    UNREACHABLE = "unreachable"  # no connection came about
    REFUSED_REQUEST = "refused_request"  # HTTP 400, 413 or 422 for this request
    EXPIRED = "expired"  # a batch ended before this request's turn
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Unanswered:
    """No answer: the reason, and a detail that never quotes the reply or the key."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason.value


@dataclass(frozen=True)
class Usage:
    """Tokens that were paid for; `cost_usd` is None when no price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)

    def __add__(self, other: "Usage") -> "Usage":
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            (self.cost_usd or Decimal(0)) + (other.cost_usd or Decimal(0)) if known else None,
        )


@dataclass(frozen=True)
class Answer:
    """One answer and its price. What came of the request is `analysis`."""

    analysis: ReplyAnalysis | Unanswered
    usage: Usage


def read_completion(body: Mapping[str, Any], *, asked: str, price: Price | None) -> Answer:
    """The answer in a chat completion object; `asked` names the model where the object doesn't say which one answered."""
    usage = read_usage(body, price)
    choice = _member(_first(body.get("choices")), {})
    message = _member(choice.get("message"), {})
    ended = choice.get("finish_reason")
    if message.get("refusal") or ended == "content_filter":
        return Answer(Unanswered(Reason.REFUSAL, "content filter" if ended == "content_filter" else ""), usage)
    if ended == "length":
        return Answer(Unanswered(Reason.CUT_OFF, f"after {usage.completion_tokens} tokens"), usage)
    content = message.get("content")
    if not isinstance(content, str):
        return Answer(Unanswered(Reason.NONSENSE, "the answer has no text"), usage)
    model = body.get("model")
    try:
        return Answer(read_answer(content, model=model if isinstance(model, str) and model else asked), usage)
    except NonsenseError as error:
        return Answer(Unanswered(Reason.NONSENSE, str(error)), usage)


def read_refusal(status: int, body: Any) -> Unanswered:
    """Why a chat request was answered with an HTTP error. Of the error's own text only its code is told: the rest may quote the reply."""
    error = _member(_member(body, {}).get("error"), _member(body, {}))
    code = error.get("code")
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    detail = f"HTTP {status}, {known}" if known else f"HTTP {status}"
    if known in _NO_CREDIT:
        return Unanswered(Reason.NO_CREDIT, detail)
    if known == "content_filter":
        return Unanswered(Reason.REFUSAL, detail)
    if status in (408, 409, 429):
        return Unanswered(Reason.RATE_LIMITED, detail)
    return Unanswered(Reason.SERVER_ERROR if status >= 500 else Reason.REFUSED_REQUEST, detail)


def read_usage(body: Mapping[str, Any], price: Price | None) -> Usage:
    """The tokens that a chat completion object says were used, and their price."""
    told = _member(body.get("usage"), {})
    read, written = (_count(told.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(read, written, None if price is None else price.cost_usd(read, written))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _member(value: Any, default: Mapping[str, Any]) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else default
