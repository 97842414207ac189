"""The versions of an organization's lead model as they are stored: which there are, which one is deployed, and how one is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError

if TYPE_CHECKING:
    from flywheel_dagster.leads.learning.model import LeadModel


@dataclass(frozen=True)
class Version:
    """A stored version ('1.0', '1.1' …) without its artifact. `metrics` and `card` are plain JSON; `feedback_through` is the newest
    lead_feedback.id that it knows. `was_deployed`: the gate let it score at some time."""

    id: UUID
    organization_id: str
    version: str
    made_at: datetime
    estimator: str
    artifact_sha256: str
    data_sha256: str
    rows: int
    feedback_through: int
    metrics: Mapping[str, Any]
    card: Mapping[str, Any]
    run_id: str | None
    deployed: bool
    was_deployed: bool


def list_versions(connection: psycopg.Connection[TupleRow], organization_id: str) -> list[Version]:
    """All versions, the newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("lead_versions"), {"organization_id": organization_id}).fetchall()
    return [Version(**row) for row in rows]


def deployed_version(versions: list[Version]) -> Version | None:
    """The one of all versions that scores now; None while the prior does."""
    return next((each for each in versions if each.deployed), None)


def newest_version(versions: list[Version]) -> Version | None:
    """The one that knows the newest feedback: leads that are what they were once before make a version of before the newest again."""
    return max(versions, key=lambda each: (each.feedback_through, each.made_at), default=None)


def version_named(versions: list[Version], name: str, *, organization_id: str) -> Version:
    """The version of this number. Raises InputError naming those that there are."""
    found = next((each for each in versions if each.version == name), None)
    if found is None:
        known = ", ".join(each.version for each in versions) or "none yet"
        raise InputError(f"{organization_id} has no version {name!r} of its lead model; there are: {known}")
    return found


def load_model(connection: psycopg.Connection[TupleRow], version: Version) -> "LeadModel":
    """The model itself. Raises InputError for an artifact that isn't what was stored."""
    from flywheel_dagster.leads.learning.storage import load  # numpy and scipy

    row = connection.execute(statement("lead_artifact"), {"model_id": version.id}).fetchone()
    if row is None:
        raise InputError(
            f"version {version.version} of {version.organization_id} isn't stored any more; look at flywheel leads models"
        )
    return load(bytes(row[0]))
