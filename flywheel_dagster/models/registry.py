"""Registering trained versions. A dataset trained the same way is one version, however often it is registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Lock, statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.versions import Version, next_version


@dataclass(frozen=True)
class Entry:
    """A row of `model_registry`, as far as registering goes; `created` is False when it was registered before."""

    id: UUID
    scope: str
    model_id: str
    model_version: str
    base_model: str
    trainer: str
    status: str
    dataset_hash: str
    fine_tuning_job_id: str
    training_examples_count: int
    positive_examples: int
    deals_in_training: int
    trained_tokens: int | None
    training_cost_usd: Decimal | None
    base_ends_on: date | None
    created: bool


@dataclass(frozen=True)
class TrainedVersion:
    """What is to be registered. `training_examples_count` counts the training side; cost is in USD, None when unknown.

    A model that failed its examination is registered as `failed`, and can't be deployed."""

    model_id: str
    base_model: str
    trainer: str
    settings_hash: str
    dataset_hash: str
    example_format: str
    fine_tuning_job_id: str
    training_examples_count: int
    positive_examples: int
    deals_in_training: int
    trained_tokens: int | None = None
    training_cost_usd: Decimal | None = None
    base_ends_on: date | None = None
    status: Literal["ready", "failed"] = "ready"


def upcoming_version(connection: psycopg.Connection[TupleRow], scope: str, example_format: str) -> Version:
    """The version that the scope's next model will get."""
    row = connection.execute(statement("latest_version"), {"scope": scope}).fetchone()
    if row is None:
        return next_version(None, same_format=True)
    return next_version(Version.parse(row[0]), same_format=row[1] == example_format)


def register(
    connection: psycopg.Connection[TupleRow], scope: str, trained: TrainedVersion, *, model_version: str | None = None
) -> Entry:
    """Register a model for a scope, in the caller's transaction; the same dataset, trainer and settings give the entry that is there.

    `model_version` (v2.1.0) is the scope's next one by default. Raises InputError for one that is another training's, or no version.
    """
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (Lock.REGISTRATION, scope))
    values: dict[str, Any] = {name: getattr(trained, name) for name in TrainedVersion.__dataclass_fields__}
    values |= {
        "organization_id": None if scope == "global" else scope,
        "model_version": model_version or str(upcoming_version(connection, scope, trained.example_format)),
    }
    taken = connection.execute(statement("version_taken"), values | {"scope": scope}).fetchone()
    if taken is not None:
        raise InputError(f"{taken[0]} of {scope} is another training, {taken[1]}; name a higher version, or none for the next one")
    written = connection.execute(statement("register_model"), values).fetchone()
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("registered_model"), values | {"scope": scope}).fetchone()
    assert row is not None
    if row["model_id"] != trained.model_id and row["status"] == "deployed":
        raise InputError(
            f"{row['model_version']} of {scope} serves as {row['model_id']}, and its model isn't exchanged while it does; archive it, then register "
            f"its retraining {trained.model_id}"
        )
    return _entry(row, created=written is not None and bool(written[0]))


def _entry(row: Mapping[str, Any], *, created: bool) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__ if name != "created"}, created=created)
