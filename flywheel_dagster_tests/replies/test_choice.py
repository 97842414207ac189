"""Which model is asked, where, and that no key goes to an address it was not meant for."""

import json
from pathlib import Path

import pytest

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.choice import NO_KEY, chosen_model
from flywheel_dagster.replies.prices import Price
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.sandbox.model_server.served import Served


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


def test_the_settings_name_the_model_the_address_and_the_key() -> None:
    chosen = chosen_model(settings(OPENAI_API_KEY="sk-a", OPENAI_BASE_URL="https://h/v1", FLYWHEEL_REPLY_MODEL="gpt-4o-mini"))
    assert chosen is not None
    assert (chosen.name, chosen.api_key, chosen.base_url) == ("gpt-4o-mini", "sk-a", "https://h/v1")
    assert chosen.price is not None
    assert "sk-a" not in repr(chosen)


def test_without_key_and_address_or_with_local_alone_there_is_no_model() -> None:
    assert chosen_model(settings()) is None
    assert chosen_model(settings(OPENAI_API_KEY="sk-a", FLYWHEEL_LOCAL="1")) is None


def test_an_address_without_a_key_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not"):
        chosen_model(settings(OPENAI_BASE_URL="https://h/v1"))


@pytest.mark.parametrize(
    ("given", "address", "key"),
    [
        ({"base_url": "http://127.0.0.1:1/v1"}, "http://127.0.0.1:1/v1", NO_KEY),
        ({"base_url": "https://h/v1"}, "https://h/v1", "sk-settings"),
        ({"base_url": "https://other/v1", "openai_api_key": "sk-given"}, "https://other/v1", "sk-given"),
        ({"openai_api_key": "sk-given"}, "https://h/v1", "sk-given"),
        ({"model": "m"}, "https://h/v1", "sk-settings"),
    ],
    ids=str,
)
def test_a_key_goes_only_where_it_was_meant_for(given: dict[str, str], address: str, key: str) -> None:
    chosen = chosen_model(settings(OPENAI_API_KEY="sk-settings", OPENAI_BASE_URL="https://h/v1"), **given)
    assert chosen is not None
    assert (chosen.base_url, chosen.api_key) == (address, key)


def test_a_given_key_reaches_openai_where_the_settings_have_none() -> None:
    chosen = chosen_model(settings(), openai_api_key="sk-given")
    assert chosen is not None
    assert (chosen.base_url, chosen.api_key) == (None, "sk-given")


def test_a_model_asked_for_by_name_is_free_at_the_local_server(tmp_path: Path, model_server: Served) -> None:
    folder = tmp_path / "home" / "model-server"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps(model_server.ready))  # as if it had been started from here
    chosen = chosen_model(settings(FLYWHEEL_HOME=tmp_path / "home"), model="gpt-6-luna")
    assert chosen is not None
    assert (chosen.base_url, chosen.price) == (f"{model_server.url}/v1", Price.free())


def test_a_price_in_the_settings_is_the_models_price() -> None:
    chosen = chosen_model(settings(OPENAI_API_KEY="sk-a", FLYWHEEL_REPLY_PRICE="2,4", FLYWHEEL_REPLY_MODEL="llama"))
    assert chosen is not None
    assert chosen.price is not None
    assert chosen.price.cost_usd(1_000_000, 0) == 2
