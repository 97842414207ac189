"""FLYWHEEL_WAREHOUSE: what each form of address leads to, and what is refused."""

from pathlib import Path

import pytest

from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.bigquery_table import BigQueryTable
from flywheel_dagster.datasets.warehouse.duckdb_table import DuckDBTable
from flywheel_dagster.datasets.warehouse.folder import Folder
from flywheel_dagster.datasets.warehouse.object_store import ObjectStore
from flywheel_dagster.datasets.warehouse.snowflake_table import SnowflakeTable
from flywheel_dagster.errors import SettingsError
from flywheel_dagster.settings import Settings

SETTINGS = Settings(_env_file=None)


@pytest.mark.parametrize(
    ("address", "kind", "name"),
    [
        ("/data/lake", Folder, "/data/lake"),
        ("file:///data/lake", Folder, "/data/lake"),
        ("s3://bucket/lake/", ObjectStore, "s3://bucket/lake"),
        ("gs://bucket", ObjectStore, "gs://bucket"),
        ("abfs://lake@account.dfs.core.windows.net/a/b", ObjectStore, "abfs://lake@account.dfs.core.windows.net/a/b"),
        ("duckdb:/data/lake.duckdb", DuckDBTable, "duckdb:/data/lake.duckdb"),
        ("snowflake://org-account/SALES/PUBLIC", SnowflakeTable, "snowflake://org-account/SALES/PUBLIC"),
        ("bigquery://project-1/sales", BigQueryTable, "bigquery://project-1/sales"),
    ],
)
def test_an_address_leads_to_its_destination_and_back(address: str, kind: type, name: str) -> None:
    found = destination_of(address, SETTINGS)
    assert (type(found), found.name) == (kind, name)
    assert destination_of(found.name, SETTINGS).name == name


def test_a_folder_may_be_relative_and_is_remembered_whole() -> None:
    assert destination_of("lake", SETTINGS).name == str(Path("lake").absolute())
    assert destination_of("duckdb:lake.duckdb", SETTINGS).name == f"duckdb:{Path('lake.duckdb').absolute()}"


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "ftp://host/x",
        "bigquery://project",
        "snowflake://account/db",
        "snowflake://a/b/c/d",
        "duckdb:",
        "redshift://x/y",
        "s3://bucket//x",
    ],
)
def test_any_other_address_is_refused_with_the_forms_there_are(address: str) -> None:
    with pytest.raises(SettingsError, match=r"FLYWHEEL_WAREHOUSE.*(is none of: a folder, s3://|write duckdb:PATH)"):
        destination_of(address, SETTINGS)


@pytest.mark.parametrize(
    "address",
    [
        "s3://key:hunter2@bucket/x",
        "snowflake://ada:hunter2@account/db/schema",
        "bigquery://p/d?token=hunter2",
        "abfs://a:hunter2@b/c",
        "gs://hunter2@b",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(SettingsError, match="credentials belong in the vendor's own variables") as refused:
        destination_of(address, SETTINGS)
    assert "hunter2" not in str(refused.value)


def test_without_a_setting_it_is_a_folder_in_the_flywheels_home(tmp_path: Path) -> None:
    assert Settings(_env_file=None, FLYWHEEL_HOME=tmp_path).warehouse_address == str(tmp_path / "warehouse")
    given = {"FLYWHEEL_HOME": tmp_path, "FLYWHEEL_WAREHOUSE": "s3://bucket"}
    assert Settings(_env_file=None, **given).warehouse_address == "s3://bucket"
    assert Settings(_env_file=None, FLYWHEEL_LOCAL=True, **given).warehouse_address == str(tmp_path / "warehouse")
