"""Exports through fsspec: its memory filesystem, and S3 as a server speaks it over HTTP."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.destination import WarehouseError
from flywheel_dagster.datasets.warehouse.export import export_weeks, rewrite_weeks_of, stale_exports
from flywheel_dagster.datasets.warehouse.object_store import ObjectStore
from flywheel_dagster.datasets.warehouse.schema import schema_of
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, WEEKS, write

Connection = psycopg.Connection[TupleRow]
SCHEMA = schema_of(texts=False)


def memory() -> Any:
    return pytest.importorskip("fsspec").filesystem("memory")


@pytest.fixture
def in_memory() -> Iterator[ObjectStore]:
    name = f"memory://{uuid4().hex}"
    memory()
    yield ObjectStore(f"{name}/lake")
    if memory().exists(name):
        memory().rm(name, recursive=True)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    pytest.importorskip("s3fs", reason="the extra warehouse-s3 is not installed")
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # credentials are read once for a process
    bucket = f"flywheel-{uuid4().hex[:8]}"
    s3fs.S3FileSystem().mkdir(bucket)
    return ObjectStore(f"s3://{bucket}/lake")


@pytest.fixture(params=["in_memory", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, ObjectStore)
    return found


def objects(store: ObjectStore) -> dict[str, bytes]:
    import fsspec

    filesystem = fsspec.filesystem(store.name.partition("://")[0])
    filesystem.invalidate_cache()
    root = filesystem._strip_protocol(store.name)
    return (
        {path.removeprefix(root): content for path, content in filesystem.cat(filesystem.find(root)).items()}
        if filesystem.exists(root)
        else {}
    )


def count(content: bytes, folder: Path) -> int:
    path = folder / "week.parquet"
    path.write_bytes(content)
    with duckdb.connect() as reader:
        found = reader.execute("select count(*) from read_parquet($path)", {"path": str(path)}).fetchone()
    assert found is not None
    return int(found[0])


def test_weeks_arrive_and_arrive_alike_again(connection: Connection, store: ObjectStore, tmp_path: Path) -> None:
    for week in range(2):
        write(connection, 3 + week, week=week)
    exported = export_weeks(connection, WEEKS, store)
    first = objects(store)
    assert sorted(first) == [
        "/training_ready_outcomes/v1/_schema.json",
        "/training_ready_outcomes/v1/week=2026-01-05/outcomes.parquet",
        "/training_ready_outcomes/v1/week=2026-01-12/outcomes.parquet",
    ]
    assert [count(first[path], tmp_path) for path in sorted(first)[1:]] == [3, 4]
    assert first["/training_ready_outcomes/v1/_schema.json"] == SCHEMA.description().encode()
    assert exported[0].location == f"{store.name}/training_ready_outcomes/v1/week=2026-01-05/outcomes.parquet"
    export_weeks(connection, WEEKS, store)
    assert objects(store) == first
    assert stale_exports(connection, store) == []


def test_an_emptied_week_has_no_object(connection: Connection, store: ObjectStore) -> None:
    write(connection, 3)
    export_weeks(connection, [WEEK], store)
    connection.execute("delete from outcome_labels")
    connection.commit()
    export_weeks(connection, WEEKS, store)
    assert sorted(objects(store)) == ["/training_ready_outcomes/v1/_schema.json"]


def test_an_erased_week_is_written_anew(connection: Connection, store: ObjectStore, database: Database, tmp_path: Path) -> None:
    write(connection, 2, lead_id="ada")
    write(connection, 1, lead_id="bob")
    export_weeks(connection, [WEEK], store)
    connection.execute("delete from outcome_labels where lead_id = 'ada'")
    connection.commit()
    assert [week.rows for week in rewrite_weeks_of(connection, [WEEK], database.settings)] == [1]
    assert count(objects(store)["/training_ready_outcomes/v1/week=2026-01-05/outcomes.parquet"], tmp_path) == 1


def test_a_store_that_lost_the_table_is_named_when_something_has_to_go(
    connection: Connection, in_memory: ObjectStore, database: Database
) -> None:
    write(connection, 1)
    export_weeks(connection, [WEEK], in_memory)
    memory().rm(in_memory.name, recursive=True)
    with pytest.raises(WarehouseError, match=f"not in {in_memory.name}"):
        rewrite_weeks_of(connection, [WEEK], database.settings)


def test_a_bucket_that_is_not_there_is_refused_with_the_remedy(connection: Connection, s3: ObjectStore) -> None:
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"s3://no-such-bucket.*check the bucket, and AWS_ACCESS_KEY_ID"):
        export_weeks(connection, [WEEK], ObjectStore("s3://no-such-bucket/lake"))
    assert [export.reason for export in stale_exports(connection, ObjectStore("s3://no-such-bucket/lake"))] == ["due"]


def test_missing_credentials_are_named_with_the_remedy(
    connection: Connection, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    s3fs.S3FileSystem.clear_instance_cache()
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"credentials.*AWS_PROFILE"):
        export_weeks(connection, [WEEK], s3)


def test_an_s3_server_that_is_away_is_refused_with_the_remedy(
    connection: Connection, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"127\.0\.0\.1:9.*check the bucket"):
        export_weeks(connection, [WEEK], s3)


@pytest.mark.parametrize(
    ("name", "extra"), [("gs://bucket/lake", "warehouse-gcs"), ("abfs://lake@account.dfs.core.windows.net", "warehouse-azure")]
)
def test_a_vendor_whose_library_is_not_installed_is_named_with_its_extra(connection: Connection, name: str, extra: str) -> None:
    try:
        __import__({"warehouse-gcs": "gcsfs", "warehouse-azure": "adlfs"}[extra])
    except ImportError:
        pass
    else:
        pytest.skip(f"{extra} is installed")
    write(connection, 1)
    with pytest.raises(WarehouseError, match=rf"not installed.*pip install 'flywheel-dagster\[{extra}\]'"):
        export_weeks(connection, [WEEK], ObjectStore(name))
