"""Which version answers whom: deploy, promote, roll back, archive, deprecate, set the baseline, and what was live when. The rules are the
database's own (`sql/0020_deployments.sql`); here they get names, and their refusals become errors with the remedy."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import DeploymentError, UnknownModelError
from flywheel_dagster.models.routing.assignment import Arm


@dataclass(frozen=True)
class Deployed:
    """A version and what it serves: its arm and share of its scope's traffic in per cent, both only while it is deployed."""

    id: UUID
    scope: str
    model_id: str
    model_version: str
    trainer: str
    status: str
    ab_test_group: str | None
    traffic_percentage: float
    deployed_at: datetime | None
    is_baseline: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Deployed":
        """From a row of `model_registry`."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Verb:
    """One change of who serves: its statement and parameters. `run` on a connection, or give both to an asynchronous one."""

    statement: LiteralString
    values: Mapping[str, Any]

    def run(self, connection: psycopg.Connection[TupleRow]) -> Deployed:
        """Do it in a transaction. Raises DeploymentError when the rules refuse, UnknownModelError for an id that no model has."""
        with refusals_told(), connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(statement(self.statement), self.values).fetchone()
        assert row is not None
        return Deployed.of(row)


def deploy(
    registry_id: UUID,
    traffic_percentage: float = 100.0,
    arm: str = Arm.CONTROL,
    *,
    actor: str | None = None,
    reason: str | None = None,
) -> Verb:
    """Give a version an arm and a share (above 0, at most 100). A control at 100 ends all variants; a variant takes its share from the
    control, which is the scope's baseline where nothing was deployed before."""
    values = {"registry_id": registry_id, "traffic": traffic_percentage, "arm": arm, "actor": actor, "reason": reason}
    return Verb("deploy_model", values)


def promote(registry_id: UUID, *, actor: str | None = None, reason: str | None = None) -> Verb:
    """Make a version its scope's control with all traffic; the others are archived."""
    return Verb("promote_model", {"registry_id": registry_id, "actor": actor, "reason": reason})


def archive(registry_id: UUID, *, actor: str | None = None, reason: str | None = None, action: str = "archive") -> Verb:
    """Take a version out of service; a variant's traffic goes back to the control."""
    return Verb("archive_model", {"registry_id": registry_id, "actor": actor, "reason": reason, "action": action})


def deprecate(registry_id: UUID, *, actor: str | None = None, reason: str | None = None) -> Verb:
    """Take a version out of service for good."""
    return Verb("deprecate_model", {"registry_id": registry_id, "actor": actor, "reason": reason})


def set_baseline(registry_id: UUID, *, actor: str | None = None, reason: str | None = None) -> Verb:
    """Make a version what its scope's models are compared with."""
    return Verb("set_baseline", {"registry_id": registry_id, "actor": actor, "reason": reason})


def roll_back(scope: str, *, actor: str | None = None, reason: str | None = None) -> Verb:
    """Bring back the scope's control before this one, with all traffic. A version that was rolled back itself isn't come back to."""
    return Verb("roll_back_scope", {"scope": scope, "actor": actor, "reason": reason})


def roll_back_to(registry_id: UUID, *, actor: str | None = None, reason: str | None = None) -> Verb:
    """Bring back this version, with all traffic; what it takes the place of counts as rolled back."""
    return Verb("roll_back_to", {"registry_id": registry_id, "actor": actor, "reason": reason})


def live_at(connection: psycopg.Connection[TupleRow], organization_id: str, moment: datetime) -> list[dict[str, Any]]:
    """What served an organization at a moment (aware): a row for each arm; a baseline has none; empty where nothing did."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("models_live_at"), {"organization_id": organization_id, "moment": moment}).fetchall()


@contextmanager
def refusals_told() -> Iterator[None]:
    """What the database refuses, as an error with its hint."""
    try:
        yield
    except psycopg.errors.NoDataFound as error:
        raise UnknownModelError(_told(error)) from error
    except psycopg.errors.CheckViolation as error:
        raise DeploymentError(_told(error)) from error


def _told(error: psycopg.Error) -> str:
    said, hint = error.diag.message_primary or str(error), error.diag.message_hint
    return f"{said}: {hint}" if hint else said
