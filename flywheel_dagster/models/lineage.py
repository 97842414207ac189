"""Which messages made a model, and which models a message made. Answered with ids, numbers and labels only; nothing anybody wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, class_row, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.versions import Version

_AT_ONCE = 5_000
_LISTED = 10


@dataclass(frozen=True)
class Messages:
    """Messages of one week, side and label: `lines` counts repetitions, `tokens` are those of one epoch over them."""

    week: date
    side: str
    training_label: str
    messages: int
    lines: int
    tokens: int


@dataclass(frozen=True)
class ModelLineage:
    """A version, the dataset it was trained on (None: registered from elsewhere), and that dataset's messages."""

    model_version: str
    scope: str
    model_id: str
    base_model: str
    trainer: str
    status: str
    fine_tuning_job_id: str | None
    created_at: datetime
    dataset_hash: str | None
    kind: str | None
    example_format: str | None
    formula_version: int | None
    code_version: str | None
    dataset_created_at: datetime | None
    erased_at: datetime | None
    messages: tuple[Messages, ...]


@dataclass(frozen=True)
class Membership:
    """A message in a dataset, with the score, label and weight that it had then; its line stands `copies` times in the file."""

    dataset_hash: str
    kind: str
    week: date
    side: str
    part: str
    position: int
    copies: int
    tokens: int
    quality_score: float
    training_label: str
    training_weight: float
    created_at: datetime
    erased_at: datetime | None
    scopes: list[str]


@dataclass(frozen=True)
class ModelOfMessage:
    """A version whose dataset holds the message: it learnt from it where `side` is train, and was measured by it elsewhere."""

    model_version: str
    scope: str
    status: str
    trainer: str
    model_id: str
    fine_tuning_job_id: str | None
    dataset_hash: str
    side: str
    created_at: datetime


@dataclass(frozen=True)
class OutcomeLineage:
    """Where a message went."""

    outcome_id: UUID
    datasets: tuple[Membership, ...]
    models: tuple[ModelOfMessage, ...]


def lineage_of_model(connection: psycopg.Connection[TupleRow], version: str, scope: str = "global") -> ModelLineage:
    """What made a version ("v2.1.0" or "2.1.0") of a scope. Raises InputError, with the versions there are, for one that is unknown."""
    wanted = _version(connection, version, scope)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("lineage_model"), {"scope": scope, "version": wanted}).fetchone()
    if row is None:
        raise _unknown_version(connection, version, scope)
    with connection.cursor(row_factory=class_row(Messages)) as found:
        messages = found.execute(statement("lineage_messages"), {"hash": row["dataset_hash"]}).fetchall()
    return ModelLineage(**row, messages=tuple(messages))


def members(connection: psycopg.Connection[TupleRow], dataset_hash: str | None) -> Iterator[dict[str, Any]]:
    """The messages of a dataset one by one, in the order of its manifest and in flat memory."""
    with connection.cursor("lineage_members", row_factory=dict_row) as cursor:
        cursor.itersize = _AT_ONCE
        yield from cursor.execute(statement("lineage_members"), {"hash": dataset_hash})


def lineage_of_outcome(connection: psycopg.Connection[TupleRow], outcome_id: str | UUID) -> OutcomeLineage:
    """Where a message went; empty for one that no dataset took. Raises InputError for an id that is none, or that nobody knows."""
    wanted = outcome_id if isinstance(outcome_id, UUID) else _outcome_id(connection, outcome_id)
    asked = {"outcome_id": wanted}
    with connection.cursor(row_factory=class_row(Membership)) as found:
        datasets = found.execute(statement("lineage_outcome_datasets"), asked).fetchall()
    # An erased lead's outcome may be gone; that it was in a dataset stays known.
    if not datasets and not connection.execute("select 1 from outcome_labels where id = %s", (wanted,)).fetchone():
        raise InputError(f"outcome {wanted} is not known ({_known_outcomes(connection)})")
    with connection.cursor(row_factory=class_row(ModelOfMessage)) as made:
        models = made.execute(statement("lineage_outcome_models"), asked).fetchall()
    return OutcomeLineage(wanted, tuple(datasets), tuple(models))


def _version(connection: psycopg.Connection[TupleRow], text: str, scope: str) -> str:
    try:
        return str(Version.parse("v" + text.removeprefix("v")))
    except ValueError:
        raise _unknown_version(connection, text, scope) from None


def _unknown_version(connection: psycopg.Connection[TupleRow], version: str, scope: str) -> InputError:
    found = connection.execute(statement("known_versions"), {"scope": scope, "limit": _LISTED}).fetchall()
    if found:
        return InputError(f"scope {scope!r} has no model {version} (newest: {', '.join(row[1] for row in found)})")
    found = connection.execute(statement("known_versions"), {"scope": None, "limit": _LISTED}).fetchall()
    if found:
        return InputError(
            f"scope {scope!r} has no models (newest elsewhere: {', '.join(f'{row[1]} --scope {row[0]}' for row in found)})"
        )
    return InputError(
        f"scope {scope!r} has no model {version}: none is registered yet; train one with: flywheel materialize --scope {scope}"
    )


def _outcome_id(connection: psycopg.Connection[TupleRow], text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InputError(f"{text!r} is not an outcome's id ({_known_outcomes(connection)})") from None


def _known_outcomes(connection: psycopg.Connection[TupleRow]) -> str:
    found = connection.execute("select id from outcome_labels order by sent_at desc, id limit 3").fetchall()
    return f"newest: {', '.join(str(row[0]) for row in found)}" if found else "there are no outcomes yet"
