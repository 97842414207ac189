"""Exports into a DuckDB file: a table, weeks replaced in one transaction, and patience with others who have it open."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.destination import WarehouseError
from flywheel_dagster.datasets.warehouse.duckdb_table import DuckDBTable
from flywheel_dagster.datasets.warehouse.export import export_weeks, rewrite_weeks_of, stale_exports
from flywheel_dagster.datasets.warehouse.schema import schema_of
from flywheel_dagster.patience import Patience
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, WEEKS, write

Connection = psycopg.Connection[TupleRow]
HOLDER = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def table(tmp_path: Path) -> DuckDBTable:
    return DuckDBTable(tmp_path / "folder" / "lake.duckdb")


def weeks_in(table: DuckDBTable, name: str = "training_ready_outcomes") -> list[tuple[object, ...]]:
    with duckdb.connect(str(table.path), read_only=True) as reader:
        return reader.execute(f'select week, count(*), count(distinct id) from "{name}" group by week order by week').fetchall()


def test_weeks_are_loaded_and_replaced(connection: Connection, table: DuckDBTable) -> None:
    write(connection, 3)
    write(connection, 4, week=1)
    for _ in range(2):
        export_weeks(connection, WEEKS, table)
        assert weeks_in(table) == [(WEEKS[0], 3, 3), (WEEKS[1], 4, 4)]
    assert stale_exports(connection, table) == []
    connection.execute("delete from outcome_labels where outcome_week(sent_at) = %s", (WEEKS[1],))
    connection.commit()
    export_weeks(connection, WEEKS, table)
    assert weeks_in(table) == [(WEEKS[0], 3, 3)]


def test_the_table_has_the_types_of_the_schema(connection: Connection, table: DuckDBTable) -> None:
    write(connection, 1)
    export_weeks(connection, [WEEK], table, texts=True)
    with duckdb.connect(str(table.path), read_only=True) as reader:
        found = reader.execute(
            "select column_name, data_type from duckdb_columns() where table_name = 'training_ready_outcomes_with_texts'"
        )
        columns = found.fetchall()
    assert columns == [(column.name, column.type) for column in schema_of(texts=True).with_week]
    assert weeks_in(table, "training_ready_outcomes_with_texts") == [(WEEK, 1, 1)]


def test_an_erased_week_is_written_anew(connection: Connection, table: DuckDBTable, database: Database) -> None:
    write(connection, 2, lead_id="ada")
    write(connection, 1, lead_id="bob")
    export_weeks(connection, [WEEK], table)
    connection.execute("delete from outcome_labels where lead_id = 'ada'")
    connection.commit()
    rewrite_weeks_of(connection, [WEEK], database.settings)
    assert weeks_in(table) == [(WEEK, 1, 1)]


def test_what_else_is_in_the_file_stays(connection: Connection, table: DuckDBTable) -> None:
    table.path.parent.mkdir()
    with duckdb.connect(str(table.path)) as owner:
        owner.execute("create table mine as select 42 as answer")
    write(connection, 1)
    export_weeks(connection, [WEEK], table)
    with duckdb.connect(str(table.path), read_only=True) as reader:
        assert reader.execute("select * from mine").fetchall() == [(42,)]


@pytest.mark.parametrize(
    "made", ["create table training_ready_outcomes (week date)", "create view training_ready_outcomes as select 1 as week"]
)
def test_a_table_of_another_shape_is_left_alone_and_named_with_the_remedy(
    connection: Connection, table: DuckDBTable, made: str
) -> None:
    table.path.parent.mkdir()
    with duckdb.connect(str(table.path)) as owner:
        owner.execute(made)
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"training_ready_outcomes"):
        export_weeks(connection, [WEEK], table)
    with duckdb.connect(str(table.path), read_only=True) as reader:
        assert len(reader.execute("describe training_ready_outcomes").fetchall()) == 1


def test_a_file_that_is_no_database_is_named_and_left_as_it_is(connection: Connection, table: DuckDBTable) -> None:
    table.path.parent.mkdir()
    table.path.write_text("a letter to Ada, long enough to be taken for something else" * 100)
    before = table.path.read_bytes()
    write(connection, 1)
    with pytest.raises(WarehouseError, match=r"lake\.duckdb.*check that the file in FLYWHEEL_WAREHOUSE"):
        export_weeks(connection, [WEEK], table)
    assert table.path.read_bytes() == before


def test_a_file_that_another_program_has_open_is_waited_for(connection: Connection, tmp_path: Path) -> None:
    write(connection, 1)
    path = tmp_path / "lake.duckdb"
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        never = DuckDBTable(path, patience=Patience(poll=timedelta(0), sleep=lambda _: None))
        with pytest.raises(WarehouseError, match=r"open in another program.*close it there"):
            export_weeks(connection, [WEEK], never)

        def close_it(_: float) -> None:
            holder.communicate()

        export_weeks(connection, [WEEK], DuckDBTable(path, patience=Patience(poll=timedelta(0), sleep=close_it)))
    assert weeks_in(DuckDBTable(path)) == [(WEEK, 1, 1)]
