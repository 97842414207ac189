"""The command line as people use it, in processes of its own: what it prints, and one clear line for what goes wrong."""

import csv
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import typer
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from typer.testing import CliRunner

from flywheel_dagster.cli import app
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.replies.making import read_all, write_replies

Flywheel = Callable[..., subprocess.CompletedProcess[str]]
PROMISED = "up down demo dev migrate org connection key events simulate import rebuild relink erase lineage doctor database-url ingester api replies model"
PASSED_ON = ("materialize", "bench")  # to processes of their own
ROW = {
    "organization_id": "acme",
    "campaign_id": "c",
    "lead_id": "l",
    "channel": "email",
    "message_body": "Hello",
    "sent_at": "2026-01-05T10:00:00Z",
}


@pytest.fixture
def flywheel(database: Database, tmp_path: Path) -> Flywheel:
    """Runs the command on the test's database, away from the checkout."""
    settings = database.settings
    assert settings.database_url is not None

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        url = settings.database_url.get_secret_value() if settings.database_url else ""
        ours = {"DATABASE_URL": url, "FLYWHEEL_DAGSTER_DATABASE_URL": url, "FLYWHEEL_HOME": str(tmp_path / "home")}
        return run_flywheel(*arguments, folder=tmp_path, environment=ours | environment)

    return run


def assert_one_clear_line(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("flywheel: ")
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in lines[0], lines[0]


def test_every_command_explains_itself() -> None:
    runner = CliRunner()
    shown = runner.invoke(app, ["--help"]).stdout
    assert all(f" {command} " in shown for command in PROMISED.split())
    for command in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        if command in PASSED_ON:
            told = subprocess.run(
                [sys.executable, "-m", "flywheel_dagster.cli", command, "--help"], capture_output=True, text=True, check=True
            ).stdout
        else:
            told = runner.invoke(app, [command, "--help"]).stdout
        assert told.lower().lstrip().startswith("usage:"), command
    assert "[beside the file]" in runner.invoke(app, ["import", "--help"]).stdout  # what happens if an option is left out


def test_a_wrong_word_is_wrong_usage(flywheel: Flywheel) -> None:
    assert flywheel("imprt", "x").returncode == 2
    assert flywheel("simulate", "--messages", "many").returncode == 2
    assert flywheel("materialize").returncode == 2


def test_the_database_url_is_one_that_psycopg_accepts_and_is_no_superuser(flywheel: Flywheel) -> None:
    printed = flywheel("database-url").stdout.strip()
    with psycopg.connect(printed) as connection:
        role = connection.execute("select current_user, (select rolsuper from pg_roles where rolname = current_user)").fetchone()
    assert role == ("flywheel_service", False)


def test_migrate_and_doctor_are_content_with_a_good_database(flywheel: Flywheel) -> None:
    assert flywheel("migrate").stdout == "the schema is up to date\n"
    looked = flywheel("doctor")
    assert looked.returncode == 0, looked.stdout
    assert "ILL" not in looked.stdout
    assert "daily work as flywheel_service" in looked.stdout


def test_a_wrong_url_names_the_address_and_the_remedy_but_no_password(flywheel: Flywheel) -> None:
    done = flywheel("database-url", DATABASE_URL="postgresql://me:s3cret@127.0.0.1:1/nowhere")
    assert done.returncode == 0, "the address is printed as it is, without connecting"
    done = flywheel("migrate", DATABASE_URL="postgresql://me:s3cret@127.0.0.1:1/nowhere")
    assert_one_clear_line(done, "127.0.0.1:1/nowhere as me", "check DATABASE_URL, or unset it")
    assert "s3cret" not in done.stderr
    assert_one_clear_line(flywheel("migrate", DATABASE_URL="nonsense"), "looks like postgresql://user:password@host:5432/name")
    assert_one_clear_line(flywheel("migrate", DATABASE_URL="postgresql://h:port/d"), "DATABASE_URL")


def test_a_port_in_use_is_said_before_anything_starts(flywheel: Flywheel) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_clear_line(flywheel("dev", "--port", str(port)), f"port {port} is in use", "--port")


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc").is_dir(),
    reason="root can write anywhere; /proc is needed to show a folder that it can't",
)
def test_an_unwritable_home_is_named_with_the_variable(flywheel: Flywheel) -> None:
    assert_one_clear_line(flywheel("up", DATABASE_URL="", FLYWHEEL_HOME="/proc/flywheel"), "/proc/flywheel", "FLYWHEEL_HOME")


def test_a_missing_file_and_a_file_of_another_kind_are_named(flywheel: Flywheel, tmp_path: Path) -> None:
    assert_one_clear_line(flywheel("import", "nowhere.csv"), "nowhere.csv is not a file")
    (tmp_path / "notes.txt").write_text("hello")
    assert_one_clear_line(flywheel("import", "notes.txt"), ".csv, .jsonl or .parquet")
    (tmp_path / "empty.csv").write_text("organization_id,campaign_id\na,b\n")
    assert_one_clear_line(flywheel("import", "empty.csv"), "lacks the columns lead_id, channel, message_body, sent_at")


