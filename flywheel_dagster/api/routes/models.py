"""`/training/models`, `/training/deploy` and `/training/leaderboard`: what was registered, what it achieved, and who serves."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from flywheel_dagster.api.callers import Deployer, GuardedRoute, Reader
from flywheel_dagster.api.errors import RefusedError, answers_of
from flywheel_dagster.api.fields import OfOrganization, RequestBody, Share
from flywheel_dagster.api.reading import rows_of
from flywheel_dagster.api.services import ServicesHere
from flywheel_dagster.database import statement
from flywheel_dagster.errors import DeploymentError, UnknownModelError
from flywheel_dagster.models.deployment import deploy, refusals_told
from flywheel_dagster.models.routing.assignment import Arm

router = APIRouter(prefix="/training", tags=["models"], route_class=GuardedRoute)

Status = Literal["training", "ready", "deployed", "archived", "failed"]


class Model(BaseModel):
    """A registered version and what the messages achieved that it wrote. Rates are shares of its messages, null without any."""

    id: UUID = Field(description="Its registry id.")
    organization_id: str | None = Field(description="Null: the global model.")
    model_id: str = Field(description="What its provider calls it.")
    model_version: str
    base_model: str
    trainer: str
    status: Status
    ab_test_group: Arm | None
    traffic_percentage: float
    is_baseline: bool
    deployed_at: datetime | None
    created_at: datetime
    training_examples_count: int
    positive_examples: int
    deals_in_training: int
    total_messages_sent: int
    total_replies: int
    total_meetings_booked: int
    total_deals_closed: int
    total_revenue: float
    reply_rate: float | None
    meeting_rate: float | None
    close_rate: float | None
    reply_rate_vs_baseline: float | None = Field(description="In per cent, as the two below.")
    meeting_rate_vs_baseline: float | None
    close_rate_vs_baseline: float | None


class Models(BaseModel):
    """A page of models; `total` counts all of them."""

    total: int
    models: list[Model]


class Ranked(BaseModel):
    """A model with its places among those of the leaderboard; 1 is the best."""

    id: UUID
    organization_id: str | None
    model_id: str
    model_version: str
    base_model: str
    status: Status
    ab_test_group: Arm | None
    traffic_percentage: float
    total_messages_sent: int
    total_replies: int
    total_meetings_booked: int
    total_deals_closed: int
    total_revenue: float
    reply_rate: float
    meeting_rate: float
    close_rate: float
    close_rate_rank: int
    reply_rate_rank: int
    revenue_rank: int


class Leaderboard(BaseModel):
    """The models with enough messages, best close rate first."""

    total: int
    leaderboard: list[Ranked]


class Deployment(RequestBody):
    """Which part of the traffic a version gets."""

    traffic_percentage: Share = 100.0
    ab_test_group: Literal["control", "variant_a", "variant_b"] = Field(
        "control", description="control at 100 ends the variants; a variant takes its share from the control."
    )


class Deployed(BaseModel):
    """A version and what it serves now."""

    id: UUID
    model_id: str
    model_version: str
    status: Status
    ab_test_group: Arm | None
    traffic_percentage: float
    deployed_at: datetime | None


@router.get("/models", responses=answers_of(404))
async def list_models(
    caller: Reader,
    services: ServicesHere,
    status: Annotated[Status | None, Query(description="Only with this status.")] = None,
    organization_id: OfOrganization = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Models:
    """List models, newest first: an organization's key sees its own and the global ones, each with what it did for this organization."""
    if organization_id is not None:
        caller.require_sight(organization_id)
    values = {"status": status, "organization_id": organization_id, "limit": limit, "offset": offset}
    async with services.reading(caller.organization_id) as connection:
        counted = await (await connection.execute(statement("count_models"), values)).fetchone()
        rows = await (await connection.execute(statement("list_models"), values)).fetchall()
    assert counted is not None
    return Models(total=counted["total"], models=[Model.model_validate(row) for row in rows])


@router.post("/deploy/{registry_id}", responses=answers_of(404, 409))
async def deploy_model(registry_id: UUID, deployment: Deployment, caller: Deployer, services: ServicesHere) -> Deployed:
    """Give a version an arm and a share of its scope's traffic."""
    async with services.reading(caller.organization_id) as connection:
        model = await (await connection.execute(statement("model_of_caller"), {"id": registry_id})).fetchone()
    if model is None:
        raise _no_model(registry_id)
    caller.require_scope(model["scope"])
    verb = deploy(registry_id, deployment.traffic_percentage, deployment.ab_test_group, actor=f"API key {caller.name}")
    try:
        with refusals_told():
            async with services.pool.connection() as connection, connection.transaction():
                row = await (await connection.execute(statement(verb.statement), verb.values)).fetchone()
    except UnknownModelError:
        raise _no_model(registry_id) from None
    except DeploymentError as error:
        raise RefusedError(409, "deployment_refused", str(error)) from error
    return Deployed.model_validate(row)


@router.get("/leaderboard", responses=answers_of(404))
async def leaderboard(
    caller: Reader,
    services: ServicesHere,
    min_samples: Annotated[int, Query(ge=1, le=1_000_000_000, description="Models with fewer messages are left out.")] = 100,
    organization_id: OfOrganization = None,
) -> Leaderboard:
    """Rank models by what their messages achieved: an organization's own and the global ones, by this organization's messages."""
    rows = await rows_of(services, caller, organization_id, "leaderboard", min_samples=min_samples, scopes=None)
    return Leaderboard(total=len(rows), leaderboard=[Ranked.model_validate(row) for row in rows])


def _no_model(registry_id: UUID) -> RefusedError:
    return RefusedError(404, "not_found", f"no model of yours has the registry id {registry_id}; see GET /training/models")
