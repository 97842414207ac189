"""Exports to BigQuery up to where an account is needed: the official Dagster integration and Google's client, over HTTP to a server that
answers as BigQuery documents it (jobs.insert as a resumable upload, tables.delete)."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.clients import VENDORS, Clients
from flywheel_dagster.datasets.warehouse.destination import WarehouseError
from flywheel_dagster.datasets.warehouse.export import export_weeks, stale_exports
from flywheel_dagster.resources import INTEGRATIONS
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.answering import Answering, Request, answering
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, WEEKS, write

Connection = psycopg.Connection[TupleRow]
ADDRESS = "bigquery://project-1/sales"
PARTITION = "training_ready_outcomes$20260105"


ABSENT = find_spec("dagster_gcp") is None
with_extra = pytest.mark.skipif(ABSENT, reason="the extra warehouse-bigquery is not installed")


def as_bigquery(request: Request) -> tuple[int, dict[str, str], object]:
    if request.path.startswith("/token"):
        return 200, {}, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
    if request.method == "DELETE":
        return 404, {}, {"error": {"code": 404, "message": "Not found", "errors": [{"reason": "notFound"}]}}
    if request.method == "POST" and "uploadType=resumable" in request.path:
        return 200, {"Location": f"{request.host}/upload/session"}, None
    done = {"jobReference": {"projectId": "project-1", "jobId": "j", "location": "EU"}, "status": {"state": "DONE"}}
    return 200, {}, done | {"configuration": {"load": {}}, "kind": "bigquery#job"}


@pytest.fixture
def bigquery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with answering(as_bigquery) as served:
        account = {
            "type": "service_account",
            "project_id": "project-1",
            "client_email": "flywheel@project-1.iam",
            "private_key_id": "1",
        }
        account |= {"private_key": key.decode(), "token_uri": f"{served.url}/token"}
        (tmp_path / "account.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", served.url)
        yield served


def uploads(bigquery: Answering) -> list[tuple[dict[str, object], bytes]]:
    """The configuration and the file of each load job."""
    described = [request.json["configuration"]["load"] for request in bigquery.requests if "uploadType=resumable" in request.path]
    content = [request.body for request in bigquery.requests if request.path == "/upload/session"]
    return list(zip(described, content, strict=True))


@with_extra
@pytest.mark.parametrize("clients", [INTEGRATIONS, VENDORS], ids=["dagster_gcp", "google"])
def test_a_week_replaces_its_partition_by_one_load_job(
    connection: Connection, bigquery: Answering, database: Database, clients: Clients
) -> None:
    write(connection, 3)
    destination = destination_of(ADDRESS, database.settings, clients=clients)
    (exported, *_) = export_weeks(connection, WEEKS, destination)
    destination.close()
    assert exported.location == f"project-1.sales.{PARTITION}"
    ((load, content),) = uploads(bigquery)
    assert load["destinationTable"] == {"projectId": "project-1", "datasetId": "sales", "tableId": PARTITION}
    assert (load["sourceFormat"], load["writeDisposition"]) == ("PARQUET", "WRITE_TRUNCATE")
    assert load["timePartitioning"] == {"type": "DAY", "field": "week"}
    columns = {column["name"]: column["type"] for column in load["schema"]["fields"]}  # type: ignore[index]
    assert (columns["id"], columns["sent_at"], columns["deal_value"], columns["week"]) == ("STRING", "TIMESTAMP", "NUMERIC", "DATE")
    assert "message_body" not in columns
    assert content.startswith(b"PAR1")
    deleted = [request.path for request in bigquery.requests if request.method == "DELETE"]
    assert [path.split("?")[0].rpartition("/")[2].replace("%24", "$") for path in deleted] == [
        "training_ready_outcomes$20260112",
        "training_ready_outcomes$20260119",
    ], "weeks without outcomes leave no partition, and need not have one"
    assert stale_exports(connection, destination) == []


@with_extra
def test_an_account_that_may_not_write_is_refused_with_the_remedy(
    connection: Connection, bigquery: Answering, database: Database
) -> None:
    denied = {"error": {"code": 403, "message": "Access Denied: Dataset project-1:sales", "errors": [{"reason": "accessDenied"}]}}
    bigquery.answer = lambda request: as_bigquery(request) if request.path.startswith("/token") else (403, {}, denied)
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"Access Denied.*BigQuery Data Editor"):
        export_weeks(connection, [WEEK], destination_of(ADDRESS, database.settings, clients=INTEGRATIONS))


@with_extra
def test_missing_credentials_are_named_with_the_remedy(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file.json")
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"/no/such/file\.json.*GOOGLE_APPLICATION_CREDENTIALS"):
        export_weeks(connection, [WEEK], destination_of(ADDRESS, database.settings, clients=INTEGRATIONS))


@pytest.mark.skipif(not ABSENT, reason="the extra is installed")
@pytest.mark.parametrize("clients", [INTEGRATIONS, VENDORS], ids=["dagster_gcp", "google"])
def test_without_the_extra_its_name_is_told(connection: Connection, database: Database, clients: Clients) -> None:
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"not installed.*pip install 'flywheel-dagster\[warehouse-bigquery\]'"):
        export_weeks(connection, [WEEK], destination_of(ADDRESS, database.settings, clients=clients))
