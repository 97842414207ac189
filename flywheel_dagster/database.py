"""Where the database is and how to talk to it: addresses for each role, connections, named statements. What the tables are is in `sql/`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from flywheel_dagster.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from flywheel_dagster.settings import Settings

SERVICE_ROLE = "flywheel_service"
MEMBER_ROLE = "flywheel_member"


class Lock(IntEnum):
    """The advisory locks, by what they guard; 7060 is the migrations', and 7061 (outcomes' buckets), 7067 (links), 7069 (erasure), 7071
    (deployments) and 7072 (strategies) are those of `sql/`."""

    WEEK = 7062
    REGISTRATION = 7063
    SUBMISSION = 7064
    ASSEMBLY = 7065
    PROCESS = 7066
    REPLIES = 7068
    EXAMINATION = 7070
    LEAD_TRAINING = 7073
    LEAD_DEPLOYMENT = 7074


@dataclass(frozen=True)
class Addresses:
    """The same server for three purposes. All are libpq URLs that psycopg and psql accept."""

    owner: str
    service: str
    dagster: str


def addresses(settings: "Settings") -> Addresses:
    """Where the database is: `DATABASE_URL`, or the embedded server, which is started when it does not answer.

    With `DATABASE_URL`, its user owns the schema, and daily work switches to the service role on connecting.
    """
    if settings.local or settings.database_url is None:
        from flywheel_dagster.sandbox import postgres  # the binaries are looked up only when they are needed

        server = postgres.start(settings.home)
        return Addresses(
            owner=server.url(role="flywheel_owner", database="flywheel"),
            service=server.url(role=SERVICE_ROLE, database="flywheel"),
            dagster=server.url(role="flywheel_owner", database="flywheel_dagster"),
        )
    owner = _libpq_url(settings.database_url.get_secret_value())
    override = settings.dagster_database_url.get_secret_value() if settings.dagster_database_url else None
    return Addresses(
        owner=owner,
        service=_with(owner, options=f"-c role={SERVICE_ROLE}"),
        dagster=override or _with(owner, dbname=f"{_database_name(owner)}_dagster"),
    )


def connect(url: str) -> psycopg.Connection[TupleRow]:
    """A connection in UTC; commits when its block ends well. Raises DatabaseError with the remedy."""
    try:
        connection = psycopg.connect(url, connect_timeout=10, application_name="flywheel")
        connection.execute("set time zone 'UTC'")
        connection.commit()
        return connection
    except psycopg.OperationalError as error:
        raise DatabaseError(unreachable(url, error)) from error
    except psycopg.ProgrammingError as error:
        raise DatabaseError(
            f"DATABASE_URL can't be read ({_first_line(error)}); it looks like postgresql://user:password@host:5432/name"
        ) from error


@contextmanager
def service_connection(settings: "Settings") -> Iterator[psycopg.Connection[TupleRow]]:
    """Daily work: a connection in the service role, committed at the end of the block, rolled back on an error."""
    with connect(addresses(settings).service) as connection:
        yield connection


@contextmanager
def held_lock(connection: psycopg.Connection[TupleRow], lock: Lock, key: int = 0) -> Iterator[None]:
    """Holds an advisory lock of the session: whoever else wants it waits. Ends the transaction before and after, so that what is read
    inside is as new as the lock. A process that dies, and a connection that is lost, give it back."""
    connection.execute("select pg_advisory_lock(%s, %s)", (lock, key))
    connection.commit()
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            connection.execute("select pg_advisory_unlock(%s, %s)", (lock, key))
            connection.commit()


@contextmanager
def one_snapshot(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """A transaction that sees the database as it was at its first statement (repeatable read). Needs a connection without an open one."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            yield
    finally:
        connection.isolation_level = None


def sqlalchemy_url(url: str, *, driver: str) -> "URL":
    """The same address for SQLAlchemy. Dagster's storage needs `psycopg2`: SQLAlchemy 2.1 reads plain `postgresql://` as psycopg 3."""
    from sqlalchemy import URL

    parts = conninfo_to_dict(_libpq_url(url))
    query = {key: str(value) for key, value in parts.items() if key not in {"user", "password", "host", "port", "dbname"}}
    host = parts.get("host")
    return URL.create(
        f"postgresql+{driver}",
        username=_text(parts.get("user")),
        password=_text(parts.get("password")),
        host=_text(host),
        port=int(str(parts["port"])) if parts.get("port") else None,
        database=_text(parts.get("dbname")),
        query=query,
    )


@cache
def sql_directory() -> Path:
    """The folder `sql/`: inside an installed package, or at the root of the checkout."""
    inside = Path(__file__).parent / "sql"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "sql"


@cache
def statement(name: str) -> LiteralString:
    """The text of `sql/queries/NAME.sql`; Python binds its `%(parameters)s`."""
    return (sql_directory() / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def unreachable(url: str, error: Exception) -> str:
    """One line for an address that doesn't answer, without its password."""
    try:
        parts = conninfo_to_dict(url)
        where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')} as {parts.get('user', 'the default user')}"
    except psycopg.ProgrammingError:
        where = "the address in DATABASE_URL"
    return (
        f"the database at {where} can't be used: {_first_line(error)}; "
        "check DATABASE_URL, or unset it to use the embedded server (flywheel up)"
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _libpq_url(url: str) -> str:
    """Users bring `postgres://`, `postgresql+asyncpg://` and the like."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        raise DatabaseError("DATABASE_URL is not a PostgreSQL address; it looks like postgresql://user:password@host:5432/name")
    return f"postgresql://{rest}"


def _database_name(url: str) -> str:
    parts = conninfo_to_dict(url)
    return str(parts.get("dbname") or parts.get("user") or "postgres")


def _with(url: str, **changes: str) -> str:
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None} | changes
    user, password = parts.pop("user", ""), parts.pop("password", "")
    host, port, name = parts.pop("host", "localhost"), parts.pop("port", "5432"), parts.pop("dbname", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if host.startswith("/"):
        parts["host"], host = host, ""
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(parts.items()))
    location = f"[{host}]" if ":" in host else host
    return f"postgresql://{login}{'@' if login else ''}{location}:{port}/{quote(name, safe='')}{'?' if query else ''}{query}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
