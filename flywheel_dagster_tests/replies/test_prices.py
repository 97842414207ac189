"""What a chat model costs, by table or by setting."""

from decimal import Decimal

import pytest

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.model_answer import Usage
from flywheel_dagster.replies.prices import Price, chat_price, read_price


def test_a_million_tokens_cost_what_the_table_says_and_a_batch_half() -> None:
    price = chat_price("gpt-6-luna")
    assert price is not None
    assert price.cost_usd(1_000_000, 1_000_000) == Decimal("0.60")
    assert price.batch().cost_usd(1_000_000, 1_000_000) == Decimal("0.30")
    assert price.cost_usd(669, 92) == Decimal("0.0001129")


def test_a_dated_snapshot_costs_what_its_model_costs_and_an_unknown_model_has_no_price() -> None:
    assert chat_price("gpt-4o-2024-08-06") == chat_price("gpt-4o")
    assert chat_price("gpt-4o-2024-08-06") is not None
    assert [chat_price(name) for name in ("llama", "", "gpt-4o-2024", "gpt-4o-mini-latest", "-2024-08-06")] == [None] * 5


def test_the_setting_beats_the_table() -> None:
    assert chat_price("gpt-6-luna", override=" 1.5, 3 ") == Price(Decimal("1.5"), Decimal(3))
    assert chat_price("llama", override="0,0") == Price.free()


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "1,", "-1,2", "nan,1", "1,inf"])
def test_a_price_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="FLYWHEEL_REPLY_PRICE"):
        read_price(text)


def test_usage_adds_up_and_an_unknown_cost_makes_the_sum_unknown() -> None:
    one = Usage(10, 2, Decimal("0.5"))
    assert one + one == Usage(20, 4, Decimal(1))
    assert one + Usage(1, 1, None) == Usage(11, 3, None)
