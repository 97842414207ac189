"""How a training is doing: a run of Dagster's with the job that it bought and the version that came out, or a provider's job alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flywheel_dagster.api.callers import Caller
from flywheel_dagster.api.dagster import Dagster, Failures, Run
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.launching import DATASETS, JOB, REGISTERED, SCOPE_TAG, TRAINED
from flywheel_dagster.api.services import Services
from flywheel_dagster.database import statement

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]

_STATE_OF_RUN: dict[str, State] = {
    "QUEUED": "queued",
    "NOT_STARTED": "queued",
    "MANAGED": "queued",
    "SUSPENDED": "queued",
    "STARTING": "queued",
    "STARTED": "running",
    "CANCELING": "running",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "cancelled",
}
_STATE_OF_JOB: dict[str, State] = {
    "planned": "queued",
    "submitted": "queued",
    "running": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
_WILL_RETRY, _RETRIED_BY = "dagster/will_retry", "dagster/auto_retry_run_id"
_RETRIES = 5


@dataclass(frozen=True)
class Job:
    """What is known of a provider's fine-tuning job."""

    id: str | None
    state: State
    model: str | None
    fine_tuned_model: str | None
    trained_tokens: int | None
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Registered:
    """The version that a run registered."""

    registry_id: UUID
    model_id: str
    model_version: str
    training_duration_seconds: float | None
    deployed: bool
    first_traffic: str | None


@dataclass(frozen=True)
class Progress:
    """`run` None: a job was asked for by the provider's id. `registered` None: nothing was, or not yet."""

    scope: str | None
    state: State
    job: Job | None
    run: Run | None = None
    registered: Registered | None = None
    error: str | None = None


async def progress_of(services: Services, caller: Caller, asked: str) -> Progress:
    """By a run's id or a provider's job id. Refuses with 404 what isn't there and what belongs to another scope than the caller's."""
    if (job := await _job(services, caller, provider_job_id=asked)) is not None:
        return Progress(None, job.state, job, error=job.error)
    if not _is_uuid(asked) or (run := await _followed(services.dagster, asked)) is None:
        raise _unknown(asked)
    scope = run.tags.get(SCOPE_TAG)
    if run.job != JOB or scope is None or caller.organization_id not in (None, scope):
        raise _unknown(asked)
    job = await _job_of(services, caller, run)
    state = _STATE_OF_RUN.get(run.status, "running")
    if state == "failed" and run.tags.get(_WILL_RETRY) == "true":
        state = "queued"  # Dagster starts a run that crashed once more
    return Progress(
        scope,
        state,
        job,
        run,
        await _registered(services, caller, run),
        _why(await services.dagster.failures(run.id), caller, run) if state == "failed" else None,
    )


async def _followed(dagster: Dagster, run_id: str) -> Run | None:
    """The run, or the one that Dagster started in its place after a crash."""
    run = await dagster.look(run_id)
    for _ in range(_RETRIES):
        if run is None or (again := run.tags.get(_RETRIED_BY)) is None or (retried := await dagster.look(again)) is None:
            break
        run = retried
    return run


async def _job_of(services: Services, caller: Caller, run: Run) -> Job | None:
    """The job whose model the run has; before that, the newest of the run's dataset."""
    if trained := run.materialized.get(TRAINED):
        return await _job(services, caller, provider_job_id=trained.get("job_id"))
    for dataset in DATASETS.values():
        if assembled := run.materialized.get(dataset):
            return await _job(services, caller, dataset_hash=assembled.get("dataset_hash"))
    return None


async def _job(services: Services, caller: Caller, *, provider_job_id: Any = None, dataset_hash: Any = None) -> Job | None:
    values = {"provider_job_id": provider_job_id, "dataset_hash": dataset_hash, "scope": caller.organization_id}
    async with services.pool.connection() as connection:
        row = await (await connection.execute(statement("training_job"), values)).fetchone()
    if row is None:
        return None
    return Job(
        id=row["provider_job_id"],
        state=_STATE_OF_JOB[row["status"]],
        model=row["base_model"],
        fine_tuned_model=row["model_id"],
        trained_tokens=row["trained_tokens"],
        finished_at=row["finished_at"],
        error=row["error"],
    )


async def _registered(services: Services, caller: Caller, run: Run) -> Registered | None:
    entry = run.materialized.get(REGISTERED)
    if entry is None:
        return None
    async with services.reading(caller.organization_id) as connection:
        row = await (await connection.execute(statement("model_of_caller"), {"id": UUID(entry["registry_id"])})).fetchone()
    if row is None:
        return None
    seconds = run.materialized.get(TRAINED, {}).get("duration_seconds")
    return Registered(
        row["id"], row["model_id"], row["model_version"], seconds, row["status"] == "deployed", entry.get("first_traffic")
    )


def _why(failures: Failures, caller: Caller, run: Run) -> str:
    """What people need to know. A step's own words may name paths and other organizations: they are for callers of all organizations."""
    told = list(failures.checks)
    for step, words in failures.steps.items():
        if words is not None and caller.organization_id is None:
            told.append(f"{step}: {words}")
        elif not failures.checks:
            told.append(f"{step} failed")
    return "; ".join([*told, f"the whole log stands in Dagster's UI under run {run.id}"])


def _unknown(asked: str) -> RefusedError:
    return RefusedError(404, "not_found", f"no training of yours has the id {asked}; it is a run's id or a provider's job id")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return len(text) == 36
