"""Migrations: once each, safe twice and at once, and an edited one is refused."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql

from flywheel_dagster.database import Addresses, connect, sql_directory
from flywheel_dagster.errors import DatabaseError, MigrationError
from flywheel_dagster.migrations import migrate, migrations, pending
from flywheel_dagster_tests.conftest import Server


@pytest.fixture
def empty(server: Server) -> Iterator[Addresses]:
    """A database without any of our tables."""
    name = f"flywheel_empty_{uuid4().hex[:12]}"
    with connect(server.url) as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    url = server.named(name)
    yield Addresses(owner=url, service=url, dagster=url)
    with connect(server.url) as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of our migrations, to spoil."""
    folder = tmp_path / "sql"
    folder.mkdir()
    for path in sql_directory().glob("[0-9]*.sql"):
        shutil.copy(path, folder)
    return folder


def test_all_are_applied_once_and_a_second_run_does_nothing(empty: Addresses) -> None:
    everything = [migration.version for migration in migrations()]
    assert pending(empty) == everything
    assert migrate(empty) == everything
    assert migrate(empty) == []
    assert pending(empty) == []


def test_two_processes_at_once_share_the_work_without_an_error(empty: Addresses) -> None:
    applied: list[str] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            applied.extend(migrate(empty))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sorted(applied) == [migration.version for migration in migrations()]


def test_an_edited_old_migration_is_refused_by_name(empty: Addresses, files: Path) -> None:
    migrate(empty, directory=files)
    edited = sorted(files.glob("*.sql"))[2]
    edited.write_text(edited.read_text().replace("-- migrate:down", "select 1;\n-- migrate:down"))
    with pytest.raises(MigrationError, match=rf"{edited.name} was edited .* restore it"):
        migrate(empty, directory=files)


def test_a_database_that_is_newer_than_the_code_is_refused(empty: Addresses, files: Path) -> None:
    migrate(empty, directory=files)
    sorted(files.glob("*.sql"))[-1].unlink()
    with pytest.raises(MigrationError, match="update the code"):
        migrate(empty, directory=files)


def test_a_migration_that_fails_leaves_nothing_behind_and_names_itself(empty: Addresses, files: Path) -> None:
    (files / "9999_broken.sql").write_text("-- migrate:up\ncreate table half (id int);\nselect no_such_function();\n")
    with pytest.raises(MigrationError, match=r"9999_broken\.sql failed"):
        migrate(empty, directory=files)
    with connect(empty.owner) as connection:
        assert connection.execute("select to_regclass('half'), to_regclass('outcome_labels')").fetchone() == (
            None,
            "outcome_labels",
        )


def test_every_migration_can_be_taken_back(empty: Addresses) -> None:
    migrate(empty)
    with connect(empty.owner) as connection:
        for migration in reversed(migrations()):
            down = migration.path.read_text().split("-- migrate:down", 1)[1]
            connection.execute(down)
        left = connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and relname <> 'schema_migrations'"
            " union all select proname from pg_proc where pronamespace = 'public'::regnamespace"
        ).fetchall()
        assert left == []
        connection.rollback()


def test_what_dbmate_applied_is_taken_over_without_a_checksum(empty: Addresses) -> None:
    migrate(empty)
    with connect(empty.owner) as connection:
        connection.execute("update schema_migrations set checksum = null")
    assert migrate(empty) == []


def test_an_address_that_does_not_answer_gives_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseError) as caught:
        connect("postgresql://someone:s3cret@127.0.0.1:1/nowhere")
    said = str(caught.value)
    assert "127.0.0.1:1/nowhere as someone" in said
    assert "DATABASE_URL" in said
    assert "\n" not in said
    assert "s3cret" not in said
