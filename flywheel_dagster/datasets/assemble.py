"""Assembles a scope's dataset: chooses the examples, streams them into files named by their content, and publishes them in one transaction."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.choosing import choose
from flywheel_dagster.datasets.examples import example_format
from flywheel_dagster.datasets.files import MANIFEST, TEST, TRAIN, VALIDATION, Folder, Written, write_folder
from flywheel_dagster.datasets.published import CHAT, Dataset, current_dataset, require_scope
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.streaming import stream_to_file, stream_to_files

MANIFEST_VERSION = 2
_SIDES = {"T": TRAIN, "V": VALIDATION, "X": TEST}


def assemble(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    """Choose, write and publish the dataset of a scope ("global" or an organisation's id).

    The files are complete and in place before the database knows of them, and a run after a crash gives the same bytes, hence the
    same name. Raises InputError for an unknown organisation or a folder that can't be written.
    """
    require_scope(connection, scope)
    # One at a time: two scopes may come to the same dataset, and its rows are then there already.
    with held_lock(connection, Lock.ASSEMBLY), one_snapshot(connection):
        return _assemble(connection, scope, directory, selection.dated())


def _assemble(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    chosen = choose(connection, scope, selection)
    facts: dict[str, Any] = {
        "kind": CHAT,
        "example_format": example_format(outcome_note=selection.outcome_note),
        "code_version": version("flywheel-dagster"),
    }
    about = {
        "scope": scope,
        "manifest_version": MANIFEST_VERSION,
        **facts,
        "settings": selection.described(),
        **chosen.totals,
        "candidates": chosen.candidates,
        "dropped": chosen.dropped,
    }
    folder = _write(connection, directory, about, repeats=selection.repeat_up_to > 1)
    facts |= chosen.totals | {"hash": folder.name, "bytes": folder.bytes}
    connection.execute(statement("publish_dataset"), facts)
    connection.execute(statement("publish_dataset_members"), facts)
    connection.execute(statement("mark_included"))
    published = {
        "scope": scope,
        "hash": folder.name,
        "settings": Jsonb(selection.described()),
        "candidates": chosen.candidates,
        "dropped": Jsonb(chosen.dropped),
    }
    connection.execute(statement("publish_for_scope"), published)
    found = current_dataset(connection, scope, directory)
    assert found is not None
    return found


def _write(connection: psycopg.Connection[TupleRow], directory: Path, about: dict[str, Any], *, repeats: bool) -> Folder:
    def lines(folder: Path) -> list[Written]:
        # The selection and the rows are read side by side, each from its index: joined in any other way, all lines would be sorted on disk.
        connection.execute("set local enable_sort = off")
        connection.execute("set local enable_hashjoin = off")
        paths = {letter: folder / name for letter, name in _SIDES.items()}
        written = stream_to_files(connection, sql.SQL(statement("copy_dataset_lines")), paths, repeats=repeats)
        connection.execute("set local enable_sort = on")
        connection.execute("set local enable_hashjoin = on")
        return written

    def manifest(folder: Path) -> Written:
        return stream_to_file(connection, sql.SQL(statement("copy_dataset_manifest")), folder / MANIFEST)

    return write_folder(directory, lines, manifest, about)
