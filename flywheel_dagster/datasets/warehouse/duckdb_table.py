"""Exports into a table of a DuckDB file."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from flywheel_dagster.datasets.warehouse.destination import WarehouseError, refusals
from flywheel_dagster.datasets.warehouse.schema import Schema
from flywheel_dagster.patience import Patience

# One process at a time may write to a DuckDB file, and readers keep it closed to writers.
_PATIENCE = Patience(poll=timedelta(seconds=2))
_TRIES = 20
_MEMORY, _MEMORY_WITH_TEXTS = "100MB", "200MB"  # the rest of a large week waits on disk, beside the file


class DuckDBTable:
    """The table named as the schema's, in a file that is opened for the moment of writing only."""

    week_in_file = True
    versions_apart = False

    def __init__(self, path: Path, *, patience: Patience = _PATIENCE) -> None:
        self.path = path.expanduser().absolute()
        self.name = f"duckdb:{self.path}"
        self.patience = patience

    def location(self, schema: Schema, week: date) -> str:
        """The file and its table."""
        return f"{self.name} {schema.table}"

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Delete and insert the week in one transaction."""
        names = ", ".join(f'"{column.name}"' for column in schema.with_week)

        def write(database: duckdb.DuckDBPyConnection) -> None:
            self._require_columns(database, schema)
            database.begin()
            database.execute(f'delete from "{schema.table}" where week = $week', {"week": week})  # noqa: S608  # our own names
            database.execute(
                f'insert into "{schema.table}" ({names}) select {names} from read_parquet($file)',  # noqa: S608
                {"file": str(file)},
            )
            database.commit()

        self._work(write, schema)

    def remove(self, schema: Schema, week: date) -> None:
        """Delete the week's rows."""

        def delete(database: duckdb.DuckDBPyConnection) -> None:
            if _columns(database, schema):
                database.execute(f'delete from "{schema.table}" where week = $week', {"week": week})  # noqa: S608

        if self.path.exists():
            self._work(delete, schema)

    def is_there(self, schema: Schema) -> bool:
        """Whether the file is there; dropping a table in it drops what it held."""
        return self.path.exists()

    def close(self) -> None:
        """Nothing stays open."""

    def _require_columns(self, database: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        wanted = [(column.name, column.type) for column in schema.with_week]
        definition = ", ".join(f'"{name}" {kind}' for name, kind in wanted)
        database.execute(f'create table if not exists "{schema.table}" ({definition})')
        if (found := _columns(database, schema)) != wanted:
            other = sorted({name for name, _ in set(found) ^ set(wanted)})
            raise WarehouseError(
                f"the table {schema.table} in {self.path} is not that of schema version {schema.version} (different: {', '.join(other) or 'the order'}); "
                "rename or drop it, then run the job export_weeks over all weeks"
            )

    def _work(self, step: Callable[[Any], None], schema: Schema) -> None:
        remedy = "check that the file in FLYWHEEL_WAREHOUSE is a DuckDB database that you may write"
        with refusals(self.name, remedy, OSError, duckdb.Error):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._opened(_MEMORY_WITH_TEXTS if schema.texts else _MEMORY) as database:
                step(database)

    def _opened(self, memory: str) -> duckdb.DuckDBPyConnection:
        began = time.monotonic()
        for _ in self.patience.tries(_TRIES):
            try:
                return duckdb.connect(str(self.path), config={"threads": 1, "memory_limit": memory})
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise
        raise WarehouseError(
            f"{self.path} is open in another program for more than {time.monotonic() - began:.0f} s; close it there, or open it there read-only "
            "for short, then run the export again"
        )


def _columns(database: duckdb.DuckDBPyConnection, schema: Schema) -> list[tuple[str, str]]:
    return database.execute(
        "select column_name, data_type from duckdb_columns() where table_name = $table and schema_name = 'main' "
        "and database_name = current_database() order by column_index",
        {"table": schema.table},
    ).fetchall()
