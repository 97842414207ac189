"""`/strategies/messages` and `/strategies/replies`: what agents write down as they send, and as answers come."""

import logging
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, Discriminator, Field, Tag

from flywheel_dagster.api.callers import Caller, GuardedRoute, Recorder
from flywheel_dagster.api.errors import RefusedError, answers_of
from flywheel_dagster.api.fields import Decisions, Id, Past, RequestBody, ShortWords, Unique, Words
from flywheel_dagster.api.reading import inputs_told
from flywheel_dagster.api.routes.strategies import Channel, StrategySuggested
from flywheel_dagster.api.services import Services, ServicesHere
from flywheel_dagster.database import statement
from flywheel_dagster.errors import ModelError

router = APIRouter(prefix="/strategies", tags=["strategies"], route_class=GuardedRoute)
_LOG = logging.getLogger(__name__)
_MOST_MESSAGES = 1_000


class LeadContext(RequestBody):
    """What is known of the lead."""

    industry: ShortWords | None = None
    role: ShortWords | None = None
    company_size: ShortWords | Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(None, examples=["51-200"])
    icp_score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="How well the lead fits the ideal customer."
    )
    email: Annotated[ShortWords, Field(max_length=320)] | None = Field(
        None, description="Kept where none is known: events that name only the address find the message by it."
    )


class AgentMessage(RequestBody):
    """A message that was sent, and what was decided about it."""

    organization_id: Id | None = Field(
        None, description="Left out: the key's own. With a key of all organizations it has to be named."
    )
    campaign_id: Id
    lead_id: Id
    channel: Channel
    message_body: Words
    agent_decisions: Decisions = Field(
        default_factory=dict,
        description="Any agents' decisions, nested by agent or flat; framework, tone and subject are found in them.",
        examples=[{"PersonalizerAgent": {"framework": "PAS", "tone": "professional"}}],
    )
    subject_line: ShortWords | None = None
    lead_context: LeadContext | None = None
    suggestion: StrategySuggested | None = Field(
        None, description="The answer of POST /strategies/suggest that the message followed: its odds are kept with the outcome."
    )
    model_registry_id: Unique | None = Field(None, description="The registered model that wrote it.")
    experiment_arm: Literal["control", "variant_a", "variant_b"] | None = None
    sent_at: Past | None = Field(None, description="Now, where it isn't given.")
    outcome_id: Unique | None = Field(
        None, description="Give one to be able to send the request again: a message that is there stays as it is."
    )


class Tracked(BaseModel):
    """What the messages are called from now on."""

    outcome_ids: list[UUID] = Field(description="In the order of the messages. An outcome's id travels with its message.")


class Reply(RequestBody):
    """What a lead answered."""

    outcome_id: Unique = Field(description="Of the message that it answers.")
    reply_text: Annotated[Words, Field(min_length=1)]
    replied_at: Past | None = Field(None, description="Now, where it isn't given.")
    event_id: Id | None = Field(None, description="Any text that names the reply: the same one again is recorded once.")


class ReplyJudged(BaseModel):
    """What the reply says, as it was recorded."""

    outcome_id: UUID
    sentiment_score: float = Field(description="From -1 to 1.")
    sentiment_label: Literal["positive", "neutral", "negative"]
    interest_signal: bool
    interest_level: Literal["high", "medium", "low", "none"]
    objection_detected: bool
    objection_type: str
    reasoning: str
    is_auto_reply: bool
    wants_unsubscribe: bool
    referral: bool
    language: str = Field(description="ISO 639-1, or und.")
    confidence: float
    method: str = Field(description="Who judged it: llm, or rules.")
    model: str | None
    version: int
    fallback_reason: str | None = Field(description="Why rules judged though a model was asked.")


_One = Annotated[AgentMessage, Tag("message")]
_Many = Annotated[list[AgentMessage], Field(min_length=1, max_length=_MOST_MESSAGES), Tag("messages")]
_OneOrMany = Annotated[_One | _Many, Discriminator(lambda given: "messages" if isinstance(given, list) else "message")]


@router.post("/messages", status_code=201, responses=answers_of(404))
async def track_messages(
    messages: Annotated[_OneOrMany, Body(description="A message, or a list of up to a thousand: all are written, or none.")],
    caller: Recorder,
    services: ServicesHere,
) -> Tracked:
    """Write down messages that were sent, with what their agents decided."""
    given = messages if isinstance(messages, list) else [messages]
    organizations = [caller.organization(each.organization_id, field="body.organization_id") for each in given]
    await _require_own(services, given, organizations)
    integration = await services.agents.integration()
    with inputs_told():
        found = await integration.track_agent_messages(
            [
                {
                    **each.model_dump(exclude={"suggestion", "lead_context"}, exclude_none=True),
                    "organization_id": organization,
                    "lead_context": None if each.lead_context is None else each.lead_context.model_dump(exclude_none=True),
                    "suggestion": None if each.suggestion is None else each.suggestion.read(),
                }
                for each, organization in zip(given, organizations, strict=True)
            ]
        )
    return Tracked(outcome_ids=found)


@router.post("/replies", responses=answers_of(404))
async def process_reply(reply: Reply, caller: Recorder, services: ServicesHere) -> ReplyJudged:
    """Judge a reply beside the message that it answers, and record both."""
    await _require_outcome(services, caller, reply.outcome_id)
    integration = await services.agents.integration()
    try:
        with inputs_told():
            analysis = await integration.process_reply(
                reply.outcome_id, reply.reply_text, reply.replied_at, event_id=reply.event_id
            )
    except ModelError as error:
        _LOG.error("the language model that reads replies refuses: %s", type(error).__name__)
        raise RefusedError(
            503, "model_away", "the language model that reads replies can't be asked, and nothing was recorded; ask who runs this service to run flywheel doctor",
            retry_after=60,
        ) from None  # fmt: skip
    return ReplyJudged(outcome_id=reply.outcome_id, **analysis)


async def _require_own(services: Services, messages: list[AgentMessage], organizations: list[str]) -> None:
    """Refuse with 404 outcome ids and models that are another organization's."""
    async with services.pool.connection() as connection:
        for name, query, what in (
            ("outcome_id", "taken_outcomes", "outcome"),
            ("model_registry_id", "unseen_models", "model"),
        ):
            named = [
                (getattr(each, name), owner)
                for each, owner in zip(messages, organizations, strict=True)
                if getattr(each, name) is not None
            ]
            if not named:
                continue
            ids, owners = map(list, zip(*named, strict=True))
            row = await (await connection.execute(statement(query), {"ids": ids, "organizations": owners})).fetchone()
            if row is not None:
                raise RefusedError(404, "not_found", f"no {what} of yours has the id {row['id']}; nothing was written")


async def _require_outcome(services: Services, caller: Caller, outcome_id: UUID) -> None:
    async with services.reading(caller.organization_id) as connection:
        values = {"outcome_id": outcome_id, "organization_id": caller.organization_id}
        if await (await connection.execute(statement("message_of_outcome"), values)).fetchone() is None:
            raise RefusedError(
                404, "not_found", f"no outcome of yours has the id {outcome_id}; it is what POST /strategies/messages answers"
            )
