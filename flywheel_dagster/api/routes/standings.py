"""`/strategies/agents`, `/strategies/metrics` and `/strategies/playbooks`: how agents, weeks and sequences stand."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from flywheel_dagster.api.callers import GuardedRoute, Reader
from flywheel_dagster.api.errors import answers_of
from flywheel_dagster.api.fields import Id, OfOrganization, WhichOrganization
from flywheel_dagster.api.reading import organization_of, rows_of
from flywheel_dagster.api.services import ServicesHere

router = APIRouter(prefix="/strategies", tags=["strategies"], route_class=GuardedRoute)


class AgentRanked(BaseModel):
    """An agent by what the messages achieved that it had a part in."""

    organization_id: str
    agent: str
    sent: int
    reply_rate: float
    meeting_rate: float
    close_rate: float
    revenue: float
    performance: float = Field(description="0.5·deal + 0.3·meeting + 0.2·reply, a message.")
    best_key: str | None = Field(description="Its decision that did best, of those with 30 messages.")
    best_decision: str | None
    best_sent: int | None
    best_performance: float | None
    rank: int = Field(description="Within its organization.")


class AgentLeaderboard(BaseModel):
    """The best first."""

    total: int
    agents: list[AgentRanked]


class Week(BaseModel):
    """What became of the messages sent in a week, and the models made in it. Rates are 0..1, null without messages; costs null where none is known."""

    week: date = Field(description="Its Monday.")
    is_young: bool = Field(description="Its messages aren't old enough yet to have had their meetings.")
    outcomes: int
    training_ready: int
    average_sentiment: float | None = Field(description="Of replies, from -1 to 1.")
    sentiment_change: float | None = Field(description="On the week before.")
    delivered: int
    opened: int
    replies: int
    meetings: int
    deals: int
    revenue: float
    reply_rate: float | None
    meeting_rate: float | None
    close_rate: float | None
    cost_usd: float | None
    cost_per_meeting: float | None
    models_trained: int


class Weeks(BaseModel):
    """The newest weeks, oldest first."""

    weeks: list[Week]


class PlaybookStep(BaseModel):
    """A touch. What isn't said may be anything."""

    order: int
    gap: str | None = Field(None, description="Since the touch before.")
    channel: str | None = None
    strategy: str | None = None


class Playbook(BaseModel):
    """A sequence of touches, and what its leads achieved beside others that stood at the same point."""

    campaign_id: str
    metric: Literal["meeting", "positive_reply", "deal"]
    level: Literal["channel_gap_strategy", "channel_gap", "strategy"] = Field(description="What its steps say.")
    words: str = Field(examples=["email PAS professional → 3-4 days → linkedin AIDA casual"])
    steps: list[PlaybookStep]
    leads: int
    successes: int
    rate: float
    expected_rate: float
    shrunken_rate: float
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    q_value: float
    supported: bool = Field(description="Chance doesn't explain it, at a tenth of false discoveries in the campaign.")
    window_days: float
    as_of: datetime


class Playbooks(BaseModel):
    """Supported ones first."""

    organization_id: str
    playbooks: list[Playbook]


@router.get("/agents", responses=answers_of(404))
async def agents(
    caller: Reader, services: ServicesHere, limit: Annotated[int, Query(ge=1, le=500)] = 100, organization_id: OfOrganization = None
) -> AgentLeaderboard:
    """Rank agents by what the messages achieved that they had a part in."""
    rows = await rows_of(services, caller, organization_id, "agent_leaderboard", limit=limit)
    return AgentLeaderboard(total=len(rows), agents=[AgentRanked(**row) for row in rows])


@router.get("/metrics", responses=answers_of(404))
async def metrics(
    caller: Reader,
    services: ServicesHere,
    weeks: Annotated[int, Query(ge=1, le=520, description="At most so many, the newest.")] = 12,
    organization_id: OfOrganization = None,
) -> Weeks:
    """The flywheel week by week: messages and what became of them, examples to train on, sentiment, costs, models."""
    rows = await rows_of(
        services, caller, organization_id, "flywheel_weeks", weeks=weeks, young_days=services.settings.strategy_meeting_days
    )
    return Weeks(weeks=[Week(**row) for row in rows])


@router.get("/playbooks", responses=answers_of(404))
async def playbooks(
    caller: Reader,
    services: ServicesHere,
    campaign_id: Annotated[Id | None, Query(description="Of this campaign; left out: of all.")] = None,
    metric: Annotated[Literal["meeting", "positive_reply", "deal"], Query(description="What the leads achieved.")] = "meeting",
    supported: Annotated[bool, Query(description="Only those that chance doesn't explain.")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    organization_id: WhichOrganization = None,
) -> Playbooks:
    """Sequences of touches that did better than chance explains. They are leads to follow: an experiment is the proof."""
    organization = caller.organization(organization_id)
    if campaign_id is not None:
        await organization_of(services, caller, campaign_id, organization)
    rows = await rows_of(
        services, caller, organization, "playbooks", campaign_id=campaign_id, metric=metric, level=None, only_supported=supported, limit=limit
    )  # fmt: skip
    words = await asyncio.to_thread(_in_words, [row["steps"] for row in rows])
    return Playbooks(
        organization_id=organization, playbooks=[Playbook(**row, words=told) for row, told in zip(rows, words, strict=True)]
    )


def _in_words(sequences: Sequence[list[Any]]) -> list[str]:
    from flywheel_dagster.strategies.sequences.playbooks import in_words  # numpy

    return [in_words(steps) for steps in sequences]
