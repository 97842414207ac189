"""`flywheel strategies`, in this process; and `flywheel erase`, after which nothing is counted by what a lead's messages said."""

import json

import psycopg
import pytest
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from flywheel_dagster.cli import app
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.strategies.making import sent

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def surroundings(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    monkeypatch.setenv("TRAINING_DATA_DIR", str(database.settings.training_data_dir))
    monkeypatch.setenv("COLUMNS", "220")


def flywheel(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_what_works_is_shown_before_and_after_it_is_learnt(connection: Connection) -> None:
    sent(connection, "PAS_casual", 200, replied=40, decisions={"CopywriterAgent": {"cta": "book"}})
    sent(connection, "AIDA_direct", 200, replied=10, decisions={"CopywriterAgent": {"cta": "answer"}})
    asked = ["strategies", "show", "--organization", "acme", "--metric", "reply_rate", "--json"]
    before = [json.loads(line)["strategy"] for line in flywheel(*asked).stdout.splitlines()]
    done = flywheel("strategies", "refresh")
    assert done.exit_code == 0 and "acme: 1 weeks counted again, 3 dimensions learnt" in done.stdout
    after = [json.loads(line)["strategy"] for line in flywheel(*asked).stdout.splitlines()]
    assert before == after == ["PAS_casual", "AIDA_direct"]
    table = flywheel(
        "strategies", "show", "--organization", "acme", "--campaign", "spring", "--agent", "CopywriterAgent", "--by", "cta"
    ).stdout
    assert "book" in table and "answer" in table and "20.00%" not in table.split("book")[0]
    assert "flywheel strategies refresh counts anew" in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--organization", "nobody"], "nobody"),
        (["--organization", "acme", "--metric", "luck"], "no metric 'luck'; use one of reply_rate"),
        (["--organization", "acme", "--by", "a,b,c,d"], "one to three different decision keys"),
        (["--organization", "acme", "--agent", "CopywriterAgent"], "--agent goes with --campaign"),
    ],
)
def test_what_cannot_be_shown_is_told_with_the_remedy(connection: Connection, arguments: list[str], said: str) -> None:
    sent(connection, "PAS_casual", 1)
    refused = flywheel("strategies", "show", *arguments)
    assert refused.exit_code != 0 and said in str(refused.exception)


def test_an_erased_leads_decisions_are_counted_no_more(connection: Connection) -> None:
    for lead in ("ada", "bob"):
        sent(connection, "PAS_casual", 3, lead=lead, decisions={"A": {"opening": f"About {lead}"}})
    connection.execute("update outcome_labels set lead_id = 'ada' where lead_id like 'ada%'")
    connection.commit()
    flywheel("strategies", "refresh")
    words = "select array_agg(distinct strategy[1] order by strategy[1]) from strategy_weeks where keys = '{opening}'"
    assert connection.execute(words).fetchone() == (["About ada", "About bob"],)
    connection.commit()
    erased = flywheel("erase", "--organization", "acme", "--lead", "ada", "--yes")
    assert erased.exit_code == 0, erased.output
    assert connection.execute(words).fetchone() == (["About bob"],)
    assert connection.execute("select sum(sent) from strategy_weeks where keys = '{}'").fetchone() == (6,)
