"""A dataset as published: what is known of it, and which one a scope has now. How it comes about is in `assemble.py`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError

CHAT, PREFERENCE = "chat", "preference"


@dataclass(frozen=True)
class Dataset:
    """Its files are `directory`/train.jsonl, validation.jsonl, test.jsonl, manifest.jsonl and dataset.json.

    `train_lines` counts repeated lines, too, and `train_tokens` is what one epoch over them is billed for. `dropped` and the examples add up
    to `candidates`.
    """

    hash: str
    kind: str
    scope: str
    directory: Path
    train_examples: int
    validation_examples: int
    test_examples: int
    train_lines: int
    train_tokens: int
    validation_tokens: int
    test_tokens: int
    positive_examples: int
    deals: int
    weeks: int
    bytes: int
    candidates: int
    dropped: Mapping[str, int]
    example_format: str

    @property
    def examples(self) -> int:
        """Examples on all sides."""
        return self.train_examples + self.validation_examples + self.test_examples


def current_dataset(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, *, kind: str = CHAT) -> Dataset | None:
    """The dataset that was published last for a scope; None where there is none, or its files had to be erased."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("current_dataset"), {"scope": scope, "kind": kind}).fetchone()
    return None if row is None else dataset_of(row, scope, directory)


def dataset_of(row: Mapping[str, Any], scope: str, directory: Path) -> Dataset:
    """A dataset from its row of `datasets`, with candidates and dropped of its publication."""
    known: dict[str, Any] = {name: row[name] for name in Dataset.__dataclass_fields__ if name in row}
    return Dataset(**known, scope=scope, directory=directory / row["hash"])


def kind_for(method: str) -> str:
    """The kind of dataset that a training method learns from."""
    return PREFERENCE if method == "dpo" else CHAT


def required_dataset(connection: psycopg.Connection[TupleRow], scope: str, directory: Path, *, kind: str = CHAT) -> Dataset:
    """The scope's current dataset. Raises InputError, naming what to do, where there is none."""
    if (dataset := current_dataset(connection, scope, directory, kind=kind)) is None:
        asset = "preference_pairs" if kind == PREFERENCE else "training_jsonl"
        raise InputError(f"scope {scope!r} has no dataset; materialize {asset} for it first")
    return dataset


def require_not_erased(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> None:
    """Raise InputError for a dataset with a lead who was erased; it may be in somebody's hands since before."""
    if connection.execute("select 1 from datasets where hash = %s and erased_at is not null", (dataset.hash,)).fetchone():
        raise InputError(
            f"dataset {dataset.hash[:12]} holds a lead who was erased, so nothing may be trained on it; materialize training_jsonl again"
        )


def require_scope(connection: psycopg.Connection[TupleRow], scope: str) -> None:
    """Raise InputError unless the scope is "global" or an organisation that is known."""
    if scope != "global" and not connection.execute("select 1 from organizations where id = %s", (scope,)).fetchone():
        known = [row[0] for row in connection.execute("select id from organizations order by id limit 5").fetchall()]
        raise InputError(
            f"organization {scope!r} is not known (known: {', '.join(known) or 'none'}); add it with: flywheel org add {json.dumps(scope)}"
        )
