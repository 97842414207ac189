"""`/score`, `/feedback/{lead_id}` and `/info`: how likely a lead is to convert, what became of it, and how far learning is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, Field

from flywheel_dagster.api.callers import Caller, GuardedRoute, Reader, Recorder
from flywheel_dagster.api.errors import RefusedError, answers_of
from flywheel_dagster.api.fields import Id, WhichOrganization
from flywheel_dagster.api.forms import FORMS, taking_forms
from flywheel_dagster.api.leads import LeadScored, LeadToScore, lead_of_form
from flywheel_dagster.api.reading import inputs_told
from flywheel_dagster.api.services import Services, ServicesHere
from flywheel_dagster.leads.scoring import Scored

_MOST_LEADS = 1_000
router = APIRouter(tags=["leads"], route_class=GuardedRoute)
_scoring = APIRouter(tags=["leads"], route_class=taking_forms(lead_of_form))

LeadId = Annotated[Id, Path(description="As it was scored. Slashes and all else may stand in it, percent-encoded.")]
_FORM_BODY = {
    "schema": {
        "type": "object",
        "required": ["lead_id"],
        "properties": {"lead_id": {"type": "string", "minLength": 1, "maxLength": 200}},
        "additionalProperties": {"type": "string", "maxLength": 500},
    }
}


class FeedbackTaken(BaseModel):
    """What became of a word about a lead."""

    message: str
    lead_id: str
    outcome: bool | None = Field(description="null: nothing is known any more.")
    total_feedback: int = Field(description="How many leads have an outcome now.")


class RetrainingStatus(BaseModel):
    """Whether there is enough to learn from anew."""

    feedback_count: int = Field(description="Leads that were told of since the newest training.")
    retraining_threshold: int
    ready_for_retraining: bool


class ScoringInfo(BaseModel):
    """How far an organization's lead scoring is."""

    model_version: str = Field(description="prior: no version is deployed yet.")
    deployed_at: datetime | None
    total_leads_scored: int
    feedback_samples_collected: int = Field(description="Leads whose outcome is known.")
    retraining_status: RetrainingStatus


@_scoring.post("/score", responses=answers_of(404), openapi_extra={"requestBody": {"content": dict.fromkeys(FORMS, _FORM_BODY)}})
async def score_lead(lead: LeadToScore, caller: Recorder, services: ServicesHere) -> LeadScored:
    """Score a lead, and write down what is known of it; its outcome too, where that came along. In a form, further fields are attributes."""
    return (await _score(services, caller, [lead]))[0]


@router.post("/score/batch", responses=answers_of(404))
async def score_leads(
    leads: Annotated[list[LeadToScore], Body(min_length=1, max_length=_MOST_LEADS, description="Of one organization.")],
    caller: Recorder,
    services: ServicesHere,
) -> list[LeadScored]:
    """Score up to a thousand leads: all are scored and written down, or none. Without reasons, which cost more than the score."""
    return await _score(services, caller, leads)


@router.put("/feedback/{lead_id:path}", responses=answers_of(404))
async def tell_outcome(
    lead_id: LeadId, outcome: bool, caller: Recorder, services: ServicesHere, organization_id: WhichOrganization = None
) -> FeedbackTaken:
    """Say whether a lead converted. Said again it changes nothing; said otherwise, the newer word holds."""
    return await _tell(services, caller, organization_id, lead_id, outcome)


@router.delete("/feedback/{lead_id:path}", responses=answers_of(404))
async def withdraw_outcome(
    lead_id: LeadId, caller: Recorder, services: ServicesHere, organization_id: WhichOrganization = None
) -> FeedbackTaken:
    """Take back what was said of a lead: its outcome is unknown again."""
    return await _tell(services, caller, organization_id, lead_id, None)


@router.get("/info", responses=answers_of(404))
async def show_info(caller: Reader, services: ServicesHere, organization_id: WhichOrganization = None) -> ScoringInfo:
    """Which version scores, how many leads it was told of, and whether that is enough to learn anew."""
    info = await services.leads.info(caller.organization(organization_id))
    threshold = services.settings.lead_feedback
    return ScoringInfo(
        model_version=info.version,
        deployed_at=info.deployed_at,
        total_leads_scored=info.scored,
        feedback_samples_collected=info.told,
        retraining_status=RetrainingStatus(
            feedback_count=info.told_since,
            retraining_threshold=threshold,
            ready_for_retraining=info.told_since >= threshold,
        ),
    )


async def _score(services: Services, caller: Caller, leads: Sequence[LeadToScore]) -> list[LeadScored]:
    organizations = {caller.organization(lead.organization_id, field="body.organization_id") for lead in leads}
    if len(organizations) > 1:
        raise RefusedError(
            422, "invalid_request", "leads of one request belong to one organization; send them in one request for each",
            field="body.organization_id",
        )  # fmt: skip
    with inputs_told():
        scored = await services.leads.score(organizations.pop(), [lead.lead() for lead in leads], told_by=caller.name)
    return _answers(leads, scored)


def _answers(leads: Sequence[LeadToScore], scored: Scored) -> list[LeadScored]:
    return [
        LeadScored(
            lead_id=lead.lead_id,
            conversion_score=score.conversion_score,
            risk_category=score.risk_category,
            timestamp=scored.scored_at,
            model_version=scored.version,
            reasons=score.reasons,
        )
        for lead, score in zip(leads, scored.scores, strict=True)
    ]


async def _tell(
    services: Services, caller: Caller, organization_id: str | None, lead_id: str, outcome: bool | None
) -> FeedbackTaken:
    organization = caller.organization(organization_id)
    told = await services.leads.tell(organization, lead_id, outcome, source="feedback", told_by=caller.name)
    if not told.known:
        raise RefusedError(404, "not_found", "no lead of yours with this id was ever scored; POST /score comes first")
    new, repeated = ("withdrawn", "was not there") if outcome is None else ("recorded", "was known already")
    return FeedbackTaken(
        message=f"Feedback {new if told.heard else repeated}", lead_id=lead_id, outcome=outcome, total_feedback=told.total
    )


router.include_router(_scoring)
