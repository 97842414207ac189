"""The export to the warehouse, run as Dagster runs it."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.partitions import range_tags
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import nightly_exports
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, WEEKS, rows_by_week, write
from flywheel_dagster_tests.orchestration.conftest import Run
from flywheel_dagster_tests.orchestration.test_assets import checks, metadata, why
from flywheel_dagster_tests.outcomes.making import event

Connection = psycopg.Connection[TupleRow]


@pytest.fixture
def folder(configured: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLYWHEEL_WAREHOUSE", str(tmp_path / "lake"))
    return tmp_path / "lake"


def partition_rows(instance: dg.DagsterInstance) -> dict[str | None, object]:
    records = instance.fetch_materializations(dg.AssetKey("warehouse_outcomes"), limit=10).records
    return {
        record.partition_key: record.asset_materialization.metadata["dagster/row_count"].value
        for record in records
        if record.asset_materialization
    }


def test_a_week_is_exported_by_its_partition(connection: Connection, run: Run, folder: Path, instance: dg.DagsterInstance) -> None:
    write(connection, 4)
    write(connection, 4, week=1)
    result = run("export_weeks", partition_key=str(WEEK))
    assert result.success
    assert rows_by_week(folder) == {WEEK: 4}
    assert partition_rows(instance) == {"2026-01-05": 4}
    shown = metadata(result, "warehouse_outcomes")
    assert (shown["rows_in_this_run"], shown["schema_version"], shown["destination"]) == (4, 1, str(folder))
    assert "| 2026-01-05 | 4 |" in str(shown["weeks"])
    assert "idea" not in str(shown) and "lead 0" not in str(shown)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "| 2026-01-12 | never exported |" in str(check.metadata["sample"].value)


def test_a_range_of_three_weeks_is_one_run_and_gives_what_three_runs_give(
    connection: Connection, run: Run, folder: Path, instance: dg.DagsterInstance
) -> None:
    for week in range(3):
        write(connection, 4 + week, week=week)
    result = run("export_weeks", tags=range_tags(WEEKS[0], WEEKS[-1]))
    assert checks(result) == {"exports_are_current": True}
    in_one = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    assert len(in_one) == 3
    assert partition_rows(instance) == {"2026-01-05": 4, "2026-01-12": 5, "2026-01-19": 6}
    for monday in WEEKS:
        assert run("export_weeks", partition_key=str(monday)).success
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == in_one


def test_the_check_warns_of_weeks_that_changed_since(connection: Connection, run: Run, folder: Path) -> None:
    (outcome, *_) = write(connection, 3)
    write(connection, 3, week=1)
    assert checks(run("export_weeks", tags=range_tags(*WEEKS[:2]))) == {"exports_are_current": True}
    record(connection, [event(outcome, "deal_closed", 30, value="100")])
    connection.commit()
    assert checks(run("export_weeks", partition_key=str(WEEKS[1]))) == {"exports_are_current": False}
    assert checks(run("export_weeks", partition_key=str(WEEK))) == {"exports_are_current": True}


def test_the_texts_are_exported_where_the_setting_says_so(
    connection: Connection, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_WAREHOUSE_TEXTS", "1")
    write(connection, 2)
    shown = metadata(run("export_weeks", partition_key=str(WEEK)), "warehouse_outcomes")
    assert shown["table"] == "training_ready_outcomes_with_texts"
    assert rows_by_week(folder, "training_ready_outcomes_with_texts") == {WEEK: 2}
    assert rows_by_week(folder) == {}


def test_without_a_setting_the_warehouse_is_a_folder_of_the_flywheels_home(
    connection: Connection, run: Run, tmp_path: Path
) -> None:
    write(connection, 2)
    assert run("export_weeks", partition_key=str(WEEK)).success
    assert rows_by_week(tmp_path / "home" / "warehouse") == {WEEK: 2}


def test_a_table_of_a_duckdb_file_is_filled_as_well(
    connection: Connection, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_WAREHOUSE", f"duckdb:{tmp_path / 'lake.duckdb'}")
    for week in range(3):
        write(connection, 2 + week, week=week)
    for _ in range(2):
        assert run("export_weeks", tags=range_tags(WEEKS[0], WEEKS[-1])).success
    with duckdb.connect(str(tmp_path / "lake.duckdb"), read_only=True) as reader:
        found = reader.execute("select week, count(*) from training_ready_outcomes group by week order by week").fetchall()
    assert found == [(date(2026, 1, 5), 2), (date(2026, 1, 12), 3), (date(2026, 1, 19), 4)]


def test_a_warehouse_that_refuses_fails_the_run_with_the_remedy(connection: Connection, run: Run, folder: Path) -> None:
    write(connection, 2)
    folder.write_text("in the way")
    result = run("export_weeks", partition_key=str(WEEK))
    assert not result.success
    assert "set FLYWHEEL_WAREHOUSE to a folder that you may write" in why(result)


def test_every_night_the_weeks_are_exported_that_the_warehouse_has_not_as_they_are(
    connection: Connection, run: Run, folder: Path, instance: dg.DagsterInstance
) -> None:
    for week in range(3):
        write(connection, 2, week=week)
    run("export_weeks", partition_key=str(WEEKS[1]))

    def tonight() -> dg.SkipReason | list[dg.RunRequest]:
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 2, 3, 1, 15, tzinfo=UTC), resources={"flywheel": Flywheel()}
        ) as context:
            found = nightly_exports(context)
        assert isinstance(found, dg.SkipReason | list)
        return found

    asked = tonight()
    assert isinstance(asked, list)
    assert [request.tags["dagster/asset_partition_range_start"] for request in asked] == ["2026-01-05", "2026-01-19"]
    run("export_weeks", tags=range_tags(WEEKS[0], WEEKS[-1]))
    assert isinstance(tonight(), dg.SkipReason)
