"""What asking costs: by the dated list, by a file of one's own, and None where nobody knows."""

from decimal import Decimal
from pathlib import Path

import pytest

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.models.routing.prices import InferencePrices
from flywheel_dagster.replies.prices import Price

OWN = """
price = [{ trainer = "together", model = "acme/*", input = 1, output = 2.5 }, { trainer = "openai", model = "ft:gpt-4o-2024*", input = 1, output = 1 }]
[trainer.together]
as_of = 2026-11-01
source = "our contract"
[trainer.openai]
as_of = 2026-11-01
source = "our contract"
"""


@pytest.mark.parametrize(
    ("trainer", "model_id", "usd"),
    [
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme:flywheel:x", "1.50"),
        ("openai", "ft:gpt-4o-2024-08-06:acme:flywheel:x", "18.75"),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme::x", "4.00"),
        ("openai", "gpt-4o-2024-08-06", "12.50"),
        ("openai", "gpt-99", None),
        ("together", "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", "1.76"),
        ("together", "acme/Meta-Llama-3.1-8B-Instruct-Reference-flywheel-1a2b", None),
        ("lora", "acme-v1", "0"),
        ("somebody", "gpt-4o", None),
    ],
)
def test_a_model_costs_what_its_line_says(trainer: str, model_id: str, usd: str | None) -> None:
    found = InferencePrices().cost_usd(Target(model_id, trainer), 1_000_000, 1_000_000)
    assert found == (None if usd is None else Decimal(usd))


def test_exemplars_cost_what_their_base_does_and_local_models_nothing() -> None:
    exemplars = Target("flywheel-v1", "exemplars", base_model="gpt-6-luna")
    assert InferencePrices().cost_usd(exemplars, 1_000_000, 0) == Decimal("0.10")
    assert InferencePrices().find(Target("flywheel-v1", "exemplars")) is None
    assert InferencePrices(free={"openai"}).find(Target("gpt-99", "openai")) == Price.free()


def test_a_file_of_ones_own_is_asked_first(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(OWN)
    prices = InferencePrices(own)
    assert prices.find(Target("acme/llama", "together")) == Price(Decimal(1), Decimal("2.5"))
    assert prices.find(Target("ft:gpt-4o-2024-08-06:a::b", "openai")) == Price(Decimal(1), Decimal(1))
    assert prices.find(Target("ft:gpt-4o-mini-2024-07-18:a::b", "openai")) == Price(Decimal("0.3"), Decimal("1.2"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price = [", "can't be used"),
        ('price = [{ trainer = "x", model = "*", input = 1, output = 1 }]', r"\[trainer.x\] with as_of and source is missing"),
        (OWN.replace("output = 2.5", "output = -1"), "price 1: USD can't be negative"),
        (OWN.replace("output = 2.5", "output = inf"), "price 1: USD can't be negative or infinite"),
        (OWN.replace("output = 2.5", "wrote = 1"), "wrote"),
    ],
)
def test_a_file_that_can_not_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)
    with pytest.raises(SettingsError, match=said):
        InferencePrices(own)
    with pytest.raises(SettingsError, match="can't be read"):
        InferencePrices(tmp_path / "none.toml")
