"""What a training would cost, before anything is sent anywhere, and whether that is within the budget. The prices are in `prices.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal

from flywheel_dagster.errors import BudgetError
from flywheel_dagster.training.prices import Method, PriceList, price_list

_MILLION = 1_000_000
_CENT_OF_A_CENT = Decimal("0.0001")


@dataclass(frozen=True)
class Estimate:
    """What a training would cost: `tokens` are those billed, epochs included; the price is in USD for a million. None: no price is known."""

    trainer: str
    base_model: str
    tokens: int
    usd: Decimal | None
    usd_per_million: Decimal | None = None
    as_of: date | None = None
    source: str = ""
    note: str = ""


def estimate(
    trainer: str,
    base_model: str,
    tokens: int,
    epochs: int,
    *,
    validation_tokens: int = 0,
    evaluations: int = 1,
    method: Method = "supervised",
    full: bool = False,
    prices: PriceList | None = None,
) -> Estimate:
    """The cost of training `epochs` times on `tokens` (of the training file, repeated lines included).

    Tokens to validate with are billed by some (together.ai: times `evaluations`, once an epoch unless told), and free at others. `full` trains
    all weights instead of LoRA. Rounded up to a hundredth of a cent; tokens are o200k's, which other models' own come near to.
    """
    found = (prices or price_list()).find(trainer, base_model, method=method, full=full)
    billed = tokens * epochs
    if found is None:
        return Estimate(trainer, base_model, billed, None, note=f"no price is known for {base_model} at {trainer}")
    price, facts = found
    billed += validation_tokens * evaluations if facts.bills_validation else 0
    usd = max(price.usd_per_million * billed / _MILLION, price.minimum_usd).quantize(_CENT_OF_A_CENT, ROUND_UP)
    minimum = f"; at least {price.minimum_usd} USD a job" if price.minimum_usd else ""
    return Estimate(trainer, base_model, billed, usd, price.usd_per_million, facts.as_of, facts.source, facts.note + minimum)


def free(trainer: str, base_model: str, tokens: int, epochs: int, *, why: str) -> Estimate:
    """A training that nobody is paid for."""
    return Estimate(trainer, base_model, tokens * epochs, Decimal(0), Decimal(0), source=why, note="free")


# A base model of each trainer, to compare them by.
COMPARED = {
    "openai": "gpt-4.1-mini-2025-04-14",
    "together": "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
    "lora": "SmolLM2-135M-Instruct",
    "exemplars": "any chat model",
}


def estimates(
    tokens: int,
    epochs: int,
    *,
    base_models: Mapping[str, str] = COMPARED,
    validation_tokens: int = 0,
    method: Method = "supervised",
    prices: PriceList | None = None,
) -> list[Estimate]:
    """The same training at several trainers, each with the base model it would train, cheapest first and unknown prices last."""
    found = [
        estimate(
            trainer, model, tokens, epochs, validation_tokens=validation_tokens, evaluations=epochs, method=method, prices=prices
        )
        for trainer, model in base_models.items()
    ]
    return sorted(found, key=lambda e: (e.usd is None, e.usd or 0))


def require_within_budget(estimated: Estimate, budget_usd: Decimal | None) -> None:
    """Raise BudgetError when a training would cost more than the budget, or nobody knows what. Without a budget all may pass."""
    if budget_usd is None:
        return
    if estimated.usd is None:
        raise BudgetError(
            f"{estimated.note}, so the budget of {budget_usd} USD can't be kept; add the price to a file named by FLYWHEEL_PRICES, "
            "or unset FLYWHEEL_TRAINING_BUDGET_USD"
        )
    if estimated.usd > budget_usd:
        raise BudgetError(
            f"training {estimated.base_model} at {estimated.trainer} on {estimated.tokens:,} tokens would cost about {estimated.usd:,.2f} USD "
            f"({estimated.usd_per_million} a million as of {estimated.as_of}), more than the budget of {budget_usd} USD; nothing was sent. Raise "
            "FLYWHEEL_TRAINING_BUDGET_USD, or lower FLYWHEEL_MAX_EXAMPLES or FLYWHEEL_EPOCHS"
        )
