"""Assembles a scope's dataset: chooses the examples, streams them into files named by their content, and publishes them."""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.choosing import choose
from flywheel_dagster.datasets.files import TEST, TRAIN, VALIDATION, Written
from flywheel_dagster.datasets.published import CHAT, Dataset, require_scope
from flywheel_dagster.datasets.publishing import Draft, publish, write_files
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.streaming import stream_to_files


def assemble(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    """Choose, write and publish the dataset of a scope ("global" or an organisation's id).

    The files are complete and in place before the database knows of them, and a run after a crash gives the same bytes, hence the
    same name. Raises InputError for an unknown organisation or a folder that can't be written.
    """
    require_scope(connection, scope)
    selection = selection.dated()
    # One at a time: two scopes may come to the same dataset, and its rows are then there already.
    with held_lock(connection, Lock.ASSEMBLY):
        with one_snapshot(connection):
            draft = Draft(CHAT, scope, selection, choose(connection, scope, selection))
            folder = write_files(connection, draft, directory, lambda folder: write_lines(connection, folder))
        return publish(connection, draft, directory, folder)


def write_lines(connection: psycopg.Connection[TupleRow], folder: Path) -> list[Written]:
    """Write the JSONL files of the members that stand in `dataset_selection`."""
    # The selection and the rows are read side by side, each from its index: joined in any other way, all lines would be sorted on disk.
    connection.execute("set local enable_sort = off")
    connection.execute("set local enable_hashjoin = off")
    written = stream_to_files(
        connection, sql.SQL(statement("copy_dataset_lines")), [folder / name for name in (TRAIN, VALIDATION, TEST)]
    )
    connection.execute("set local enable_sort = on")
    connection.execute("set local enable_hashjoin = on")
    return written
