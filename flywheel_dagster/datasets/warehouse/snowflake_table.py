"""Exports into a table of Snowflake. Who opens the connection is in `clients.py`: the official Dagster integration, or Snowflake's own client."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from flywheel_dagster.datasets.warehouse.destination import WarehouseError, needed, refusals
from flywheel_dagster.datasets.warehouse.schema import Column, Schema

EXTRA = "warehouse-snowflake"
LOGIN_SECONDS = 60  # after that, an account that doesn't answer is away
_STAGE = "flywheel_exports"
_TYPES = {"VARCHAR": "varchar", "DOUBLE": "double", "BOOLEAN": "boolean", "INTEGER": "integer", "DATE": "date"} | {
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
    "DECIMAL(14,2)": "number(14, 2)",
}
_REMEDY = (
    "check FLYWHEEL_WAREHOUSE (snowflake://ACCOUNT/DATABASE/SCHEMA), SNOWFLAKE_USER with SNOWFLAKE_PASSWORD or SNOWFLAKE_PRIVATE_KEY_PATH, "
    "SNOWFLAKE_WAREHOUSE and SNOWFLAKE_ROLE; the role may create tables and stages in the schema"
)


@dataclass(frozen=True)
class SnowflakeAccount:
    """Where to connect, and as whom. `password` is a password or a programmatic access token."""

    account: str
    database: str
    schema: str
    user: str | None = None
    password: str | None = None
    private_key_path: str | None = None
    private_key_password: str | None = None
    role: str | None = None
    warehouse: str | None = None

    @property
    def address(self) -> str:
        """The account's part of FLYWHEEL_WAREHOUSE, without credentials."""
        return f"snowflake://{self.account}/{self.database}/{self.schema}"


class SnowflakeTable:
    """The table named as the schema's, in one schema of an account. Connects when the first week comes."""

    week_in_file = True
    versions_apart = False

    def __init__(self, account: SnowflakeAccount, connect: Callable[[SnowflakeAccount], AbstractContextManager[Any]]) -> None:
        self.account = account
        self.name = account.address
        self._connect = connect
        self._held = ExitStack()
        self._connection: Any = None

    def location(self, schema: Schema, week: date) -> str:
        """The table's full name."""
        return f"{self.name}/{schema.table}"

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Upload to a temporary stage, then delete and copy the week in one transaction."""
        staged = f"@{_STAGE}/{uuid4().hex}"  # a retry of ours never meets a file of another
        self._run(prepare(schema), uploading(file, staged))
        self._run(["begin", delete(schema, week), copy(schema, f"{staged}/{file.name}"), "commit"])

    def remove(self, schema: Schema, week: date) -> None:
        """Delete the week's rows."""
        self._run([*prepare(schema), delete(schema, week)])

    def is_there(self, schema: Schema) -> bool:
        """True: an account that is away refuses instead of looking empty."""
        return True

    def close(self) -> None:
        """Close the connection, if it was opened."""
        self._held.close()
        self._connection = None

    def _run(self, *statements: Sequence[str]) -> None:
        if not (self.account.user and (self.account.password or self.account.private_key_path)):
            raise WarehouseError(f"no credentials for {self.name}; {_REMEDY}")
        errors = needed("snowflake.connector.errors", extra=EXTRA, address=self.name)
        # OSError and ValueError: a private key that isn't there, or isn't one.
        with refusals(self.name, _REMEDY, errors.Error, OSError, ValueError):
            if self._connection is None:
                self._connection = self._held.enter_context(self._connect(self.account))
            with self._connection.cursor() as cursor:
                try:
                    for each in statements:
                        for statement in each:
                            cursor.execute(statement)
                except errors.Error:
                    cursor.execute("rollback")
                    raise


def prepare(schema: Schema) -> list[str]:
    """The statements that make the session and the table what an export needs."""
    columns = ", ".join(f"{column.name} {_TYPES[column.type]}" for column in schema.with_week)
    return [
        "alter session set timezone = 'UTC'",
        f"create table if not exists {schema.table} ({columns}) comment = 'flywheel, schema version {schema.version}'",
        f"create temporary stage if not exists {_STAGE}",
    ]


def uploading(file: Path, staged: str) -> list[str]:
    """The statement that uploads the file."""
    path = file.as_posix().replace("'", "\\'")
    return [f"put 'file://{path}' {staged} auto_compress = false overwrite = true"]


def delete(schema: Schema, week: date) -> str:
    """The statement that empties the week."""
    return f"delete from {schema.table} where week = '{week.isoformat()}'::date"  # noqa: S608  # our own names


def copy(schema: Schema, staged: str) -> str:
    """The statement that loads the week. `force`: Snowflake skips a file that it remembers, also when its rows were deleted since."""
    names = ", ".join(column.name for column in schema.with_week)
    values = ", ".join(_value(column) for column in schema.with_week)
    return (
        f"copy into {schema.table} ({names}) from (select {values} from {staged}) "  # noqa: S608
        "file_format = (type = parquet use_logical_type = true) on_error = abort_statement force = true purge = true"
    )


def _value(column: Column) -> str:
    return f"$1:{column.name}::{_TYPES[column.type]}"
