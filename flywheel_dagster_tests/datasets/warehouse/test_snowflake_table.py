"""Exports to Snowflake up to where an account is needed: the official Dagster integration and Snowflake's connector, over HTTP to a server
that logs in, takes statements and hands out a local stage as Snowflake's own does."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.clients import VENDORS, Clients
from flywheel_dagster.datasets.warehouse.destination import WarehouseError
from flywheel_dagster.datasets.warehouse.export import export_weeks, rewrite_weeks_of, stale_exports
from flywheel_dagster.datasets.warehouse.schema import schema_of
from flywheel_dagster.datasets.warehouse.snowflake_table import SnowflakeAccount, SnowflakeTable, copy, delete, prepare, uploading
from flywheel_dagster.resources import INTEGRATIONS, snowflake_arguments
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.answering import Answering, Request, answering
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, write

Connection = psycopg.Connection[TupleRow]
ADDRESS = "snowflake://org-account/SALES/PUBLIC"
ACCOUNT = SnowflakeAccount("org-account", "SALES", "PUBLIC", user="flywheel", password="tell-nobody", warehouse="SMALL")
SCHEMA = schema_of(texts=False)


ABSENT = find_spec("dagster_snowflake") is None
with_extra = pytest.mark.skipif(ABSENT, reason="the extra warehouse-snowflake is not installed")
pytestmark = pytest.mark.filterwarnings(
    "ignore:Using extra keyword arguments on `Field` is deprecated:pydantic.warnings.PydanticDeprecatedSince20"  # dagster-snowflake's own
)


@dataclass
class Snowflake:
    """What the server knows: its stage, the statements it was sent, and what it refuses."""

    stage: Path
    served: Answering | None = None
    refused: str = ""
    login_refused: bool = False

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        if "/login-request" in request.path:
            if self.login_refused:
                return (
                    200,
                    {},
                    {"success": False, "code": "390100", "message": "Incorrect username or password was specified.", "data": {}},
                )
            tokens = {"token": "t", "masterToken": "m", "validityInSeconds": 3600, "masterValidityInSeconds": 14400}
            return (
                200,
                {},
                {"success": True, "data": tokens | {"parameters": [], "sessionInfo": {}, "serverVersion": "9", "sessionId": 1}},
            )
        if "/queries/" not in request.path:
            return 200, {}, {"success": True, "data": None}
        text = request.json["sqlText"]
        if self.refused and self.refused in text:
            data = {"sqlState": "42501", "queryId": "q", "errorCode": "003001"}
            return (
                200,
                {},
                {"success": False, "code": "003001", "message": "SQL access control error: Insufficient privileges", "data": data},
            )
        if text.startswith("put "):
            stage = {"locationType": "LOCAL_FS", "location": str(self.stage), "path": "", "region": None, "creds": {}}
            data = {"command": "UPLOAD", "src_locations": [text.split("'")[1].removeprefix("file://")], "stageInfo": stage}
            data |= {
                "parallel": 1,
                "threshold": 2**26,
                "autoCompress": False,
                "overwrite": True,
                "sourceCompression": "none",
                "clientShowEncryptionParameter": False,
            }
            return (
                200,
                {},
                {"success": True, "data": data | {"queryId": "q", "statementTypeId": 0x7000}},
            )
        data = {
            "rowtype": [],
            "rowset": [],
            "total": 0,
            "returned": 0,
            "queryId": "q",
            "queryResultFormat": "json",
            "parameters": [],
        }
        return 200, {}, {"success": True, "data": data | {"statementTypeId": 0x6000, "sqlState": "00000"}}

    @property
    def statements(self) -> list[str]:
        assert self.served is not None
        return [request.json["sqlText"] for request in self.served.requests if "/queries/" in request.path and request.body]

    def address(self) -> dict[str, Any]:
        assert self.served is not None
        return {"host": "127.0.0.1", "port": self.served.port, "protocol": "http"}


@pytest.fixture
def snowflake(tmp_path: Path) -> Iterator[Snowflake]:
    (tmp_path / "stage").mkdir()
    known = Snowflake(tmp_path / "stage")
    with answering(known.answer) as served:
        known.served = served
        yield known


@pytest.fixture(params=["dagster_snowflake", "snowflake"])
def table(request: pytest.FixtureRequest, snowflake: Snowflake) -> Iterator[SnowflakeTable]:
    def by_dagster(account: SnowflakeAccount) -> AbstractContextManager[Any]:
        import dagster_snowflake

        resource = dagster_snowflake.SnowflakeResource(
            **snowflake_arguments(account), additional_snowflake_connection_args=snowflake.address()
        )
        return cast(AbstractContextManager[Any], resource.get_connection())

    def by_connector(account: SnowflakeAccount) -> AbstractContextManager[Any]:
        import snowflake.connector as connector

        return closing(connector.connect(**snowflake_arguments(account), **snowflake.address()))

    with closing(SnowflakeTable(ACCOUNT, by_dagster if request.param == "dagster_snowflake" else by_connector)) as found:
        yield found


def test_the_account_is_read_from_the_address_and_the_credentials_from_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SNOWFLAKE_USER": "flywheel",
        "SNOWFLAKE_PASSWORD": "tell-nobody",
        "SNOWFLAKE_WAREHOUSE": "SMALL",
        "SNOWFLAKE_ROLE": "LOADER",
        "SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/flywheel.p8",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "hush",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert "tell-nobody" not in repr(settings) and "hush" not in repr(settings)
    found = destination_of(ADDRESS, settings)
    assert isinstance(found, SnowflakeTable)
    assert found.name == ADDRESS
    assert snowflake_arguments(found.account) == {
        "account": "org-account",
        "database": "SALES",
        "schema": "PUBLIC",
        "user": "flywheel",
        "password": "tell-nobody",
        "private_key_path": "/keys/flywheel.p8",
        "private_key_password": "hush",
        "role": "LOADER",
        "warehouse": "SMALL",
        "login_timeout": 60,
    }


def test_a_week_is_replaced_by_statements_in_one_transaction() -> None:
    assert prepare(SCHEMA)[0] == "alter session set timezone = 'UTC'"
    assert prepare(SCHEMA)[1].startswith(
        "create table if not exists training_ready_outcomes (id varchar, organization_id varchar, "
    )
    assert ", deal_value number(14, 2), " in prepare(SCHEMA)[1] and ", week date) comment = " in prepare(SCHEMA)[1]
    assert uploading(Path("/tmp/it's here.parquet"), "@stage/1") == [
        "put 'file:///tmp/it\\'s here.parquet' @stage/1 auto_compress = false overwrite = true"
    ]
    assert delete(SCHEMA, WEEK) == "delete from training_ready_outcomes where week = '2026-01-05'::date"
    assert "$1:sent_at::timestamp_tz, " in copy(SCHEMA, "@stage/1/outcomes.parquet")
    assert copy(SCHEMA, "@stage/1/outcomes.parquet").endswith(
        "from @stage/1/outcomes.parquet) file_format = (type = parquet use_logical_type = true) on_error = abort_statement force = true purge = true"
    )


@with_extra
def test_a_week_goes_through_the_connector_and_its_stage(
    connection: Connection, table: SnowflakeTable, snowflake: Snowflake
) -> None:
    write(connection, 3)
    (exported,) = export_weeks(connection, [WEEK], table)
    assert exported.location == f"{ADDRESS}/training_ready_outcomes"
    verbs = [" ".join(statement.split()[:2]) for statement in snowflake.statements]
    assert verbs[:3] == ["alter session", "create table", "create temporary"]
    assert [verb.split()[0] for verb in verbs[3:]] == ["put", "begin", "delete", "copy", "commit"]
    (staged,) = [path for path in snowflake.stage.rglob("*") if path.is_file()]
    assert staged.read_bytes().startswith(b"PAR1")
    assert stale_exports(connection, table) == []


@with_extra
def test_a_refused_statement_rolls_back_and_names_the_remedy(
    connection: Connection, table: SnowflakeTable, snowflake: Snowflake
) -> None:
    snowflake.refused = "copy into"
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"Insufficient privileges.*SNOWFLAKE_ROLE"):
        export_weeks(connection, [WEEK], table)
    assert snowflake.statements[-1] == "rollback"
    assert [export.reason for export in stale_exports(connection, table)] == ["due"]


@with_extra
def test_an_account_that_refuses_the_login_is_named_with_the_remedy(
    connection: Connection, table: SnowflakeTable, snowflake: Snowflake
) -> None:
    snowflake.login_refused = True
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"Incorrect username or password.*SNOWFLAKE_USER") as refused:
        export_weeks(connection, [WEEK], table)
    assert "tell-nobody" not in str(refused.value)


@pytest.mark.parametrize("clients", [INTEGRATIONS, VENDORS], ids=["dagster_snowflake", "snowflake"])
def test_missing_credentials_are_named_before_anything_is_sent(
    connection: Connection, database: Database, clients: Clients
) -> None:
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"no credentials for snowflake://org-account/SALES/PUBLIC.*SNOWFLAKE_USER"):
        export_weeks(connection, [WEEK], destination_of(ADDRESS, database.settings, clients=clients))


@pytest.mark.skipif(not ABSENT, reason="the extra is installed")
def test_without_the_extra_its_name_is_told_also_when_something_has_to_go(connection: Connection) -> None:
    settings = Settings(_env_file=None, SNOWFLAKE_USER="flywheel", SNOWFLAKE_PASSWORD="tell-nobody")
    write(connection, 1)
    remedy = r"not installed.*pip install 'flywheel-dagster\[warehouse-snowflake\]'"
    for clients in (INTEGRATIONS, VENDORS):
        with pytest.raises(WarehouseError, match=remedy):
            export_weeks(connection, [WEEK], destination_of(ADDRESS, settings, clients=clients))
    with pytest.raises(WarehouseError, match=remedy):
        rewrite_weeks_of(connection, [WEEK], settings)
