"""What the pages about leads show, read in one go; held by row-level security to the organization."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from flywheel_dagster.api.errors import RefusedError
from flywheel_dagster.api.services import AsyncRows, Services
from flywheel_dagster.database import statement
from flywheel_dagster.leads.fields import STANDARD
from flywheel_dagster.leads.scoring import Info

A_PAGE = 25
_MOST_FOUND = 50
_NEWEST = 20  # scorings and words of a lead
_MOST_ORGANIZATIONS = 1_000


def _place(given: object) -> object:
    if not isinstance(given, str):
        return given
    score, _, lead_id = given.partition(" ")
    if not 0 <= float(score) <= 1 or not 1 <= len(lead_id) <= 200 or "\0" in lead_id:
        raise ValueError("no place in the list")
    return float(score), lead_id


Place = Annotated[tuple[float, str], BeforeValidator(_place)]
"""The last lead of a page: its score and id."""


@dataclass(frozen=True)
class Leads:
    """A page of leads: those that wait, or that were looked for; `more` says that there are others, `place` where they begin."""

    info: Info
    threshold: int
    rows: list[dict[str, Any]]
    more: bool
    place: str
    said: dict[str, Any] | None


@dataclass(frozen=True)
class Record:
    """All of a lead: its state, features as known now, why it is scored so, and what was scored and said before."""

    lead: dict[str, Any]
    features: list[tuple[str, Any]]
    reasons: list[dict[str, Any]]
    scorings: list[dict[str, Any]]
    words: list[dict[str, Any]]


async def list_of(services: Services, whose: str, *, begin: str | None, after: tuple[float, str] | None, said: str | None) -> Leads:
    """The leads that wait for an outcome, the likeliest first; with `begin` those whose id begins so. `said`: the lead of whom something was just said."""
    most = A_PAGE if begin is None else _MOST_FOUND
    values = {
        "organization_id": whose, "begin": None if begin is None else _literal(begin), "most": most + 1,
        "after_score": after and after[0], "after_lead": after and after[1], "lead_id": said,
    }  # fmt: skip
    async with services.reading(whose) as connection:
        rows = await _all(connection, "page_leads_waiting" if begin is None else "page_leads_found", values)
        told = await _all(connection, "page_lead", values) if said else []
    shown = rows[:most]
    place = f"{shown[-1]['conversion_score']!r} {shown[-1]['lead_id']}" if shown else ""
    info = await services.leads.info(whose)
    return Leads(info, services.settings.lead_feedback, shown, len(rows) > most, place, told[0] if told else None)


async def record_of(services: Services, whose: str, lead_id: str) -> Record:
    """A lead's record. Refuses with 404 one that was never scored, or not here."""
    values = {"organization_id": whose, "lead_id": lead_id, "most": _NEWEST}
    async with services.reading(whose) as connection:
        leads = await _all(connection, "page_lead", values)
        if not leads:
            raise RefusedError(404, "not_found", "No lead of yours with this id was ever scored.")
        scorings = await _all(connection, "page_lead_scorings", values)
        words = await _all(connection, "page_lead_words", values)
    lead = leads[0]
    known = {name: lead[name] for name in STANDARD if lead[name] is not None} | lead["attributes"]
    reasons = next((each["reasons"] for each in scorings if each["scored_at"] == lead["scored_at"]), None)
    if not reasons:  # it came in a batch or a table
        reasons = (await services.leads.explain(whose, known)).reasons
    return Record(lead, list(known.items()), reasons, scorings, words)


async def organizations_of(services: Services) -> list[dict[str, Any]]:
    """Those that a key of all organizations may choose from."""
    async with services.pool.connection() as connection:
        return await _all(connection, "page_organizations", {"organizations": _MOST_ORGANIZATIONS})


async def _all(connection: AsyncRows, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return await (await connection.execute(statement(query), values)).fetchall()


def _literal(text: str) -> str:
    """As a pattern of LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