def test_a_malformed_row_goes_to_the_rejects_and_the_others_are_imported(flywheel: Flywheel, tmp_path: Path) -> None:
    rows = [ROW, ROW | {"lead_id": "m", "channel": "pigeon"}, ROW | {"lead_id": "n", "icp_score": 7}]
    (tmp_path / "past.jsonl").write_text("\n".join([*map(json.dumps, rows), "{broken"]))
    done = flywheel("import", "past.jsonl")
    assert done.stdout == "4 rows: 1 imported, 0 known already, 3 refused\n"
    assert_one_clear_line(done, "3 rows were refused", "past.rejects.csv")
    rejects = (tmp_path / "past.rejects.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in rejects] == ["line", "2", "3", "4"]
    assert "pigeon" in rejects[1]
    again = flywheel("import", "past.jsonl")
    assert again.stdout == "4 rows: 0 imported, 1 known already, 3 refused\n"


def test_an_unknown_organization_is_named_with_the_remedy(flywheel: Flywheel) -> None:
    assert_one_clear_line(flywheel("rebuild", "--organization", "nobody"), "organization 'nobody' is not known", "flywheel org add")
    assert_one_clear_line(flywheel("org", "revoke", "nobody"), "organization 'nobody' is not known")


def test_organizations_are_added_changed_and_revoked(flywheel: Flywheel, database: Database) -> None:
    flywheel("org", "add", "acme", "--name", "Acme", "--share")
    flywheel("org", "add", "acme", "--train")
    assert "acme" in flywheel("org", "list").stdout
    consent = "select allows_global_training, training_enabled, name from organizations"
    with psycopg.connect(database.addresses.service) as connection:
        assert connection.execute(consent).fetchall() == [(True, True, "Acme")]
    flywheel("org", "revoke", "acme")
    with psycopg.connect(database.addresses.service) as connection:
        assert connection.execute(consent).fetchall() == [(False, False, "Acme")]


def test_redaction_and_senders_are_set_by_organization(flywheel: Flywheel, database: Database, tmp_path: Path) -> None:
    flywheel("org", "add", "acme", "--no-redact")
    (tmp_path / "people.csv").write_text("first_name,email\nSam,sam@x.example\n")
    assert flywheel("org", "senders", "acme", str(tmp_path / "people.csv")).stdout.startswith("1 senders of acme saved")
    assert "sam@x.example" in flywheel("org", "senders", "acme").stdout
    flywheel("org", "add", "acme", "--train")
    with psycopg.connect(database.addresses.service) as connection:
        assert connection.execute("select redaction_off from organizations").fetchone() == (True,)
    flywheel("org", "add", "acme", "--redact")
    with psycopg.connect(database.addresses.service) as connection:
        assert connection.execute("select redaction_off from organizations").fetchone() == (False,)


def test_a_wrong_setting_is_named(flywheel: Flywheel) -> None:
    assert_one_clear_line(flywheel("doctor", FLYWHEEL_MIN_EXAMPLES="three"), "FLYWHEEL_MIN_EXAMPLES", ".env.example")


def test_a_database_that_lacks_migrations_is_not_written_to(flywheel: Flywheel, database: Database) -> None:
    with psycopg.connect(database.addresses.owner) as connection:
        connection.execute("delete from schema_migrations where version = (select max(version) from schema_migrations)")
    assert_one_clear_line(flywheel("simulate", "--messages", "5"), "run flywheel migrate")


def test_simulate_twice_writes_once(flywheel: Flywheel) -> None:
    first = flywheel("simulate", "--messages", "50", "--weeks", "3")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("50 messages, ")
    assert flywheel("simulate", "--messages", "50", "--weeks", "3").stdout.startswith("0 messages, 0 events")
    assert_one_clear_line(flywheel("simulate", "--messages", "60", "--weeks", "3"), "simulation")


def test_an_unknown_scope_fails_in_one_line(flywheel: Flywheel) -> None:
    assert_one_clear_line(flywheel("materialize", "--scope", "nobody"), "organization 'nobody' is not known")


def test_the_owners_password_is_nowhere_in_what_is_printed(flywheel: Flywheel, database: Database) -> None:
    password = str(conninfo_to_dict(database.addresses.owner).get("password") or "no password here")
    for command in (["doctor"], ["migrate"], ["org", "list"]):
        done = flywheel(*command)
        assert password not in done.stdout + done.stderr


def test_people_review_replies_from_the_command_line(
    flywheel: Flywheel, connection: psycopg.Connection[TupleRow], tmp_path: Path
) -> None:
    write_replies(connection, [f"Please unsubscribe me, number {number}." for number in range(40)])
    read_all(connection)
    done = flywheel("replies", "review", "--export", "r.csv", "--agreements", "40")
    assert done.returncode == 0, done.stderr
    assert "40 of 40 on which they agree" in done.stdout
    file = tmp_path / "r.csv"
    with file.open(newline="", encoding="utf-8-sig") as read:
        rows = list(csv.DictReader(read))
    with file.open("w", newline="", encoding="utf-8-sig") as written:
        writer = csv.DictWriter(written, rows[0].keys())
        writer.writeheader()
        writer.writerows(row | {"label": "neutral" if number < 10 else "negative"} for number, row in enumerate(rows))
    done = flywheel("replies", "review", "--import", "r.csv")
    assert "40 new labels recorded" in done.stdout
    assert "machine and people agree on 75.0% of the labels" in done.stdout
    assert_one_clear_line(flywheel("replies", "review", "--export", "s.csv", "--organization", "nobody"), "nobody", "acme")
