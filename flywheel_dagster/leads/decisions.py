"""The record of who scores an organization's leads and why: what was decided, rolling back to a version of before, and the history of both.

What is deployed follows from this record alone: the model of its newest row that says deploy or roll_back.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.gate import Action, Decision
from flywheel_dagster.leads.scores import PRIOR
from flywheel_dagster.leads.versions import Version, deployed_version, list_versions, version_named


@dataclass(frozen=True)
class Recorded:
    """A row of the record. `version` is the one that was judged, or that was rolled back to; `deployed` the one that scored before. None is the prior,
    or, where a training made no version, none."""

    id: int
    action: Action
    version: str | None
    deployed: str | None
    reason: str
    numbers: dict[str, Any]
    decided_by: str
    decided_at: datetime


def history(connection: psycopg.Connection[TupleRow], organization_id: str, *, limit: int = 50) -> list[Recorded]:
    """What was decided, the newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("lead_decisions"), {"organization_id": organization_id, "limit": limit}).fetchall()
    return [Recorded(**row | {"action": Action(row["action"])}) for row in rows]


def keep_decision(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    model_id: UUID | None,
    decision: Decision,
    *,
    decided_by: str,
) -> int:
    """Add a row to the record; returns its number."""
    row = connection.execute(
        statement("keep_lead_decision"),
        {
            "organization_id": organization_id,
            "model_id": model_id,
            "action": decision.action.value,
            "numbers": Jsonb(decision.numbers),
            "reason": decision.reason,
            "decided_by": decided_by,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def roll_back(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    version: str | None = None,
    *,
    decided_by: str,
    reason: str | None = None,
) -> str:
    """Let a version score again that was deployed before, by default the one before the present one; 'prior' needs no version at all.

    Returns what scores from now on. Raises InputError where there is nothing to go back to. What is taken back isn't deployed again by the gate;
    a version that is learnt from more leads may be.
    """
    with connection.transaction():
        lock_deployment(connection, organization_id)
        versions = list_versions(connection, organization_id)
        present = deployed_version(versions)
        target = _target(connection, organization_id, version, versions, present)
        decision = Decision(
            Action.ROLL_BACK,
            reason or "no reason was given",
            {"deployed": None if present is None else str(present.id)},
        )
        keep_decision(connection, organization_id, None if target is None else target.id, decision, decided_by=decided_by)
    return PRIOR if target is None else target.version


def _target(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    name: str | None,
    versions: list[Version],
    present: Version | None,
) -> Version | None:
    """Whom to go back to; None is the prior."""
    if name is None:
        if present is None:
            raise InputError(f"no version is deployed for {organization_id}, so there is nothing to roll back")
        before = connection.execute(
            statement("lead_deployed_before"), {"organization_id": organization_id, "model_id": present.id}
        ).fetchone()
        name = (before and before[0]) or PRIOR
    target = None if name == PRIOR else version_named(versions, name, organization_id=organization_id)
    if target == present:
        raise InputError(f"{name} scores the leads of {organization_id} already")
    if target is not None and not target.was_deployed:
        raise InputError(f"{name} was never deployed, so nobody can go back to it; flywheel leads history tells why it wasn't")
    return target


def lock_deployment(connection: psycopg.Connection[TupleRow], organization_id: str) -> None:
    """Until the transaction ends nobody else decides on this organization; scoring goes on."""
    connection.execute("select pg_advisory_xact_lock(%s, %s)", (Lock.LEAD_DEPLOYMENT, lock_key(organization_id)))


def lock_key(organization_id: str) -> int:
    """The organization as a signed 32-bit number."""
    return int.from_bytes(hashlib.sha256(organization_id.encode()).digest()[:4], "big", signed=True)
