"""Settings: all of them are in .env.example, and a wrong one is named."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from flywheel_dagster.database import _with, addresses, sqlalchemy_url
from flywheel_dagster.errors import DatabaseError, SettingsError
from flywheel_dagster.settings import Settings, load_settings, variable_names

EXAMPLE = Path(__file__).parents[1] / ".env.example"


def test_the_example_names_every_variable_and_no_other() -> None:
    assert set(dotenv_values(EXAMPLE)) == set(variable_names())


def test_the_example_as_it_stands_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYWHEEL_HOME")
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)


def test_a_wrong_value_names_the_variable_and_where_to_correct_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_MIN_QUALITY", "2")
    with pytest.raises(SettingsError, match=r"FLYWHEEL_MIN_QUALITY.*less than or equal to 1.*\.env"):
        load_settings()


def test_no_secret_shows_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-tell-nobody")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:hidden@h/d")
    assert "tell-nobody" not in repr(load_settings())
    assert "hidden" not in repr(load_settings())


@pytest.mark.parametrize("url", ["postgres://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d", "postgresql://u:p@h:1/d"])
def test_all_spellings_of_an_address_lead_to_the_same_roles(url: str) -> None:
    found = addresses(Settings(_env_file=None, DATABASE_URL=url))
    assert found.owner == "postgresql://u:p@h:1/d"
    assert found.service == "postgresql://u:p@h:1/d?options=-c%20role%3Dflywheel_service"
    assert found.dagster == "postgresql://u:p@h:1/d_dagster"


def test_dagsters_storage_is_told_its_driver() -> None:
    assert sqlalchemy_url("postgresql://u:p%40ss@h:1/d?sslmode=require", driver="psycopg2").render_as_string(
        hide_password=False
    ) == ("postgresql+psycopg2://u:p%40ss@h:1/d?sslmode=require")


def test_special_characters_in_an_address_survive() -> None:
    assert _with("postgresql://a%40b:p%2Fw@h:1/d", dbname="x y") == "postgresql://a%40b:p%2Fw@h:1/x%20y"


def test_something_that_is_no_postgresql_address_is_refused() -> None:
    with pytest.raises(DatabaseError, match="not a PostgreSQL address"):
        addresses(Settings(_env_file=None, DATABASE_URL="mysql://u@h/d"))
