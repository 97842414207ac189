"""The budget stands before the provider: what is too dear is neither uploaded nor bought, and what was bought is never blocked."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import BudgetError
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chosen_trainer
from flywheel_dagster.training.jobs import TrainedModel
from flywheel_dagster.training.prices import price_list
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainers.openai import OpenAITrainer
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import KEY, Time, trainer_at

CREATE, UPLOAD = "POST /v1/fine_tuning/jobs", "POST /v1/files"
Training = Callable[..., TrainedModel]


@pytest.fixture
def paid(provider: Served) -> OpenAITrainer:
    """A trainer that takes the server for OpenAI, three USD a million."""
    return trainer_at(provider, local=False)


@pytest.fixture
def trained(connection: psycopg.Connection[TupleRow], paid: OpenAITrainer, dataset: Dataset) -> Training:
    def run(**options: Any) -> TrainedModel:
        return train(connection, paid, dataset, **({"suffix": "tests", "patience": Time().patience()} | options))

    return run


def calls(provider: Served) -> tuple[int, int]:
    counted = provider.count_calls()["calls"]
    return counted.get(UPLOAD, 0), counted.get(CREATE, 0)


def test_over_the_budget_nothing_is_uploaded_and_nothing_bought(trained: Training, provider: Served, dataset: Dataset) -> None:
    before = calls(provider)
    cost = Decimal(3) * dataset.train_tokens / 1_000_000
    with pytest.raises(BudgetError, match="more than the budget"):
        trained(budget_usd=cost - Decimal("0.001"))
    assert calls(provider) == before
    assert trained(budget_usd=cost + Decimal("0.001")).model_id
    assert calls(provider) == (before[0] + 2, before[1] + 1)


def test_without_a_known_price_a_budget_stops_and_a_price_of_ones_own_lets_go_on(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset, tmp_path: Path
) -> None:
    base = "gpt-4.1-mini-2025-04-14"
    own = tmp_path / "prices.toml"
    own.write_text(
        f'price = [{{ trainer = "openai", model = "{base}", usd_per_million = 1 }}]\n[trainer.openai]\nas_of = 2026-11-01\nsource = "us"'
    )
    before = calls(provider)
    unpriced = trainer_at(provider, local=False, base_model="gpt-4o-unheard-of")
    with pytest.raises(BudgetError, match="FLYWHEEL_PRICES"):
        train(connection, unpriced, dataset, suffix="tests", patience=Time().patience(), budget_usd=Decimal(10**6))
    assert calls(provider) == before
    priced = trainer_at(provider, local=False, base_model=base, prices=price_list(own))
    model = train(connection, priced, dataset, suffix="tests", patience=Time().patience(), budget_usd=Decimal(1))
    assert model.trained_tokens is not None
    assert model.cost_usd == round(Decimal(model.trained_tokens) / 1_000_000, 4)


def test_a_job_that_was_bought_is_waited_for_whatever_the_budget_is_now(trained: Training, provider: Served) -> None:
    first = trained()
    before = provider.count_calls()
    assert trained(budget_usd=Decimal(0)) == first
    assert provider.count_calls() == before


def test_a_job_whose_purchase_was_not_recorded_is_found_again_whatever_the_budget_is_now(
    trained: Training, provider: Served, connection: psycopg.Connection[TupleRow]
) -> None:
    first = trained()
    connection.execute(
        "update fine_tuning_jobs set status = 'planned', provider_job_id = null, model_id = null, training_file_id = null"
    )
    connection.commit()
    before = calls(provider)
    assert trained(budget_usd=Decimal(0)).job_id == first.job_id
    assert calls(provider) == before


def test_the_local_server_is_within_any_budget(
    connection: psycopg.Connection[TupleRow], provider: Served, dataset: Dataset
) -> None:
    assert (
        train(connection, trainer_at(provider), dataset, suffix="tests", patience=Time().patience(), budget_usd=Decimal(0)).cost_usd
        == 0
    )


def test_the_settings_lead_to_the_prices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        'price = [{ trainer = "openai", model = "m", usd_per_million = 7 }]\n[trainer.openai]\nas_of = 2026-11-01\nsource = "us"'
    )
    monkeypatch.setenv("FLYWHEEL_PRICES", str(own))
    monkeypatch.setenv("FLYWHEEL_TRAINING_BUDGET_USD", "12.50")
    settings = Settings(OPENAI_API_KEY=KEY, FLYWHEEL_BASE_MODEL="m")
    assert settings.training_budget_usd == Decimal("12.50")
    assert chosen_trainer(settings).estimate(1_000_000).usd == 7 * settings.epochs
