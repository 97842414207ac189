"""What routes share: rows that the caller may see, whose a campaign is, and what becomes of what a room can't use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flywheel_dagster.api.callers import Caller
from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.services import Services
from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError


@contextmanager
def inputs_told() -> Iterator[None]:
    """What a room can't use is the sender's to correct: 422."""
    try:
        yield
    except InputError as error:
        raise RefusedError(422, "invalid_request", str(error)) from None


async def rows_of(
    services: Services, caller: Caller, organization_id: str | None, query: str, **values: Any
) -> list[dict[str, Any]]:
    """The rows of a named statement that an organization may see, by row-level security; for None those of all that the caller may see. Refuses another's with 404."""
    if organization_id is not None:
        caller.require_sight(organization_id)
    whose = organization_id or caller.organization_id
    async with services.reading(whose) as connection:
        return await (await connection.execute(statement(query), {"organization_id": whose, **values})).fetchall()


async def organization_of(services: Services, caller: Caller, campaign_id: str, organization_id: str | None) -> str:
    """Whose campaign it is. Refuses with 404 one that isn't there or not the caller's, with 422 a name that two organizations use."""
    rows = await rows_of(services, caller, organization_id, "organizations_of_campaign", campaign_id=campaign_id)
    if not rows:
        raise RefusedError(
            404, "not_found", "no message of yours was sent in this campaign; its id is what POST /strategies/messages was given"
        )
    if len(rows) > 1:
        raise RefusedError(
            422, "organization_missing", "several organizations have a campaign of this id: say by organization_id which one is meant",
            field="query.organization_id",
        )  # fmt: skip
    return str(rows[0]["id"])
