"""`flywheel model`, in this process: who serves from now on, who served, what was changed, and who did best."""

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from flywheel_dagster.cli import app
from flywheel_dagster.errors import DeploymentError, UnknownModelError
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.outcomes.making import event, message

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def surroundings(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.get_secret_value())
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def versions(connection: Connection) -> list[UUID]:
    return [model(connection, f"v1.{number}.0") for number in range(3)]


def flywheel(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["model", *arguments])


def acme(*arguments: str) -> str:
    """What the command says of acme's models."""
    done = flywheel(*arguments, "--scope", "acme")
    assert done.exit_code == 0, done.output
    return done.stdout


def lines(*arguments: str) -> list[dict[str, Any]]:
    done = flywheel(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_version_goes_through_all_its_stations(connection: Connection, versions: list[UUID]) -> None:
    assert acme("baseline", "gpt-4o-mini").strip() == "gpt-4o-mini of acme (gpt-4o-mini) is ready, the baseline"
    assert acme("deploy", "v1.0.0").startswith("v1.0.0 of acme (ft:acme:v1.0.0) serves as variant_a with 10 %\n")
    assert arms(connection) == {"control": ("gpt-4o-mini", 90), "variant_a": ("v1.0.0", 10)}
    assert "serves as variant_b with 25 %" in acme("deploy", str(versions[1]), "--traffic", "25", "--arm", "variant_b")
    assert acme("promote", "ft:acme:v1.1.0").strip() == "v1.1.0 of acme (ft:acme:v1.1.0) serves as control with 100 %"
    assert acme("deploy", "v1.2.0", "--arm", "control").strip() == "v1.2.0 of acme (ft:acme:v1.2.0) serves as control with 100 %"
    assert "v1.1.0 of acme (ft:acme:v1.1.0) serves as control" in acme("roll-back", "--reason", "spam reports")
    assert "is archived" in acme("archive", "v1.0.0")
    assert "is archived" in acme("deprecate", "v1.2.0")
    assert arms(connection) == {"control": ("v1.1.0", 100)}


def test_a_variant_comes_with_the_plan_of_its_experiment(connection: Connection, versions: list[UUID]) -> None:
    acme("deploy", "v1.0.0", "--arm", "control")
    told = acme("deploy", "v1.1.0")
    assert "nothing can be planned for 'acme' yet" in told, "which is no failure"
    now = datetime.now(UTC)
    sent = [message(lead_id=f"lead {number}", sent_at=now - timedelta(days=20, minutes=number)) for number in range(200)]
    send(connection, sent)
    record(connection, [event(each.id, "replied", text="Yes", day=(now - timedelta(days=19) - _MONDAY).days) for each in sent[:40]])
    connection.commit()
    told = acme("deploy", "v1.1.0", "--traffic", "20")
    assert "new leads a week, mean score 0.0400, 20.0% with an outcome after 14 days" in told
    assert "begins with 20%" in told
    assert "weeks until a variant is promoted that is better by 10%: more than 12" in told


_MONDAY = event(UUID(int=0), "opened", 0).occurred_at


def test_refusals_are_errors_with_the_remedy_and_exit_codes_tell_them(
    connection: Connection, database: Database, versions: list[UUID], tmp_path: Path
) -> None:
    unknown = flywheel("deploy", "v9.0.0", "--scope", "acme")
    assert isinstance(unknown.exception, UnknownModelError)
    assert str(unknown.exception) == "scope 'acme' has no model 'v9.0.0'; see flywheel model list"
    refused = flywheel("deploy", "v1.0.0", "--scope", "acme")
    assert isinstance(refused.exception, DeploymentError)
    assert "scope acme has no control that v1.0.0 could be compared with: set a baseline" in str(refused.exception)
    assert isinstance(flywheel("promote", str(versions[0]), "--scope", "rival").exception, UnknownModelError)
    for wrong in (("deploy", "v1.0.0", "--arm", "variant_c"), ("list", "--status", "gone"), ("live", "--at", "yesterday")):
        assert flywheel(*wrong).exit_code == 2
    assert database.settings.database_url is not None
    ours = {"DATABASE_URL": database.settings.database_url.get_secret_value(), "FLYWHEEL_HOME": str(tmp_path)}
    failed = run_flywheel("model", "roll-back", "--scope", "acme", folder=tmp_path, environment=ours)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("flywheel: scope acme has no earlier control to go back to: deploy another version")


def test_the_history_says_who_did_what_and_why(versions: list[UUID]) -> None:
    acme("deploy", "v1.0.0", "--arm", "control", "--reason", "the first one")
    acme("promote", "v1.1.0", "--actor", "kim")
    told = [
        (row["model_version"], row["action"], row["actor"], row["reason"])
        for row in lines("history", "--scope", "acme", "--limit", "3")
    ]
    assert told == [
        ("v1.1.0", "promote", "kim", None),
        ("v1.0.0", "promote", "kim", None),
        ("v1.0.0", "deploy", getpass.getuser(), "the first one"),
    ]
    shown = acme("history")
    assert all(part in shown for part in ("the first one", "kim", "control 100 %", "archived", "register"))
    assert "nothing was changed yet" in flywheel("history", "--scope", "rival").stdout


def test_the_list_shows_what_serves_and_what_it_achieved(connection: Connection, versions: list[UUID]) -> None:
    acme("deploy", "v1.0.0", "--arm", "control")
    acme("deprecate", "v1.2.0")
    sent = [message(lead_id=f"lead {number}", model_registry_id=versions[0]) for number in range(8)]
    send(connection, sent)
    record(connection, [event(each.id, "replied", text="Yes") for each in sent[:3]])
    connection.commit()
    shown = flywheel("list").stdout
    assert all(part in shown for part in ("control 100 %", "37.5%", "deprecated", "ft:acme:v1.1.0"))
    (row,) = lines("list", "--status", "deployed", "--scope", "acme")
    assert (row["id"], row["total_messages_sent"], row["reply_rate"]) == (str(versions[0]), 8, 0.375)
    assert "no model is registered for rival" in flywheel("list", "--scope", "rival").stdout
    assert "no model wrote 100 messages yet; ask for fewer: --min-samples" in flywheel("leaderboard").stdout
    assert "37.5% (1)" in flywheel("leaderboard", "--min-samples", "8").stdout
    assert [row["close_rate_rank"] for row in lines("leaderboard", "--min-samples", "8")] == [1]


def test_what_was_live_on_a_day_is_told_as_of_its_end(owner: Connection, versions: list[UUID]) -> None:
    acme("deploy", "v1.0.0", "--arm", "control")
    acme("promote", "v1.1.0")
    # Nobody can rewrite the history but its owner, without its guard.
    owner.execute("alter table model_changes disable trigger history_stays")
    owner.execute("update model_changes set changed_at = '2026-03-03 10:00+00' where action in ('register', 'deploy')")
    owner.execute("update model_changes set changed_at = '2026-03-04 10:00+00' where action = 'promote'")
    owner.commit()

    def seen(*at: str) -> list[str]:
        return [row["model_version"] for row in lines("live", "--organization", "acme", *at)]

    assert seen("--at", "2026-03-02") == []
    assert seen("--at", "2026-03-03") == seen("--at", "2026-03-04T09:59") == ["v1.0.0"]
    assert seen("--at", "2026-03-04T11:30+02:00") == ["v1.0.0"]
    assert seen("--at", "2026-03-04") == seen() == ["v1.1.0"]
    told = flywheel("live", "--organization", "acme", "--at", "2026-03-03").stdout
    assert told.startswith("acme at 2026-03-03 23:59:59 UTC:\n") and "2026-03-03 10:00" in told
    assert "nothing served" in flywheel("live").stdout


def test_what_was_changed_can_be_read_by_programs(versions: list[UUID]) -> None:
    (done,) = lines("deploy", "v1.0.0", "--arm", "control", "--scope", "acme")
    assert (done["id"], done["ab_test_group"], done["traffic_percentage"]) == (str(versions[0]), "control", 100)
    (variant,) = lines("deploy", "v1.1.0", "--scope", "acme")
    assert variant["ab_test_group"] == "variant_a", "without the plan, which has a command of its own"
