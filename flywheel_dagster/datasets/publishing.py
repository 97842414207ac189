"""Publishes a dataset whose members were chosen: its files first, then all that the database knows of it, in the caller's transaction."""

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
from flywheel_dagster.datasets.files import MANIFEST, Written, write_folder
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


def publish(
    connection: psycopg.Connection[TupleRow], draft: Draft, directory: Path, write_lines: Callable[[Path], list[Written]]
) -> Dataset:
    """Write the folder, whose JSONL files `write_lines` makes, and publish it for its scope. Raises InputError for a folder that can't be written."""
    selection, chosen = draft.selection, draft.chosen
    facts: dict[str, Any] = {
        "kind": draft.kind,
        "example_format": example_format(outcome_note=selection.outcome_note),
        "code_version": version("flywheel-dagster"),
    }
    described = {
        "scope": draft.scope,
        "manifest_version": MANIFEST_VERSION,
        **facts,
        "settings": selection.described(),
        **chosen.totals,
        "candidates": chosen.candidates,
        "dropped": chosen.dropped,
    }

    def write_manifest(folder: Path) -> Written:
        return stream_to_file(connection, sql.SQL(statement("copy_dataset_manifest")), folder / MANIFEST)

    folder = write_folder(directory, write_lines, write_manifest, described)
    facts |= chosen.totals | {"hash": folder.name, "bytes": folder.bytes}
    connection.execute(statement("revive_dataset"), facts)
    connection.execute(statement("publish_dataset"), facts)
    connection.execute(statement("publish_dataset_members"), facts)
    connection.execute(statement("mark_included"))
    published = {
        "scope": draft.scope,
        "hash": folder.name,
        "settings": Jsonb(selection.described()),
        "candidates": chosen.candidates,
        "dropped": Jsonb(chosen.dropped),
    }
    connection.execute(statement("publish_for_scope"), published)
    found = current_dataset(connection, draft.scope, directory, kind=draft.kind)
    assert found is not None
    return found
