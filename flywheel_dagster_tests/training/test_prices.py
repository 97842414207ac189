"""The price list: what it knows, how a model is found in it, and how a user's own prices come before it."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.training.prices import billions, openai_training_cost, price_list

OWN = """
price = [
  { trainer = "openai", model = "gpt-4o-2024-08-06", usd_per_million = 12.5 },
  { trainer = "together", up_to_billions = 20, usd_per_million = 0.33, minimum_usd = 4 },
]

[trainer.openai]
as_of = 2026-11-02
source = "our contract"

[trainer.together]
as_of = 2026-11-03
source = "our contract"
bills_validation = true
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(OWN)
    return path


@pytest.mark.parametrize(
    ("trainer", "model", "method", "full", "usd"),
    [
        ("openai", "gpt-4o-2024-08-06", "supervised", False, "25"),
        ("openai", "gpt-4o-mini-2024-07-18", "supervised", False, "3"),
        ("openai", "gpt-4o-mini", "supervised", False, "3"),
        ("openai", "gpt-4.1-nano-2025-04-14", "dpo", False, "1.5"),
        ("openai", "ft:gpt-4.1-mini-2025-04-14:acme:flywheel:Abc123", "supervised", False, "5"),
        ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "supervised", False, "0.48"),
        ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "supervised", True, "0.54"),
        ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference", "dpo", False, "1.2"),
        ("together", "mistralai/Mixtral-8x7B-Instruct-v0.1", "supervised", False, "1.5"),
        ("together", "Qwen/Qwen3-30B-A3B", "supervised", False, "1.5"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Reference", "dpo", True, "8"),
        ("together", "meta-llama/Llama-4-Maverick-17B-128E-Instruct", "supervised", False, "8"),
        ("together", "openai/gpt-oss-120b", "dpo", False, "12.5"),
        ("together", "openai/gpt-oss-20b", "supervised", False, "1.5"),
        ("lora", "HuggingFaceTB/SmolLM2-135M-Instruct", "supervised", False, "0"),
        ("exemplars", "gpt-6-luna", "supervised", False, "0"),
    ],
)
def test_a_published_price_is_known(trainer: str, model: str, method: str, full: bool, usd: str) -> None:
    found = price_list().find(trainer, model, method=method, full=full)  # type: ignore[arg-type]
    assert found is not None
    assert found[0].usd_per_million == Decimal(usd)
    assert found[1].as_of >= date(2026, 2, 13)
    assert found[1].source


@pytest.mark.parametrize(
    ("trainer", "model"),
    [("openai", "gpt-9"), ("openai", "gpt-4o-2024-05-13"), ("together", "Foo-405B"), ("together", "no-size"), ("azure", "gpt-4o")],
)
def test_what_nobody_published_is_unknown(trainer: str, model: str) -> None:
    assert price_list().find(trainer, model) is None


@pytest.mark.parametrize(
    ("model", "size"),
    [("Meta-Llama-3.1-8B-Instruct", 8), ("Mixtral-8x22B", 176), ("Qwen2.5-0.5B", Decimal("0.5")), ("gemma-2b-it", 2), ("v2b2", None), ("8Bit", None)],
)  # fmt: skip
def test_the_size_of_a_model_is_read_from_its_name(model: str, size: Decimal | None) -> None:
    assert billions(model) == size


def test_own_prices_come_first_and_the_built_in_ones_behind(own: Path) -> None:
    prices = price_list(own)
    ours = prices.find("openai", "gpt-4o")
    assert ours is not None
    assert (ours[0].usd_per_million, ours[1].source, ours[1].as_of) == (Decimal("12.5"), "our contract", date(2026, 11, 2))
    for model, usd in (("Llama-3.1-8B", "0.33"), ("Llama-3.3-70B", "2.9")):
        found = prices.find("together", model)
        assert found is not None
        assert found[0].usd_per_million == Decimal(usd)
    mini = prices.find("openai", "gpt-4o-mini")
    assert mini is not None
    assert "openai.com" in mini[1].source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price = [\n  { trainer = }\n]", "(at line 2, column 15)"),
        ('price = [{ trainer = "openai" }]', "price 1: Object missing required field `usd_per_million`"),
        (OWN.replace("usd_per_million = 0.33", "usd = 0.33"), "price 2: Object contains unknown field `usd`"),
        (OWN.replace("12.5", '"dear"'), "price 1 usd_per_million: Invalid decimal string"),
        (OWN.replace("12.5", "-1"), "price 1 usd_per_million: USD can't be negative"),
        (OWN.replace("minimum_usd = 4", "minimum_usd = nan"), "price 2 minimum_usd: USD can't be negative or infinite"),
        (OWN.replace("up_to_billions = 20", 'method = "rlhf"'), "price 2 method: Invalid enum value"),
        (OWN.replace("as_of = 2026-11-02\n", ""), "trainer[...]: Object missing required field `as_of`"),
        (OWN.replace("as_of = 2026-11-02", 'as_of = "lately"'), "trainer[...].as_of: Invalid RFC3339"),
        (OWN.replace("[trainer.openai]", "[trainer.other]"), "price 1 trainer: [trainer.openai] with as_of and source is missing"),
        (OWN.replace("up_to_billions = 20", 'up_to_billions = 20, model = "x"'), "price 2 model: model and up_to_billions exclude"),
        ("fallback = {}", "unknown field `fallback`"),
        ("prices = []", "unknown field `prices`"),
    ],
)
def test_a_wrong_file_is_named_with_the_place_and_what_to_do(own: Path, text: str, said: str) -> None:
    own.write_text(text)
    with pytest.raises(SettingsError) as refused:
        price_list(own)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"FLYWHEEL_PRICES: {own}")
    assert "correct it there" in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path, own: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml can't be read \(No such file or directory\); name a file, or unset it"):
        price_list(tmp_path / "nowhere.toml")
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not TOML"):
        price_list(own)


def test_what_was_trained_costs_the_listed_price_or_the_own_one(own: Path) -> None:
    assert openai_training_cost("gpt-4o-2024-08-06", 4480) == 0.112
    assert openai_training_cost("gpt-4o-2024-08-06", 4480, price_list(own)) == 0.056
    assert openai_training_cost("unheard-of", 4480) is None
