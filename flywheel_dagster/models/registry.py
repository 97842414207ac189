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


def register(connection: psycopg.Connection[TupleRow], scope: str, trained: TrainedVersion) -> Entry:
    """Register a model for a scope, in the caller's transaction; the same dataset, trainer and settings give the entry that is there."""
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (Lock.REGISTRATION, scope))
    values: dict[str, Any] = {name: getattr(trained, name) for name in TrainedVersion.__dataclass_fields__}
    values |= {
        "organization_id": None if scope == "global" else scope,
        "model_version": str(upcoming_version(connection, scope, trained.example_format)),
    }
    written = connection.execute(statement("register_model"), values).fetchone()
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("registered_model"), values | {"scope": scope}).fetchone()
    assert row is not None
    return _entry(row, created=written is not None and bool(written[0]))


def _entry(row: Mapping[str, Any], *, created: bool) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__dataclass_fields__ if name != "created"}, created=created)
