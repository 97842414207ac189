"""What the embedded server holds before the first migration: the roles and the two databases, and the question whether it answers."""

from typing import TYPE_CHECKING, Any

from flywheel_dagster.sandbox.postgres.state import OWNER, SERVICE, SUPERUSER, EmbeddedServer

if TYPE_CHECKING:
    import psycopg

DATABASES = ("flywheel", "flywheel_dagster")
ROLES = {OWNER: "login nosuperuser createrole createdb", SERVICE: "login nosuperuser nocreaterole nocreatedb"}
ANSWER_TIMEOUT = 5  # seconds


def answers(server: EmbeddedServer) -> bool:
    """Whether the server answers `select 1` to our own password, now."""
    import psycopg

    try:
        with _connect(server) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def create_roles_and_databases(server: EmbeddedServer) -> None:
    """Creates what is missing and sets what is there; can be repeated after a crash at any point. Raises psycopg.Error."""
    from psycopg import sql

    with _connect(server) as connection:
        for role, attributes in ROLES.items():
            if connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
                connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
            # The verifier and not the password, which the log would show if the statement failed.
            verifier = connection.pgconn.encrypt_password(server.passwords[role].encode(), role.encode(), b"scram-sha-256").decode()
            statement = sql.SQL("alter role {} with " + attributes + " password {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(verifier)))
        connection.execute(sql.SQL("grant {} to {} with admin option").format(sql.Identifier(SERVICE), sql.Identifier(OWNER)))
        for database in DATABASES:
            if connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone() is None:
                connection.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(OWNER)))


def _connect(server: EmbeddedServer) -> "psycopg.Connection[tuple[Any, ...]]":
    import psycopg

    # Each option is named, so that the user's PG* variables change nothing; and no password is sent to whatever else may listen there.
    return psycopg.connect(
        host=server.host,
        hostaddr=server.host,
        port=server.port,
        user=SUPERUSER,
        password=server.passwords[SUPERUSER],
        dbname="postgres",
        autocommit=True,
        connect_timeout=ANSWER_TIMEOUT,
        options="",
        sslmode="disable",
        gssencmode="disable",
        require_auth="scram-sha-256",
        target_session_attrs="any",
        client_encoding="utf-8",
    )
