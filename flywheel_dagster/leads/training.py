"""Learns a version of an organization's lead model from what is told, and stores it. Whether it is deployed is decided in `deciding.py`."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import Lock, held_lock, statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.decisions import history, keep_decision, lock_key
from flywheel_dagster.leads.gate import Action, Decision
from flywheel_dagster.leads.told import ToldLeads, read_told_leads
from flywheel_dagster.leads.versions import Version, list_versions, newest_version, version_named

if TYPE_CHECKING:
    from flywheel_dagster.leads.learning.learn import Learnt, Options


@dataclass(frozen=True)
class Trained:
    """What a training came to. `version` is None where the told leads don't make a model yet: `reason` says what is missing.

    `new` is False where these very leads had made the version before.
    """

    version: Version | None
    new: bool
    reason: str
    told: ToldLeads


def train(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    *,
    run_id: str | None = None,
    decided_by: str = "flywheel",
    options: "Options | None" = None,
) -> Trained:
    """Learn from all told leads as of now; by default with the options of the newest version, so that fields that a person left out stay so.
    The same leads, learnt from in the same way, are the same version, however often a run is repeated.

    Two trainings of one organization wait for each other; nobody else waits for either, for no transaction is open while it learns. A killed
    one leaves nothing behind. What can't be learnt from is recorded, so that it isn't tried again before more is told.
    """
    # scikit-learn, which takes a second to import
    from flywheel_dagster.leads.learning.learn import REVISION, learn

    with held_lock(connection, Lock.LEAD_TRAINING, lock_key(organization_id)):
        options = options or _options_of_newest(connection, organization_id)
        told = read_told_leads(connection, organization_id)
        made_by = hashlib.sha256(json.dumps([REVISION, asdict(options)], sort_keys=True).encode()).hexdigest()
        known = connection.execute(
            statement("lead_version_of_data"),
            {"organization_id": organization_id, "data_sha256": told.sha256, "options_sha256": made_by, "through": told.through},
        ).fetchone()
        connection.commit()
        if known is not None:
            version = version_named(list_versions(connection, organization_id), known[0], organization_id=organization_id)
            return Trained(version, False, f"{version.version} was made of these {len(told.rows):,} leads before", told)
        try:
            learnt = learn(told.table(), options=options)
        except InputError as error:
            _remember_attempt(connection, organization_id, told, str(error), decided_by=decided_by)
            return Trained(None, False, str(error), told)
        name = _store(connection, organization_id, told, learnt, options, made_by=made_by, run_id=run_id)
        version = version_named(list_versions(connection, organization_id), name, organization_id=organization_id)
        return Trained(version, True, f"{name} is learnt from {len(told.rows):,} leads", told)


def _options_of_newest(connection: psycopg.Connection[TupleRow], organization_id: str) -> "Options":
    from flywheel_dagster.leads.learning.learn import Options

    newest = newest_version(list_versions(connection, organization_id))
    connection.commit()
    return Options() if newest is None else Options(exclude=tuple(newest.card["options"]["exclude"]))


def _store(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    told: ToldLeads,
    learnt: "Learnt",
    options: "Options",
    *,
    made_by: str,
    run_id: str | None,
) -> str:
    """The model and who it learnt from, in one transaction; returns its number."""
    from flywheel_dagster.leads.card import card_of, metrics_of
    from flywheel_dagster.leads.learning.storage import dump

    values = {
        "organization_id": organization_id,
        "estimator": learnt.estimator,
        "artifact": dump(learnt.model),
        "data_sha256": told.sha256,
        "options_sha256": made_by,
        "rows": len(told.rows),
        "through": told.through,
        "metrics": Jsonb(metrics_of(told, learnt)),
        "card": Jsonb(card_of(told, learnt, options)),
        "run_id": run_id,
    }
    lead_ids = [row.lead_id for row in told.rows]
    with connection.transaction():
        _refuse_erased(connection, organization_id, lead_ids)
        made = connection.execute(statement("keep_lead_model"), values).fetchone()
        assert made is not None
        model_id: UUID = made[0]
        connection.execute(
            statement("keep_lead_members"),
            {
                "model_id": model_id,
                "lead_ids": lead_ids,
                "out_of_fold": learnt.out_of_fold.tolist(),
                "row_groups": [row.group for row in told.rows],
            },
        )
    return str(made[1])


def _refuse_erased(connection: psycopg.Connection[TupleRow], organization_id: str, lead_ids: list[str]) -> None:
    """An erasure that began while this learnt has listed its models already; one that begins now waits until this is stored."""
    connection.execute("select pg_advisory_xact_lock_shared(7069, 0)")
    try:
        connection.execute(statement("refuse_erased_members"), {"organization_id": organization_id, "lead_ids": lead_ids})
    except psycopg.errors.CheckViolation as error:
        raise InputError("a lead was erased while it was learnt from, so nothing is stored; train again") from error


def _remember_attempt(
    connection: psycopg.Connection[TupleRow], organization_id: str, told: ToldLeads, reason: str, *, decided_by: str
) -> None:
    numbers = {
        "feedback_through": told.through,
        "rows": len(told.rows),
        "converted": told.converted,
        "lost": len(told.rows) - told.converted,
    }
    with connection.transaction():
        newest = history(connection, organization_id, limit=1)
        if not newest or newest[0].numbers.get("feedback_through") != told.through:
            keep_decision(connection, organization_id, None, Decision(Action.INSUFFICIENT, reason, numbers), decided_by=decided_by)
