"""`flywheel leads` as people use it: a table comes in with warnings, a list of outcomes too, a version is learnt, and one goes back."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.scoring import Connection, outcome_of, training_rows

Flywheel = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flywheel(database: Database, tmp_path: Path) -> Flywheel:
    """Runs the command on the test's database, away from the checkout."""
    url = database.settings.database_url.get_secret_value() if database.settings.database_url else ""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        ours = {"DATABASE_URL": url, "FLYWHEEL_HOME": str(tmp_path / "home"), "COLUMNS": "200"}
        return run_flywheel("leads", *arguments, folder=tmp_path, environment=ours)

    return run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two hundred leads; visits tell something, and a field that was filled in afterwards tells all."""
    rows = [f"L{n},{n * 7919 % 20},{'yes' if (n * 7919 % 20) + (n * 104729 % 13) > 15 else 'no'}" for n in range(200)]
    path = tmp_path / "leads.csv"
    path.write_text("Lead,Visits,Converted,Invoice\n" + "".join(f"{row},{'sent' if row.endswith('yes') else ''}\n" for row in rows))
    return path


def test_a_table_comes_in_a_version_is_learnt_and_it_goes_back(
    flywheel: Flywheel, connection: Connection, table: Path, tmp_path: Path
) -> None:
    columns = ("--organization", "acme", "--id", "Lead", "--label", "Converted", "--map", "website_visits=Visits")
    done = flywheel("import", str(table), *columns)
    assert done.returncode == 0, done.stderr
    assert "200 rows: 200 new, scored by the prior, 0 known already, 0 refused; 200 outcomes are news" in done.stdout
    assert "--without Invoice" in done.stderr and "Invoice:" in done.stderr and "Visits" not in done.stderr
    assert set(training_rows(connection)[0]["features"]) <= {"website_visits", "Invoice"}
    assert "0 new" in flywheel("import", str(table), *columns).stdout
    trained = flywheel("train", "--organization", "acme", "--without", "Invoice")
    assert trained.returncode == 0, trained.stderr
    assert "1.0 scores the leads of acme" in trained.stdout
    (model,) = [orjson.loads(line) for line in flywheel("models", "--organization", "acme", "--json").stdout.splitlines()]
    assert (model["version"], model["rows"], model["deployed"]) == ("1.0", 200, True)
    assert "1.0" in flywheel("models", "--organization", "acme").stdout
    table.write_text("lead_id,website_visits\nnew,19\n")
    assert "scored by version 1.0" in flywheel("import", str(table), "--organization", "acme").stdout
    back = flywheel("roll-back", "--organization", "acme", "--reason", "we don't trust it")
    assert back.stdout == "prior scores the leads of acme from now on\n"
    told = flywheel("history", "--organization", "acme").stdout
    assert "deploy 1.0" in told and "roll back prior" in told and "we don't trust it" in told


def test_a_list_of_outcomes_is_taken_and_shown(flywheel: Flywheel, connection: Connection, tmp_path: Path) -> None:
    leads, closed = tmp_path / "leads.csv", tmp_path / "closed.csv"
    leads.write_text("lead_id,plan\nada,pro\n")
    assert flywheel("import", str(leads), "--organization", "acme").returncode == 0
    closed.write_text("lead_id,outcome,date\nada,won,2026-03-01\nnobody,won,2026-03-01\n")
    done = flywheel("feedback", str(closed), "--organization", "acme", "--actor", "Mo")
    assert done.returncode == 1 and "2 rows: 1 outcomes are news, 0 were known already, 1 refused" in done.stdout
    assert "closed.rejects.csv" in done.stderr and outcome_of(connection) is True
    shown = flywheel("show", "--organization", "acme", "--lead", "ada")
    assert "outcome: converted" in shown.stdout and "by file (Mo)" in shown.stdout
    assert orjson.loads(flywheel("show", "--organization", "acme", "--json").stdout) == {"scored": 1, "told": 1, "told_since": 1}
    assert "1 leads were scored" in flywheel("show", "--organization", "acme").stdout


def test_what_can_not_be_done_is_said_in_a_line(flywheel: Flywheel, connection: Connection, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    connection.execute("insert into organizations (id) values ('acme')")
    connection.commit()
    for arguments, said in (
        (("import", str(empty), "--organization", "acme"), "is empty"),
        (("feedback", str(empty), "--organization", "acme"), "is empty"),
        (("feedback", str(empty), "--organization", "nobody"), "nobody"),
        (("show", "--organization", "acme", "--lead", "ada"), "ever scored"),
        (("roll-back", "--organization", "acme"), "nothing to roll back"),
        (("models", "--organization", "nobody"), "nobody"),
    ):
        done = flywheel(*arguments)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr, (arguments, done.stderr)
    assert flywheel("import", str(empty), "--organization", "acme", "--map", "age").returncode == 2
    assert "too few" in flywheel("train", "--organization", "acme").stdout
    assert "no version yet" in flywheel("models", "--organization", "acme").stdout
