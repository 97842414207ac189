"""What comes back from a chat model, online or in a batch: an analysis or the reason why there is none, and what was paid for it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from flywheel_dagster.replies.analysis import ReplyAnalysis


class Reason(StrEnum):
    """Why a model gave no usable answer."""

    REFUSAL = "refusal"  # the model declined, or a content filter did
    CUT_OFF = "cut_off"  # it ended at its token limit
    NONSENSE = "nonsense"  # not the JSON that was asked for, or parts that contradict each other
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    NO_CREDIT = "no_credit"
    SERVER_ERROR = "server_error"
    LOST_CONNECTION = "lost_connection"
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
