"""Assembles a scope's dataset: chooses the examples, streams them into files named by their content, and publishes them in one transaction."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, held_lock, one_snapshot, statement
from flywheel_dagster.datasets.examples import example_format
from flywheel_dagster.datasets.streaming import stream_to_file
from flywheel_dagster.errors import InputError

TRAIN, VALIDATION, MANIFEST, SUMS = "train.jsonl", "validation.jsonl", "manifest.jsonl", "SHA256SUMS"
_UNFINISHED = ".assembling-"


@dataclass(frozen=True)
class Selection:
    """What goes into a dataset. `min_quality` and `validation_share` lie in 0..1, `limit` counts examples of both sides."""

    min_quality: float = 0.6
    limit: int = 10_000
    validation_share: float = 0.1
    outcome_note: bool = False


@dataclass(frozen=True)
class Dataset:
    """A dataset as published: its files are `directory`/train.jsonl, validation.jsonl and manifest.jsonl."""

    hash: str
    scope: str
    directory: Path
    train_examples: int
    validation_examples: int
    positive_examples: int
    deals: int
    weeks: int
    bytes: int
    candidates: int
    dropped: Mapping[str, int]
    example_format: str

    @property
    def examples(self) -> int:
        """Examples on both sides."""
        return self.train_examples + self.validation_examples


def assemble(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    """Choose, write and publish the dataset of a scope ("global" or an organisation's id).

    The files are complete and in place before the database knows of them, and a run after a crash gives the same bytes, hence the
    same name. Raises InputError for an unknown organisation or a folder that can't be written.
    """
    require_scope(connection, scope)
    # One at a time: two scopes may come to the same dataset, and its rows are then there already.
    with held_lock(connection, Lock.ASSEMBLY), one_snapshot(connection):
        return _assemble(connection, scope, directory, selection)


def _assemble(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, selection: Selection) -> Dataset:
    rule: dict[str, Any] = {
        "scope": scope,
        "min_quality": selection.min_quality,
        "limit": selection.limit,
        "validation_share": selection.validation_share,
    }
    counted = connection.execute(statement("dataset_drops"), rule).fetchall()
    dropped = {reason: count for reason, count in counted if reason is not None}
    fitting = sum(count for reason, count in counted if reason is None)
    last: TupleRow = (None, None, None, None)
    if fitting > selection.limit:
        last = connection.execute(statement("dataset_last_taken"), rule).fetchone() or last
        dropped["beyond the limit"] = fitting - selection.limit
    rule |= dict(zip(("last_quality", "last_weight", "last_sent_at", "last_id"), last, strict=True))
    connection.execute(statement("dataset_selection"), rule)
    connection.execute("analyze dataset_selection")
    with connection.cursor(row_factory=dict_row) as cursor:
        totals = cursor.execute(statement("dataset_totals")).fetchone()
    assert totals is not None
    digest, size = _write_files(connection, directory, rule)
    facts = {
        "hash": digest,
        "example_format": example_format(outcome_note=selection.outcome_note),
        "code_version": version("flywheel-dagster"),
        "bytes": size,
    }
    candidates = sum(count for _, count in counted)
    published = {
        "scope": scope,
        "hash": digest,
        "settings": Jsonb(asdict(selection)),
        "candidates": candidates,
        "dropped": Jsonb(dropped),
    }
    connection.execute(statement("publish_dataset"), facts | totals)
    connection.execute(statement("publish_dataset_members"), facts)
    connection.execute(statement("mark_included"))
    connection.execute(statement("publish_for_scope"), published)
    found = current_dataset(connection, scope, directory)
    assert found is not None
    return found


def _write_files(connection: psycopg.Connection[TupleRow], directory: Path, rule: Mapping[str, Any]) -> tuple[str, int]:
    """Write the files into a folder named by their hash; returns the hash and the bytes of both JSONL files."""
    temporary = None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(directory)
        temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=directory))
        sums, size = [], 0
        literals = {key: sql.Literal(value) for key, value in rule.items() if key != "limit"}
        # The planner takes the selection for a handful of rows, and would sort all lines on disk instead of reading them in order.
        connection.execute("set local enable_sort = off")
        for name, side in ((TRAIN, "train"), (VALIDATION, "validation")):
            content = sql.SQL(statement("copy_dataset_side")).format(side=sql.Literal(side), **literals)
            digest, written = stream_to_file(connection, content, temporary / name)
            sums.append(f"{digest}  {name}\n")
            size += written
        connection.execute("set local enable_sort = on")
        stream_to_file(connection, sql.SQL(statement("copy_dataset_manifest")), temporary / MANIFEST)
        (temporary / SUMS).write_text("".join(sums))
        named = hashlib.sha256("".join(sums).encode()).hexdigest()
        temporary.chmod(0o755)
        if not (directory / named / SUMS).exists():
            shutil.rmtree(directory / named, ignore_errors=True)
            temporary.replace(directory / named)
        _sync(directory)
        return named, size
    except OSError as error:
        raise InputError(
            f"the dataset can't be written to {directory}: {error.strerror}; set TRAINING_DATA_DIR to a folder that you may write"
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _clear_leftovers(directory: Path) -> None:
    """Unfinished folders of processes that were killed; a day is longer than any assembly takes."""
    for folder in directory.glob(f"{_UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > 86_400:
            shutil.rmtree(folder, ignore_errors=True)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def current_dataset(connection: psycopg.Connection[TupleRow], scope: str, directory: Path) -> Dataset | None:
    """The dataset that was published last for a scope."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("current_dataset"), {"scope": scope}).fetchone()
    if row is None:
        return None
    known: dict[str, Any] = {name: row[name] for name in Dataset.__dataclass_fields__ if name in row}
    return Dataset(**known, scope=scope, directory=directory / row["hash"])


def verify(dataset: Dataset) -> None:
    """Raise InputError unless the files are those that the hash names."""
    try:
        sums = (dataset.directory / SUMS).read_bytes()
        found = "".join(f"{_digest(dataset.directory / name)}  {name}\n" for name in (TRAIN, VALIDATION))
    except OSError as error:
        raise InputError(
            f"dataset {dataset.hash[:12]} is not in {dataset.directory.parent}; materialize training_jsonl again"
        ) from error
    if hashlib.sha256(sums).hexdigest() != dataset.hash or found.encode() != sums:
        raise InputError(
            f"the files in {dataset.directory} are not those that were published; delete the folder and materialize training_jsonl again"
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_scope(connection: psycopg.Connection[TupleRow], scope: str) -> None:
    """Raise InputError unless the scope is "global" or an organisation that is known."""
    if scope != "global" and not connection.execute("select 1 from organizations where id = %s", (scope,)).fetchone():
        known = [row[0] for row in connection.execute("select id from organizations order by id limit 5").fetchall()]
        raise InputError(
            f"organization {scope!r} is not known (known: {', '.join(known) or 'none'}); add it with: flywheel org add {json.dumps(scope)}"
        )
