"""From a training request to one Dagster run: what of the graph is launched, with which config, and never twice for one Idempotency-Key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from flywheel_dagster.api.callers import Caller, unknown_organization
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.services import AsyncRows, Services
from flywheel_dagster.database import statement

# The graph's own names (names.py, jobs.py, partitions.py), which the doors don't import; a test holds them together.
JOB, PARTITIONS = "train_scope", "scopes"
DATASETS = {"supervised": "training_jsonl", "dpo": "preference_pairs"}
TRAINED, EXAMINED, REGISTERED = "fine_tuned_model", "model_evaluation", "model_registry_entry"

SCOPE_TAG = "dagster/partition"  # Dagster's own
KEY_TAG, ASKER_TAG = "flywheel/idempotency_key", "flywheel/requested_by"


@dataclass(frozen=True)
class TrainingRequest:
    """What is asked for. None: as the settings and the versions so far have it. `ab_test_percentage` counts where it is deployed."""

    scope: str
    model_version: str | None
    min_quality_score: float | None
    deploy_immediately: bool | None
    ab_test_percentage: float | None

    def config(self, method: Literal["supervised", "dpo"]) -> dict[str, Any]:
        """The run config: each asset is told what concerns it, and nothing that wasn't asked for."""
        told: Mapping[str, Mapping[str, Any]] = {
            DATASETS[method]: {"min_quality_score": self.min_quality_score},
            TRAINED: {"model_version": self.model_version},
            REGISTERED: {
                "model_version": self.model_version,
                "deploy_immediately": self.deploy_immediately,
                "ab_test_percentage": self.ab_test_percentage,
            },
        }
        asked = {asset: {name: value for name, value in config.items() if value is not None} for asset, config in told.items()}
        return {"ops": {asset: {"config": config} for asset, config in asked.items() if config}}


async def launch(services: Services, caller: Caller, request: TrainingRequest, idempotency_key: str | None) -> str:
    """The id of the run that does what is asked; for an Idempotency-Key that was used before, of the run that did.

    Refuses an unknown organization with 404, a version that isn't new with 409, a key whose request is being served with 409, and one
    that was used for another request with 422.
    """
    tags = {SCOPE_TAG: request.scope, ASKER_TAG: caller.name}
    if idempotency_key is not None:
        tags[KEY_TAG] = hashlib.sha256(f"{caller.subject}\n{idempotency_key}".encode()).hexdigest()
    async with services.launching, services.pool.connection() as connection, connection.transaction():
        row = await _noted(connection, caller, request, idempotency_key)
        if row["run_id"] is not None:
            return str(row["run_id"])
        await _require_possible(connection, request)
        # One that was launched by an answer that nobody waited for
        run_id = await services.dagster.find(KEY_TAG, tags[KEY_TAG]) if idempotency_key is not None else None
        if run_id is None:
            method = services.settings.training_method
            assets = [DATASETS[method], TRAINED, EXAMINED, REGISTERED]
            await services.dagster.add_partition(PARTITIONS, request.scope)
            run_id = await services.dagster.launch(JOB, assets, request.config(method), tags)
        await connection.execute(statement("note_training_run"), {"id": row["id"], "run_id": run_id})
        return run_id


async def _noted(connection: AsyncRows, caller: Caller, request: TrainingRequest, idempotency_key: str | None) -> Mapping[str, Any]:
    """The request's row; whoever comes with the same Idempotency-Key waits until the transaction ends, a moment long."""
    asked = {name: getattr(request, name) for name in TrainingRequest.__dataclass_fields__}
    values = {
        "organization_id": None if request.scope == "global" else request.scope,
        "requested_by": caller.name,
        "subject": caller.subject,
        "idempotency_key": idempotency_key,
        "request": Jsonb(asked),
    }
    await connection.execute("set local lock_timeout = '3s'")
    try:
        row = await (await connection.execute(statement("note_training_request"), values)).fetchone()
    except psycopg.errors.LockNotAvailable:
        raise RefusedError(
            409, "in_progress", "a request with this Idempotency-Key is being served; ask again in a moment", retry_after=1
        ) from None
    assert row is not None
    if row["request"] != asked:
        raise RefusedError(
            422,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request; take a new one",
            field="header.idempotency-key",
        )
    return row


async def _require_possible(connection: AsyncRows, request: TrainingRequest) -> None:
    values = {"scope": request.scope, "model_version": request.model_version}
    row = await (await connection.execute(statement("training_is_possible"), values)).fetchone()
    assert row is not None
    if not row["is_known"]:
        raise unknown_organization()
    if row["newest"] is not None:
        raise RefusedError(
            409,
            "version_taken",
            f"scope {request.scope} has {row['newest']} already; name a higher version, or none and the next one is taken",
        )
