"""`/training/run`, `/training/status` and `/training/stats`: start a training, see how it is doing, and what there is to learn from."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from flywheel_dagster.api.callers import GuardedRoute, Reader, Trainer
from flywheel_dagster.api.errors import answers_of
from flywheel_dagster.api.fields import IdempotencyKey, OfOrganization, OrganizationId, RequestBody, TrainingId, Version
from flywheel_dagster.api.launching import TrainingRequest, launch
from flywheel_dagster.api.progress import Progress, State, progress_of
from flywheel_dagster.api.reading import rows_of
from flywheel_dagster.api.services import ServicesHere

router = APIRouter(prefix="/training", tags=["training"], route_class=GuardedRoute)


class TrainingOrder(RequestBody):
    """What to train, and what to do with the model."""

    organization_id: OrganizationId | None = Field(
        None,
        description="Whose model; null: the global one. Left out: the key's own organization, or the global one for a key of all.",
    )
    model_version: Version | None = Field(
        None, description="Such as v2.5.0, higher than the scope's versions so far; null: the next one.", examples=["v2.5.0"]
    )
    min_quality_score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Examples need at least this quality; null: FLYWHEEL_MIN_QUALITY.", examples=[0.6]
    )
    deploy_immediately: bool | None = Field(
        None,
        description="Whether the model gets its first traffic once it is registered, as a variant beside the scope's control;"
        " null: as the scope's settings say (flywheel org add ID --deploy, FLYWHEEL_DEPLOY_GLOBAL), which is no unless they were changed.",
        examples=[False],
    )
    ab_test_percentage: Annotated[float, Field(gt=0, lt=100, allow_inf_nan=False)] | None = Field(
        None,
        description="The share of that first traffic, in per cent; null: FLYWHEEL_DEPLOY_PERCENT (10). Without deployment it has no effect.",
        examples=[10.0],
    )


class TrainingAccepted(BaseModel):
    """The run was launched; how it is doing stands at `status_url`."""

    status: Literal["accepted"] = "accepted"
    run_id: str
    scope: str = Field(description="The organization's id, or global.")
    status_url: str = Field(description="Path of GET /training/status for this run.")


class RunState(BaseModel):
    """The Dagster run."""

    run_id: str
    state: str = Field(description="As Dagster calls it, such as QUEUED, STARTED, SUCCESS.")
    started_at: datetime | None
    ended_at: datetime | None


class TrainingResult(BaseModel):
    """What a run that succeeded came to."""

    status: Literal["success"] = "success"
    model_id: str
    model_version: str
    registry_id: UUID
    training_duration_seconds: float | None = Field(description="From submitting the job to its end.")
    deployed: bool = Field(description="Whether it serves now.")
    first_traffic: str | None = Field(description="What became of its first traffic when it was registered, and why.")


class TrainingStatus(BaseModel):
    """How a training is doing. What isn't known yet is null."""

    id: str = Field(description="The id that was asked for.")
    status: State
    model: str | None = Field(description="The base model.")
    fine_tuned_model: str | None
    trained_tokens: int | None
    finished_at: int | None = Field(description="When the fine-tuning job ended, in seconds since 1970.")
    job_id: str | None = Field(description="The provider's id of the fine-tuning job.")
    run: RunState | None = Field(description="Null where a job was asked for.")
    result: TrainingResult | None = Field(description="Once a run has registered its model.")
    error: str | None = Field(description="Why it failed, and what to do.")


class TrainingStats(BaseModel):
    """Outcomes that a model could learn from."""

    total_examples: int
    positive_examples: int
    negative_examples: int
    neutral_examples: int
    deals_closed: int
    meetings_booked: int
    replies: int


@router.post("/run", status_code=202, responses=answers_of(404, 409))
async def run_training(
    order: TrainingOrder, caller: Trainer, services: ServicesHere, request: Request, response: Response,
    idempotency_key: IdempotencyKey = None,
) -> TrainingAccepted:  # fmt: skip
    """Launch a training as a run in Dagster: dataset, fine-tuning, examination, registration, and where it is asked for deployment."""
    wanted = TrainingRequest(
        scope=caller.scope(order.organization_id, named="organization_id" in order.model_fields_set),
        **order.model_dump(exclude={"organization_id"}),
    )
    run_id = await launch(services, caller, wanted, idempotency_key)
    address = request.app.url_path_for("training_status", job_id=run_id)
    response.headers["Location"] = address
    return TrainingAccepted(run_id=run_id, scope=wanted.scope, status_url=address)


@router.get("/status/{job_id}", responses=answers_of(404))
async def training_status(job_id: TrainingId, caller: Reader, services: ServicesHere) -> TrainingStatus:
    """How a training is doing, by the run's id that POST /training/run gave, or by the provider's job id."""
    return _status(job_id, await progress_of(services, caller, job_id))


@router.get("/stats", responses=answers_of(404))
async def training_stats(caller: Reader, services: ServicesHere, organization_id: OfOrganization = None) -> TrainingStats:
    """Count the outcomes that a model could learn from."""
    (row,) = await rows_of(services, caller, organization_id, "training_stats")
    return TrainingStats.model_validate(row)


def _status(asked: str, progress: Progress) -> TrainingStatus:
    job, run, registered = progress.job, progress.run, progress.registered
    return TrainingStatus(
        id=asked,
        status=progress.state,
        model=job.model if job else None,
        fine_tuned_model=job.fine_tuned_model if job else None,
        trained_tokens=job.trained_tokens if job else None,
        finished_at=int(job.finished_at.timestamp()) if job and job.finished_at else None,
        job_id=job.id if job else None,
        run=RunState(run_id=run.id, state=run.status, started_at=_time(run.started_at), ended_at=_time(run.ended_at))
        if run
        else None,
        result=TrainingResult.model_validate(registered, from_attributes=True) if registered else None,
        error=progress.error,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
