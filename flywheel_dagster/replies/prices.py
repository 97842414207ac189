"""What chat models charge, as far as it was published. Prices are dated: look at the provider's page before you rely on them."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flywheel_dagster.errors import SettingsError

_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """USD for a million tokens, read and written."""

    input: Decimal
    output: Decimal

    @classmethod
    def free(cls) -> "Price":
        """Nothing, as the local development server charges."""
        return cls(Decimal(0), Decimal(0))

    def batch(self) -> "Price":
        """The Batch API's price: half."""
        return Price(self.input / 2, self.output / 2)

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """USD for so many tokens."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / _MILLION


# USD for a million tokens, input and output. gpt-6-luna: third-party report of October 2026; the others: OpenAI's price page in 2025.
CHAT_USD_PER_MILLION = {
    "gpt-6-luna": Price(Decimal("0.10"), Decimal("0.50")),
    "gpt-5-mini": Price(Decimal("0.25"), Decimal("2.00")),
    "gpt-4.1": Price(Decimal("2.00"), Decimal("8.00")),
    "gpt-4.1-mini": Price(Decimal("0.40"), Decimal("1.60")),
    "gpt-4o": Price(Decimal("2.50"), Decimal("10.00")),
    "gpt-4o-mini": Price(Decimal("0.15"), Decimal("0.60")),
}


def chat_price(model: str, *, override: str | None = None) -> Price | None:
    """The price of a model, dated snapshots included ("gpt-4o-2024-08-06"), or None if unknown; `override` is FLYWHEEL_REPLY_PRICE."""
    if override is not None:
        return read_price(override)
    undated = model[:-11] if model[-11:-10] == "-" and model[-10:].replace("-", "").isdigit() else model
    return CHAT_USD_PER_MILLION.get(model) or CHAT_USD_PER_MILLION.get(undated)


def read_price(text: str) -> Price:
    """A price written "input,output" in USD for a million tokens; raises SettingsError for anything else."""
    try:
        read, written = (Decimal(part.strip()) for part in text.split(","))
    except (ValueError, InvalidOperation) as error:
        raise SettingsError(
            'FLYWHEEL_REPLY_PRICE is not a price; write "0.10,0.50": USD for a million tokens read, and written'
        ) from error
    if not (read.is_finite() and written.is_finite() and read >= 0 and written >= 0):
        raise SettingsError("FLYWHEEL_REPLY_PRICE can't be negative or infinite; it is USD for a million tokens read, and written")
    return Price(read, written)
