"""`flywheel experiment`, in this process: how it stands, what it could find, what is decided and was."""

import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from flywheel_dagster.cli import app
from flywheel_dagster.errors import InputError
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import arms
from flywheel_dagster_tests.models.verdicts import making
from flywheel_dagster_tests.models.verdicts.making import Trial, as_owner

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def surroundings(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.setattr(making, "NOW", datetime.now(UTC))  # commands decide now


@pytest.fixture
def trial(connection: Connection) -> Trial:
    """Four weeks in which the variant got many more replies."""
    trial = Trial(connection, variant_share=50)
    trial.units("control", 1000, replied=0.08, meeting=0.02, deal=0.005)
    trial.units("variant_a", 1000, replied=0.2, meeting=0.06, deal=0.02)
    return trial


def flywheel(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["experiment", *arguments, "--scope", "acme"])


def said(*arguments: str) -> str:
    done = flywheel(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def lines(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(*arguments, "--json").splitlines()]


def test_the_standing_shows_arms_units_the_last_decision_and_what_is_called_for(connection: Connection, trial: Trial) -> None:
    shown = said("show")
    assert "experiment of acme since" in shown and "judged by evidence when leads are 14 days old" in shown
    assert "last: nothing was decided yet" in shown
    assert "now: promote → promote" in shown
    assert all(part in shown for part in ("variant_a", "1,000", "sample_ratio", "lower_bound", "bounced"))
    (told,) = lines("show")
    assert (told["exposed"]["variant_a"]["units"], told["called_for"][0]["action"]) == (1000, "promote")
    assert {row["epoch"] for row in told["arms"]} == {1}
    assert connection.execute("select count(*) from experiment_decisions").fetchone() == (0,)


def test_a_dry_run_writes_nothing_and_a_decision_acts_and_is_kept(connection: Connection, trial: Trial) -> None:
    dry = said("decide", "--dry-run")
    assert "variant_a v1.1.0 of acme: promote → promote" in dry and "nothing was written or done" in dry
    assert "nothing was decided yet" in said("decisions")
    assert arms(connection)["control"] == ("v1.0.0", 50)
    (done,) = lines("decide", "--actor", "kim")
    assert (done["verdict"], done["action"]) == ("promote", "promote")
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    (row,) = lines("decisions")
    assert (row["id"], row["actor"], row["provisional"], row["control_version"]) == (done["id"], "kim", True, "v1.0.0")
    assert "promote → promote, for now" in said("decisions")
    assert isinstance(flywheel("show").exception, InputError)
    assert f"promotion {row['id']}, looked at 14 days on: confirmed" in said("decide")


def test_what_the_daily_verdict_may_not_do_a_person_may(
    connection: Connection, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_EXPERIMENT_ACTS", "false")
    assert "the daily verdict does nothing by itself" in said("show")
    assert "promote → promote" in said("decide")


def test_the_last_decision_stands_beside_how_it_is_now(trial: Trial, connection: Connection) -> None:
    as_owner(connection, "update experiments set started_at = now() - interval '8 days'")
    assert "inconclusive → none" in said("decide", "--actor", "kim")
    shown = said("show")
    assert "by kim: inconclusive → none (it has run for" in shown
    assert "runtime" in shown and "NO" in shown


def test_the_plan_says_what_can_be_found_before_the_start(trial: Trial) -> None:
    told = said("plan")
    assert "acme: " in told and "A variant begins with 10%; after 1 week the variants have 50%" in told
    assert "weeks until a variant is promoted that is better by 10%: more than 12" in told
    (plan,) = lines("plan", "--variants", "2", "--traffic", "20", "--weeks", "6")
    assert (len(plan["plan"]), plan["variants"], plan["start_share"]) == (6, 2, 0.2)
    assert plan["plan"][0]["relative"] is None, "nothing can be found before any lead is old enough"
    wrong = flywheel("plan", "--traffic", "120")
    assert isinstance(wrong.exception, InputError)


@pytest.mark.parametrize("command", ["show", "decide"])
def test_without_an_experiment_it_says_how_to_start_one(command: str) -> None:
    failed = flywheel(command)
    assert isinstance(failed.exception, InputError)
    assert "no experiment runs in scope 'acme'; start one with flywheel model deploy VERSION --scope acme" in str(failed.exception)
