"""Connections to Snowflake and BigQuery by their vendors' own clients, for commands, which don't know Dagster. Assets bring those of the
official Dagster integrations."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

from flywheel_dagster.datasets.warehouse import bigquery_table, snowflake_table
from flywheel_dagster.datasets.warehouse.destination import needed
from flywheel_dagster.datasets.warehouse.snowflake_table import SnowflakeAccount


@dataclass(frozen=True)
class Clients:
    """How to connect: a Snowflake connection for an account, a BigQuery client for a project."""

    snowflake: Callable[[SnowflakeAccount], AbstractContextManager[Any]]
    bigquery: Callable[[str], AbstractContextManager[Any]]


@contextmanager
def _snowflake(account: SnowflakeAccount) -> Iterator[Any]:
    connector = needed("snowflake.connector", extra=snowflake_table.EXTRA, address=account.address)
    given = {
        "account": account.account,
        "database": account.database,
        "schema": account.schema,
        "user": account.user,
        "password": account.password,
        "private_key_file": account.private_key_path,
        "private_key_file_pwd": account.private_key_password,
        "role": account.role,
        "warehouse": account.warehouse,
        "login_timeout": snowflake_table.LOGIN_SECONDS,
    }
    with closing(connector.connect(**{name: value for name, value in given.items() if value is not None})) as connection:
        yield connection


def _bigquery(project: str) -> AbstractContextManager[Any]:
    bigquery = needed("google.cloud.bigquery", extra=bigquery_table.EXTRA, address=f"bigquery://{project}")
    return cast(AbstractContextManager[Any], closing(bigquery.Client(project=project)))


VENDORS = Clients(_snowflake, _bigquery)
