"""Publishes a dataset whose members were chosen: its files first, then all that the database knows of it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.choosing import Chosen
from flywheel_dagster.datasets.examples import example_format
from flywheel_dagster.datasets.files import MANIFEST, Folder, Written, write_folder
from flywheel_dagster.datasets.published import Dataset, current_dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.streaming import stream_to_file

MANIFEST_VERSION = 2


@dataclass(frozen=True)
class Draft:
    """What is about to be published; its members stand in the temporary table `dataset_selection`."""

    kind: str
    scope: str
    selection: Selection
    chosen: Chosen


def write_files(
    connection: psycopg.Connection[TupleRow], draft: Draft, directory: Path, write_lines: Callable[[Path], list[Written]]
) -> Folder:
    """Write the folder, whose JSONL files `write_lines` makes. Raises InputError for a folder that can't be written."""
    described = {
        "scope": draft.scope,
        "manifest_version": MANIFEST_VERSION,
        **_facts(draft),
        "settings": draft.selection.described(),
        **draft.chosen.totals,
        "candidates": draft.chosen.candidates,
        "dropped": draft.chosen.dropped,
    }

    def write_manifest(folder: Path) -> Written:
        return stream_to_file(connection, sql.SQL(statement("copy_dataset_manifest")), folder / MANIFEST)

    return write_folder(directory, write_lines, write_manifest, described)


def publish(connection: psycopg.Connection[TupleRow], draft: Draft, directory: Path, folder: Folder) -> Dataset:
    """Make the folder known as the scope's dataset, in a transaction of its own.

    Not in the one that the files were read in: that one sees rows as they were, and can't mark one that has changed since.
    """
    facts = _facts(draft) | draft.chosen.totals | {"hash": folder.name, "bytes": folder.bytes}
    published = {
        "scope": draft.scope,
        "hash": folder.name,
        "settings": Jsonb(draft.selection.described()),
        "candidates": draft.chosen.candidates,
        "dropped": Jsonb(draft.chosen.dropped),
    }
    with connection.transaction():
        connection.execute("set local jit = off")  # compiling takes longer than the statements
        connection.execute(statement("revive_dataset"), facts)
        connection.execute(statement("publish_dataset"), facts)
        connection.execute(statement("publish_dataset_members"), facts)
        connection.execute(statement("lock_included"))
        connection.execute(statement("mark_included"))
        connection.execute(statement("publish_for_scope"), published)
        found = current_dataset(connection, draft.scope, directory, kind=draft.kind)
    assert found is not None
    return found


def _facts(draft: Draft) -> dict[str, Any]:
    return {
        "kind": draft.kind,
        "example_format": example_format(outcome_note=draft.selection.outcome_note),
        "code_version": version("flywheel-dagster"),
    }
