"""Reads FLYWHEEL_WAREHOUSE: which destination an address means."""

import re
from pathlib import Path

from flywheel_dagster.datasets.warehouse.bigquery_table import BigQueryTable
from flywheel_dagster.datasets.warehouse.clients import VENDORS, Clients
from flywheel_dagster.datasets.warehouse.destination import Destination
from flywheel_dagster.datasets.warehouse.duckdb_table import DuckDBTable
from flywheel_dagster.datasets.warehouse.folder import Folder
from flywheel_dagster.datasets.warehouse.object_store import STORES, ObjectStore
from flywheel_dagster.datasets.warehouse.snowflake_table import SnowflakeAccount, SnowflakeTable
from flywheel_dagster.errors import SettingsError
from flywheel_dagster.settings import Settings

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_FORMS = (
    "a folder, s3://BUCKET/PREFIX, gs://…, abfs://…, duckdb:FILE, snowflake://ACCOUNT/DATABASE/SCHEMA or bigquery://PROJECT/DATASET"
)


def destination_of(address: str, settings: Settings, *, clients: Clients = VENDORS) -> Destination:
    """The destination that an address names; nothing is opened yet. Credentials come from the environment, never from the address.

    Raises SettingsError for an address of another form.
    """
    found = _SCHEME.match(address)
    if not found:
        return Folder(Path(address))
    scheme, rest = found[1].lower(), address[found.end() :].removeprefix("//")
    if scheme == "file":
        return Folder(Path(rest))
    if scheme == "duckdb":
        if not rest:
            raise SettingsError("FLYWHEEL_WAREHOUSE names no DuckDB file; write duckdb:PATH, such as duckdb:/data/flywheel.duckdb")
        return DuckDBTable(Path(rest))
    parts = rest.strip("/").split("/")
    # Azure writes abfs://CONTAINER@ACCOUNT.dfs.core.windows.net: an account is no credential, a colon before the @ would be one.
    login, at, _ = parts[0].rpartition("@")
    if (at and (":" in login or not scheme.startswith("abfs"))) or "?" in rest:
        raise SettingsError(
            f"FLYWHEEL_WAREHOUSE ({scheme}://…) holds a login or parameters; take them out: credentials belong in the vendor's own variables"
        )
    if scheme in STORES and all(parts):
        return ObjectStore(f"{scheme}://{'/'.join(parts)}")
    if scheme == "snowflake" and len(parts) == 3 and all(parts):
        return SnowflakeTable(_account(parts, settings), clients.snowflake)
    if scheme == "bigquery" and len(parts) == 2 and all(parts):
        return BigQueryTable(parts[0], parts[1], clients.bigquery)
    raise SettingsError(f"FLYWHEEL_WAREHOUSE ({scheme}://…) is none of: {_FORMS}")


def _account(parts: list[str], settings: Settings) -> SnowflakeAccount:
    account, database, schema = parts
    password, key_password = settings.snowflake_password, settings.snowflake_private_key_password
    return SnowflakeAccount(
        account,
        database,
        schema,
        user=settings.snowflake_user,
        password=password.get_secret_value() if password else None,
        private_key_path=str(settings.snowflake_private_key_path) if settings.snowflake_private_key_path else None,
        private_key_password=key_password.get_secret_value() if key_password else None,
        role=settings.snowflake_role,
        warehouse=settings.snowflake_warehouse,
    )
