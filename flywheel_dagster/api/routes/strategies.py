"""`/strategies/performance`, `/strategies/winning` and `/strategies/suggest`: what works, and what to try next."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from flywheel_dagster.api.callers import GuardedRoute, Reader
from flywheel_dagster.api.errors import answers_of
from flywheel_dagster.api.fields import Id, Moment, OfOrganization, Probability, RequestBody, ShortWords, WhichOrganization
from flywheel_dagster.api.reading import inputs_told, organization_of
from flywheel_dagster.api.services import ServicesHere

if TYPE_CHECKING:
    from flywheel_dagster.strategies.suggesting import Suggestion

router = APIRouter(prefix="/strategies", tags=["strategies"], route_class=GuardedRoute)

Metric = Literal["reply_rate", "meeting_rate", "close_rate", "performance"]
Channel = Literal["email", "sms", "linkedin", "whatsapp", "phone", "chat", "social", "direct_mail", "in_app", "other"]
_By = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="One to three decision keys, comma-separated, that tell strategies apart.",
        examples=["hooks_used,cta"],
    ),
]
_OfCampaign = Annotated[Id, Query(description="The campaign.")]
_MetricWanted = Annotated[Metric, Query(description="What the estimate is of. performance: 0.5·deal + 0.3·meeting + 0.2·reply.")]


class StrategyRow(BaseModel):
    """A strategy: its decisions by key (framework, tone …), what was counted, and what is worth believing. Rates are 0..1."""

    model_config = ConfigDict(extra="allow")

    strategy: str = Field(examples=["PAS_professional"])
    total_sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    meetings: int
    deals: int
    revenue: float
    delivery_rate: float
    open_rate: float
    reply_rate: float
    meeting_rate: float
    close_rate: float
    avg_deal_value: float | None
    metric: Metric
    raw: float = Field(description="The metric as counted, a message sent.")
    estimate: float | None = Field(
        description="The metric as it is worth believing: drawn towards the others by as much as it is uncertain. "
        "Null beyond the strategies that were used most."
    )
    low: float | None = Field(description="With high: holds the true rate with 95 % probability.")
    high: float | None
    probability_best: float | None
    enough_data: bool
    reason: str | None = Field(description="Why there isn't enough data to say.")


class AgentPerformance(BaseModel):
    """What a campaign's strategies achieved, by name."""

    campaign_id: str
    organization_id: str
    agent_name: str | None
    keys: list[str] = Field(description="The decisions that tell the strategies apart.")
    total_outcomes: int
    as_of: datetime | None = Field(description="When the counts were brought up to date.")
    strategy_performance: dict[str, StrategyRow]


class WinningStrategy(StrategyRow):
    """A strategy of an organization over all its campaigns."""

    held_difference: float | None = Field(
        None, description="The rate minus the other strategies' among leads of the same kind, with 95 % interval."
    )
    held_low: float | None = None
    held_high: float | None = None
    warnings: list[str] = Field(default_factory=list, description="Where it was used for other leads than the rest.")
    as_of: datetime | None = None


class WinningStrategies(BaseModel):
    """The best first."""

    organization_id: str
    metric: Metric
    strategies: list[WinningStrategy]


class LeadToWriteTo(RequestBody):
    """What is known of the lead that a strategy is wanted for."""

    industry: ShortWords | None = None
    role: ShortWords | None = None
    company_size: ShortWords | None = None


class SuggestionWanted(RequestBody):
    """For whom, and from which strategies."""

    organization_id: Id | None = Field(
        None, description="Left out: the key's own. With a key of all organizations it has to be named."
    )
    lead_context: LeadToWriteTo | None = None
    channel: Channel = "email"
    allowed: (
        Annotated[list[Annotated[list[ShortWords], Field(min_length=1, max_length=3)]], Field(min_length=1, max_length=100)] | None
    ) = Field(
        None,
        description="The strategies that may be used, a value of each decision key; null: those that were used so far.",
        examples=[[["PAS", "professional"], ["AIDA", "casual"]]],
    )
    metric: Metric = "performance"
    by: Annotated[list[Id], Field(min_length=1, max_length=3)] = Field(["framework", "tone"], description="The decision keys.")


class StrategySuggested(RequestBody):
    """A strategy to use, and its odds. Hand it to POST /strategies/messages with the message, so that they are kept."""

    id: Id
    strategy: Annotated[str, Field(max_length=3_100)] = Field(examples=["PAS_professional"])
    decisions: Annotated[dict[Id, ShortWords], Field(max_length=3)] = Field(examples=[{"framework": "PAS", "tone": "professional"}])
    propensity: Probability = Field(description="The probability with which it was drawn.")
    probabilities: dict[str, float] = Field(description="Those of all strategies that were allowed.")
    metric: Metric
    channel: Channel
    learnt_from: Literal["own messages", "other organizations", "nothing yet"]
    as_of: Moment | None

    def read(self) -> "Suggestion":
        """As the strategies' room has it."""
        from flywheel_dagster.strategies.suggesting import Suggestion

        return Suggestion(**self.model_dump())


@router.get("/performance", responses=answers_of(404))
async def performance(
    campaign_id: _OfCampaign,
    caller: Reader,
    services: ServicesHere,
    agent_name: Annotated[Id | None, Query(description="Whose decisions tell the strategies apart.")] = None,
    by: _By | None = None,
    metric: _MetricWanted = "reply_rate",
    organization_id: OfOrganization = None,
) -> AgentPerformance:
    """What a campaign's strategies achieved: by an agent's decisions, or by any others; framework and tone where nothing is said."""
    organization = await organization_of(services, caller, campaign_id, organization_id)
    integration = await services.agents.integration()
    with inputs_told():
        found = await integration.get_agent_performance(campaign_id, agent_name, organization_id=organization, by=by, metric=metric)
    return AgentPerformance.model_validate(found)


@router.get("/winning", responses=answers_of(404))
async def winning(
    caller: Reader,
    services: ServicesHere,
    metric: _MetricWanted = "reply_rate",
    min_samples: Annotated[int, Query(ge=1, le=1_000_000_000, description="Strategies with fewer messages are left out.")] = 10,
    by: _By = "framework,tone",
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    organization_id: WhichOrganization = None,
) -> WinningStrategies:
    """An organization's best strategies over all campaigns, by what is worth believing: one reply of one message leads no list."""
    organization = caller.organization(organization_id)
    integration = await services.agents.integration()
    with inputs_told():
        rows = await integration.get_winning_strategies(organization, metric, min_samples, by=by, limit=limit)
    return WinningStrategies(organization_id=organization, metric=metric, strategies=[WinningStrategy(**row) for row in rows])


@router.post("/suggest", responses=answers_of(404))
async def suggest(wanted: SuggestionWanted, caller: Reader, services: ServicesHere) -> StrategySuggested:
    """Draw a strategy for a lead: the likelier to be the best, the more often, and each that is allowed now and then."""
    organization = caller.organization(wanted.organization_id, field="body.organization_id")
    integration = await services.agents.integration()
    context = {} if wanted.lead_context is None else wanted.lead_context.model_dump(exclude_none=True)
    with inputs_told():
        found = await integration.suggest_strategy(
            organization, context, wanted.channel, allowed=wanted.allowed, metric=wanted.metric, by=wanted.by
        )
    return StrategySuggested.model_validate(found, from_attributes=True)
