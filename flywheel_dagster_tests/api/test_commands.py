"""`flywheel key` and `flywheel api` as people use them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import hash_of
from flywheel_dagster_tests.api.serving import Serving
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database

Connection = psycopg.Connection[TupleRow]
Flywheel = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flywheel(database: Database, tmp_path: Path) -> Flywheel:
    """Runs the command on the test's database, away from the checkout."""
    assert database.settings.database_url is not None
    url = database.settings.database_url.get_secret_value()

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        ours = {
            "DATABASE_URL": url,
            "FLYWHEEL_DAGSTER_DATABASE_URL": url,
            "FLYWHEEL_HOME": str(tmp_path / "home"),
            "COLUMNS": "200",
        }
        return run_flywheel(*arguments, folder=tmp_path, environment=ours | environment)

    return run


def test_a_key_is_shown_once_opens_and_is_revoked(flywheel: Flywheel, served: Serving, connection: Connection) -> None:
    added = flywheel("key", "add", "--organization", "acme", "--role", "operator", "--name", "ci")
    assert added.returncode == 0, added.stderr
    secret, key_id = added.stdout.splitlines()[0].removeprefix("key: "), added.stdout.splitlines()[1].split()[1]
    assert "operator of acme" in added.stdout
    assert connection.execute("select key_hash, organization_id from api_keys").fetchone() == (hash_of(secret), "acme")
    assert served.with_key(secret).get("/training/models").status_code == 200
    listed = flywheel("key", "list").stdout
    assert all(part in listed for part in (key_id, "acme", "operator", "ci"))
    assert secret not in listed
    assert hash_of(secret) not in listed
    assert flywheel("key", "revoke", key_id).returncode == 0
    assert served.with_key(secret).get("/training/models").status_code == 401
    again = flywheel("key", "revoke", key_id)
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    assert "flywheel key list" in again.stderr


def test_a_key_of_all_organizations_is_asked_for_by_name(flywheel: Flywheel, connection: Connection) -> None:
    assert flywheel("key", "add").returncode == 2
    assert flywheel("key", "add", "--all", "--organization", "acme").returncode == 2
    assert "viewer of all organizations" in flywheel("key", "add", "--all").stdout
    assert connection.execute("select organization_id, role from api_keys").fetchall() == [(None, "viewer")]


def test_keys_in_the_environment_that_cannot_be_read_are_one_clear_line(flywheel: Flywheel) -> None:
    done = flywheel("api", "--port", "0", FLYWHEEL_API_KEYS="acme:viewer:the-key-itself")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "FLYWHEEL_API_KEYS: entry 1" in done.stderr
    assert "the-key-itself" not in done.stderr
