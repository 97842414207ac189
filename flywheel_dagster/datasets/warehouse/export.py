"""Exports weeks, remembers where each stands and what it knew, and writes anew what must not stand as it is. Destinations do the rest."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.destination import Destination, WarehouseError
from flywheel_dagster.datasets.warehouse.parquet import WeekFile, working_folder, write_week
from flywheel_dagster.datasets.warehouse.schema import COLUMNS, SCHEMA_VERSION, TABLE_WITH_TEXTS, Schema, schema_of
from flywheel_dagster.errors import InputError, SettingsError
from flywheel_dagster.settings import Settings

_ATTEMPTS = 5


@dataclass(frozen=True)
class ExportedWeek:
    """A week as it stands in a destination; `bytes` are those of its Parquet file, 0 where an empty week has none."""

    week: date
    rows: int
    bytes: int
    location: str


@dataclass(frozen=True)
class StaleExport:
    """A week whose export is not what the database has, and why."""

    week: date
    reason: str


def export_weeks(
    connection: psycopg.Connection[TupleRow],
    weeks: Iterable[date],
    destination: Destination,
    *,
    texts: bool = False,
    progress: Callable[[ExportedWeek], None] = lambda _: None,
) -> list[ExportedWeek]:
    """Write weeks (Mondays) to the destination, each whole, in one step, from one snapshot; a re-run gives the same bytes.

    An empty week has no file and no row. Two processes on one week wait for each other. Raises InputError for a day that is no Monday,
    WarehouseError when the destination refuses; weeks before the refused one stand, and those that don't are told by `stale_exports`.
    """
    schema = schema_of(texts=texts)
    exported = []
    for week in _mondays(weeks):
        exported.append(_export(connection, week, destination, schema))
        progress(exported[-1])
    return exported


def _export(connection: psycopg.Connection[TupleRow], week: date, destination: Destination, schema: Schema) -> ExportedWeek:
    record = _record(destination, schema, week)
    with held_lock(connection, Lock.WEEK, week.toordinal()):
        connection.execute(statement("plan_warehouse_export"), record)
        connection.commit()
        for _ in range(_ATTEMPTS):
            try:
                return _write(connection, week, destination, schema)
            except psycopg.errors.SerializationFailure:
                continue  # somebody was erased while we wrote: once more, without them
    raise WarehouseError(f"week {week} was changed {_ATTEMPTS} times while it was exported; run the export again")


def _write(connection: psycopg.Connection[TupleRow], week: date, destination: Destination, schema: Schema) -> ExportedWeek:
    record = _record(destination, schema, week)
    with one_snapshot(connection), working_folder() as folder:
        file = write_week(connection, schema, week, folder, week_in_file=destination.week_in_file)
        if file.rows:
            destination.put(schema, week, file.path)
        else:
            file = WeekFile(file.path, 0, 0)
            destination.remove(schema, week)
        connection.execute(statement("mark_week_exported"), record | {"rows": file.rows, "bytes": file.bytes})
        if not destination.versions_apart:
            connection.execute(statement("forget_other_versions"), record)
    return ExportedWeek(week, file.rows, file.bytes, destination.location(schema, week))


def stale_exports(connection: psycopg.Connection[TupleRow], destination: Destination, *, texts: bool = False) -> list[StaleExport]:
    """The weeks that the destination doesn't have as they are: never exported, changed since, of another formula, or due."""
    schema = schema_of(texts=texts)
    found = connection.execute(
        statement("stale_exports"), {"destination": destination.name, "table": schema.table, "version": schema.version}
    ).fetchall()
    return [StaleExport(week, reason) for week, reason in found]


def mark_exports_due(connection: psycopg.Connection[TupleRow], weeks: Iterable[date]) -> int:
    """Say that every export of these weeks (Mondays), in any destination, must be written anew; returns how many.

    Belongs in the transaction that erases: an export that runs at the same moment then either doesn't see what was erased, or starts over.
    """
    return connection.execute(statement("mark_exports_due"), {"weeks": _mondays(weeks)}).rowcount


def rewrite_weeks_of(connection: psycopg.Connection[TupleRow], weeks: Iterable[date], settings: Settings) -> list[ExportedWeek]:
    """Write weeks (Mondays) anew in every destination where they were exported before, texts too; commits what is open in `connection`.

    Files of an older schema version are deleted, since nobody can write them any more. A destination that refuses stops no other: its
    weeks stay due, and one WarehouseError at the end names each of them.
    """
    mondays = _mondays(weeks)
    mark_exports_due(connection, mondays)
    connection.commit()
    due = connection.execute(statement("due_exports"), {"weeks": mondays}).fetchall()
    connection.commit()
    rewritten, refused = [], []
    for name in sorted({row[0] for row in due}):
        try:
            rewritten += _rewrite(connection, destination_of(name, settings), [row[1:] for row in due if row[0] == name])
        except (WarehouseError, SettingsError) as error:
            refused.append(str(error))
    if refused:
        remedy = "then run the job export_weeks for these weeks, until then what should go stands there"
        forget = "destinations that are gone for good are forgotten by deleting their rows from warehouse_exports"
        raise WarehouseError("; ".join([*refused, remedy, forget]))
    return rewritten


def _rewrite(connection: psycopg.Connection[TupleRow], destination: Destination, exports: Sequence[TupleRow]) -> list[ExportedWeek]:
    rewritten = []
    try:
        for table, version, week, was_exported in exports:
            if was_exported and not destination.is_there(Schema(table, COLUMNS, version)):
                raise WarehouseError(f"{table} is not in {destination.name}, where week {week} was exported; mount or restore it")
            if version == SCHEMA_VERSION:
                rewritten.append(_export(connection, week, destination, schema_of(texts=table == TABLE_WITH_TEXTS)))
            else:
                old = Schema(table, COLUMNS, version)
                _forget(connection, destination, old, week)
                rewritten.append(ExportedWeek(week, 0, 0, destination.location(old, week)))
    finally:
        destination.close()
    return rewritten


def _forget(connection: psycopg.Connection[TupleRow], destination: Destination, old: Schema, week: date) -> None:
    with held_lock(connection, Lock.WEEK, week.toordinal()), connection.transaction():
        destination.remove(old, week)
        connection.execute(statement("forget_warehouse_export"), _record(destination, old, week))


def _record(destination: Destination, schema: Schema, week: date) -> dict[str, object]:
    return {"destination": destination.name, "table": schema.table, "version": schema.version, "week": week}


def _mondays(weeks: Iterable[date]) -> list[date]:
    sorted_weeks = sorted(set(weeks))
    for week in sorted_weeks:
        if week.weekday() != 0:
            raise InputError(f"{week} is no Monday; a week is named by its Monday")
    return sorted_weeks
