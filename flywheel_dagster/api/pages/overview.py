"""`GET /`: the flywheel at a glance. Reads what the page shows in one go; what it says is made in `figures.py`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from flywheel_dagster.api.callers import Caller, unknown_organization
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.fields import OrganizationId
from flywheel_dagster.api.pages.answering import page, signed_in
from flywheel_dagster.api.pages.figures import cards_of, funnel_of, models_of, strategies_of
from flywheel_dagster.api.services import Services, services_of
from flywheel_dagster.database import statement

_MOST = {"models": 8, "strategies": 8, "organizations": 1_000}
METRICS = {"reply_rate": "replies", "meeting_rate": "meetings", "close_rate": "deals", "performance": "all three"}
WEEKS = {12: "12 weeks", 26: "half a year", 52: "a year"}


class Asked(BaseModel):
    """What the page is asked to show."""

    model_config = ConfigDict(extra="forbid")

    organization_id: Annotated[OrganizationId | None, BeforeValidator(lambda given: given or None)] = None
    weeks: Literal["12", "26", "52"] = "12"
    metric: Literal["reply_rate", "meeting_rate", "close_rate", "performance"] = "reply_rate"


@dataclass(frozen=True)
class Found:
    """The rows of the page. Without a key of all organizations, `organizations` is empty."""

    weeks: list[dict[str, Any]]
    models: list[dict[str, Any]]
    strategies: list[dict[str, Any]]
    state: dict[str, Any]
    organizations: list[dict[str, Any]]


async def show_overview(request: Request) -> Response:
    """The page, for who is signed in: of the key's organization, or of one or all that a key of all organizations asks for."""
    caller, services = await signed_in(request), services_of(request)
    asked = _asked(request)
    if asked.organization_id is not None:
        caller.require_sight(asked.organization_id)
    whose = asked.organization_id or caller.organization_id
    found = await _read(services, caller, asked, whose)
    return page(
        "overview.html",
        caller=caller,
        asked=asked,
        whose=whose,
        found=found,
        choices={"weeks": WEEKS, "metric": METRICS},
        young_days=services.settings.strategy_meeting_days,
        cards=cards_of(found.weeks),
        funnel=funnel_of(found.weeks),
        models=models_of(found.models),
        strategies=strategies_of(found.strategies),
    )


def _asked(request: Request) -> Asked:
    try:
        return Asked(**dict(request.query_params))
    except ValidationError as error:
        wrong = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RefusedError(
            422, "invalid_request", f"The address asks for something that this page doesn't have: {wrong}."
        ) from None


async def _read(services: Services, caller: Caller, asked: Asked, whose: str | None) -> Found:
    """Everything in one transaction, sent together: a round trip for the rows."""
    queries = ["flywheel_weeks", "page_models", "page_strategies", "page_state"]
    if caller.organization_id is None:
        async with services.pool.connection() as connection:
            organizations = await (await connection.execute(statement("page_organizations"), _MOST)).fetchall()
    else:
        organizations = []
    values = {
        **_MOST,
        "organization_id": whose,
        "weeks": int(asked.weeks),
        "metric": asked.metric,
        "young_days": services.settings.strategy_meeting_days,
    }
    async with services.reading(whose) as connection, connection.pipeline():
        cursors = [await connection.execute(statement(query), values) for query in queries]
        weeks, models, strategies, state = [await cursor.fetchall() for cursor in cursors]
    if asked.organization_id is not None and not state[0]["is_known"]:
        raise unknown_organization()
    return Found(weeks, models, strategies, state[0], organizations)
