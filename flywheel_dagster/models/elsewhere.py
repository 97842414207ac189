"""What is told of models that were trained, or of outcomes that were measured, elsewhere: checked before anything is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from flywheel_dagster.errors import InputError

_MOST_INTEGER, _MOST_BIGINT, _MOST_USD = 2**31 - 1, 2**63 - 1, Decimal(10) ** 8
_MOST_REVENUE = Decimal(10) ** 14


@dataclass(frozen=True)
class TrainingStats:
    """What a model learnt from. Raises InputError for numbers that can't be."""

    training_examples_count: int = 0
    positive_examples: int = 0
    deals_in_training: int = 0
    trained_tokens: int | None = None
    training_cost_usd: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("training_examples_count", "positive_examples", "deals_in_training"):
            _require_count(name, getattr(self, name), _MOST_INTEGER)
        if self.trained_tokens is not None:
            _require_count("trained_tokens", self.trained_tokens, _MOST_BIGINT)
        if self.training_cost_usd is not None:
            _amount("training_cost_usd", self.training_cost_usd, _MOST_USD)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "TrainingStats":
        """From a mapping; what isn't known here is left out. `total_examples` is another name of `training_examples_count`."""
        known = dict(given)
        if "total_examples" in known:
            known.setdefault("training_examples_count", known["total_examples"])
        return cls(**{name: known[name] for name in cls.__dataclass_fields__ if known.get(name) is not None})


@dataclass(frozen=True)
class MeasuredTotals:
    """What the messages of a model led to, counted by messages, and the revenue. Raises InputError for totals that can't be."""

    messages_sent: int
    replies: int
    meetings_booked: int
    deals_closed: int
    revenue: Decimal | float = 0

    def __post_init__(self) -> None:
        _require_count("messages_sent", self.messages_sent, _MOST_INTEGER)
        for name in ("replies", "meetings_booked", "deals_closed"):
            _require_count(name, getattr(self, name), _MOST_INTEGER)
            if getattr(self, name) > self.messages_sent:
                raise InputError(
                    f"{name} is {getattr(self, name)}, more than the {self.messages_sent} messages sent; count the messages that led to one"
                )
        object.__setattr__(self, "revenue", _amount("revenue", self.revenue, _MOST_REVENUE))


def _require_count(name: str, given: Any, most: int) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= most:
        raise InputError(f"{name} is {given!r}; it is a whole number from 0 to {most}")


def _amount(name: str, given: Any, below: Decimal) -> Decimal:
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not 0 <= amount < below:
        raise InputError(f"{name} is {given!r}; it is an amount of at least 0 and below {below:,}")
    return amount
