"""Applies `sql/*.sql` in order, each once, each in its transaction. The files are in dbmate's format, so dbmate works on them too."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.database import Addresses, connect, sql_directory
from flywheel_dagster.errors import DatabaseError, MigrationError

_LOCK = 7060  # one migrating process at a time


@dataclass(frozen=True)
class Migration:
    """One file: its number and name, and the statements under `-- migrate:up`."""

    version: str
    path: Path
    up: LiteralString
    checksum: str


def migrations(directory: Path | None = None) -> list[Migration]:
    """The files in order."""
    found = []
    for path in sorted((directory or sql_directory()).glob("[0-9]*.sql")):
        text: LiteralString = path.read_text(encoding="utf-8")
        if "-- migrate:up" not in text:
            raise MigrationError(f"{path.name} has no line '-- migrate:up'; add it above the statements to apply")
        up = text.split("-- migrate:up", 1)[1].split("-- migrate:down", 1)[0]
        found.append(Migration(path.stem.split("_", 1)[0], path, up, hashlib.sha256(up.encode()).hexdigest()))
    return found


def migrate(where: Addresses, *, directory: Path | None = None, announce: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring the schema up to date and create Dagster's own database; returns the versions applied now.

    Safe to run twice and by two processes at once. Raises MigrationError for an edited or unknown migration.
    """
    wanted = migrations(directory)
    with connect(where.owner) as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        applied = _applied(connection)
        _refuse_surprises(wanted, applied)
        new = [migration for migration in wanted if migration.version not in applied]
        for migration in new:
            announce(f"migration {migration.path.name}")
            _apply(connection, migration)
        _ensure_dagster_database(connection, where)
    return [migration.version for migration in new]


def pending(where: Addresses, directory: Path | None = None) -> list[str]:
    """The versions that `migrate` would apply."""
    with connect(where.owner) as connection:
        applied = _applied(connection)
    return [migration.version for migration in migrations(directory) if migration.version not in applied]


def _applied(connection: psycopg.Connection[TupleRow]) -> dict[str, str | None]:
    try:
        # dbmate's own table, with a checksum beside each version
        connection.execute("create table if not exists schema_migrations (version varchar(128) primary key)")
        connection.execute("alter table schema_migrations add column if not exists checksum text")
        connection.execute("alter table schema_migrations add column if not exists applied_at timestamptz default now()")
    except psycopg.errors.InsufficientPrivilege as error:
        user = connection.info.user
        raise MigrationError(
            f"{user} may not create tables in {connection.info.dbname}; make it the owner: alter database {connection.info.dbname} owner to {user}"
        ) from error
    return {
        str(version): checksum
        for version, checksum in connection.execute("select version, checksum from schema_migrations").fetchall()
    }


def _refuse_surprises(wanted: list[Migration], applied: dict[str, str | None]) -> None:
    known = {migration.version: migration for migration in wanted}
    for version, checksum in sorted(applied.items()):
        if version not in known:
            raise MigrationError(
                f"the database has migration {version}, which this checkout does not know; update the code, then run flywheel migrate"
            )
        if checksum is not None and checksum != known[version].checksum:
            raise MigrationError(
                f"{known[version].path.name} was edited after it was applied; restore it from git and put the change into a new file"
            )


def _apply(connection: psycopg.Connection[TupleRow], migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.up)
            connection.execute(
                "insert into schema_migrations (version, checksum) values (%s, %s) on conflict (version) do update set checksum = excluded.checksum",
                (migration.version, migration.checksum),
            )
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"{migration.path.name} failed: {error.diag.message_primary}; {connection.info.user} needs CREATEROLE, "
            "or ask an administrator to run the statements of sql/0001_roles.sql once"
        ) from error
    except psycopg.Error as error:
        raise MigrationError(f"{migration.path.name} failed: {error.diag.message_primary or error}") from error


def _ensure_dagster_database(connection: psycopg.Connection[TupleRow], where: Addresses) -> None:
    name = psycopg.conninfo.conninfo_to_dict(where.dagster).get("dbname")
    if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        return
    try:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(str(name))))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"{connection.info.user} may not create the database {name} for Dagster's own storage; "
            f"ask for it (create database {name} owner {connection.info.user}), or set FLYWHEEL_DAGSTER_DATABASE_URL"
        ) from error
