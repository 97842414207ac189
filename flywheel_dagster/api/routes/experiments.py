"""`/training/promote-winner`: the verdict on a scope's experiment, on demand."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from flywheel_dagster.api.callers import Deployer, GuardedRoute
from flywheel_dagster.api.errors import RefusedError, answers_of
from flywheel_dagster.api.fields import OrganizationId, RequestBody
from flywheel_dagster.api.services import ServicesHere
from flywheel_dagster.database import connect
from flywheel_dagster.errors import DeploymentError
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.settings import Settings

if TYPE_CHECKING:
    from flywheel_dagster.models.verdicts import promoting

router = APIRouter(prefix="/training", tags=["models"], route_class=GuardedRoute)


class WhichExperiment(RequestBody):
    """Whose experiment is judged."""

    organization_id: OrganizationId | None = Field(
        None, description="Null: the global one. Left out: the key's own organization, or the global one for a key of all."
    )


class JudgedVariant(BaseModel):
    """The verdict on a variant; scores are means of 0.5·deal + 0.3·meeting + 0.2·reply a lead, null where an arm has no leads yet."""

    arm: Arm
    verdict: Literal["promote", "keep", "roll_back", "inconclusive"]
    reason: str
    action: str = Field(description="What was done: promote, end_variant or none.")
    improvement_percentage: float | None
    control_score: float | None
    variant_score: float | None
    decision_id: int = Field(description="The stored decision, with everything that it rests on.")


class Winner(BaseModel):
    """Who won and has all traffic now; null while the evidence is open. The scores are those of the best variant."""

    winner: Literal["variant", "control"] | None
    winner_id: UUID | None = Field(description="The winner's registry id.")
    improvement_percentage: float | None
    control_score: float | None
    variant_score: float | None
    variants: list[JudgedVariant] = Field(description="The best one first.")


@router.post("/promote-winner", responses=answers_of(404, 409))
async def promote_winner(caller: Deployer, services: ServicesHere, which: WhichExperiment | None = None) -> Winner:
    """Judge the running experiment by its rules, keep the decision, and give all traffic to who won; without enough evidence nothing changes."""
    which = which or WhichExperiment()
    scope = caller.scope(which.organization_id, named="organization_id" in which.model_fields_set)
    try:
        found = await asyncio.to_thread(_promote, services.url, services.settings, scope, f"API key {caller.name}")
    except DeploymentError as error:
        raise RefusedError(409, "no_experiment", f"{error} (POST /training/deploy)") from None
    return _shown(found)


def _promote(url: str, settings: Settings, scope: str, actor: str) -> "promoting.Winner":
    from flywheel_dagster.models.verdicts.promoting import promote_winner  # numpy and scipy, which no other route needs
    from flywheel_dagster.models.verdicts.rules import rules_of

    with connect(url) as connection:
        return promote_winner(connection, scope, rules_of(settings), now=datetime.now(UTC), actor=actor)


def _shown(promoted: "promoting.Winner") -> Winner:
    found = promoted.best.judgement
    return Winner(
        winner=promoted.winner,
        winner_id=promoted.winner_id,
        improvement_percentage=_per_cent(found.relative_improvement),
        control_score=found.control_score,
        variant_score=found.variant_score,
        variants=[
            JudgedVariant(
                arm=each.arm,
                verdict=each.judgement.verdict.value,
                reason=each.judgement.reason,
                action=each.action,
                improvement_percentage=_per_cent(each.judgement.relative_improvement),
                control_score=each.judgement.control_score,
                variant_score=each.judgement.variant_score,
                decision_id=each.id,
            )
            for each in promoted.decisions
        ],
    )


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share
