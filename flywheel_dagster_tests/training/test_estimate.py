"""What a training would cost, and what a budget lets through."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.errors import BudgetError, InputError
from flywheel_dagster.training.estimate import estimate, estimates, free, require_within_budget

LLAMA = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"


def test_openai_bills_the_tokens_of_the_file_times_epochs_and_no_validation() -> None:
    found = estimate("openai", "gpt-4o-2024-08-06", 448, 10, validation_tokens=1_000_000)
    assert (found.tokens, found.usd, found.usd_per_million) == (4480, Decimal("0.1120"), 25)
    assert found.as_of == date(2026, 4, 29)
    assert "openai.com" in found.source


def test_together_bills_what_is_validated_with_as_often_as_it_is() -> None:
    found = estimate("together", LLAMA, 1_000_000, 3, validation_tokens=100_000, evaluations=5)
    assert (found.tokens, found.usd) == (3_500_000, Decimal("1.6800"))
    assert estimate("together", LLAMA, 1_000_000, 3, full=True, method="dpo").usd == Decimal("4.0500")


def test_a_job_costs_at_least_the_minimum() -> None:
    found = estimate("together", "openai/gpt-oss-120b", 1_000, 1)
    assert found.usd == 6
    assert found.note.endswith("at least 6.00 USD a job")
    assert estimate("together", "openai/gpt-oss-120b", 2_000_000, 1).usd == 10


def test_what_runs_here_is_free_and_an_unknown_price_is_said_so() -> None:
    assert estimate("lora", "SmolLM2-135M", 10**9, 50).usd == 0
    assert estimate("exemplars", "any", 10**9, 1).usd == 0
    assert free("openai", "m", 10, 3, why="the local server").usd == 0
    unknown = estimate("openai", "gpt-9", 100, 2)
    assert (unknown.usd, unknown.as_of, unknown.note) == (None, None, "no price is known for gpt-9 at openai")


def test_trainers_are_compared_cheapest_first_and_unknown_ones_last() -> None:
    found = estimates(1_000_000, 3, validation_tokens=100_000)
    assert {one.trainer for one in found} == {"openai", "together", "lora", "exemplars"}
    assert [one.usd for one in found] == [0, 0, Decimal("1.5840"), 15]
    assert estimates(1, 1, base_models={"openai": "gpt-9", "together": LLAMA})[-1].usd is None


@given(st.integers(0, 10**12), st.integers(1, 50), st.sampled_from(["gpt-4o", "gpt-4o-mini", "gpt-4.1-nano"]))
def test_an_estimate_is_never_below_the_price_and_at_most_a_cent_above(tokens: int, epochs: int, model: str) -> None:
    found = estimate("openai", model, tokens, epochs)
    assert found.usd is not None
    assert found.usd_per_million is not None
    assert 0 <= found.usd - found.usd_per_million * tokens * epochs / 10**6 < Decimal("0.01")


def test_a_budget_lets_through_what_costs_as_much_and_nothing_dearer() -> None:
    costs_75 = estimate("openai", "gpt-4o-2024-08-06", 1_000_000, 3)
    require_within_budget(costs_75, None)
    require_within_budget(costs_75, Decimal(75))
    with pytest.raises(BudgetError, match=r"75\.00 USD \(25\.00 a million as of 2026-04-29\), more than the budget of 74\.99 USD; nothing was sent") as refused:  # fmt: skip
        require_within_budget(costs_75, Decimal("74.99"))
    assert "FLYWHEEL_TRAINING_BUDGET_USD" in str(refused.value)
    assert isinstance(refused.value, InputError)


def test_a_budget_stops_what_nobody_knows_the_price_of() -> None:
    unknown = estimate("openai", "gpt-9", 1, 1)
    require_within_budget(unknown, None)
    with pytest.raises(
        BudgetError, match=r"no price is known for gpt-9 at openai.*add the price to a file named by FLYWHEEL_PRICES"
    ):
        require_within_budget(unknown, Decimal(10**9))


def test_a_budget_of_nothing_lets_free_training_through() -> None:
    require_within_budget(estimate("lora", "m", 10**6, 3), Decimal(0))
    with pytest.raises(BudgetError):
        require_within_budget(estimate("openai", "gpt-4o-mini", 1, 1), Decimal(0))
