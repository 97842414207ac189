"""Our own format for what a CRM knows: {"event": "deal.closed_won", …}, one object or a list of them; other sources delegate to it.

Events and fields are those of the description: outcome_id, deal_id, deal_value (amount, value), currency, closed_at, status,
contact_email (email), lead_id, meeting_id, meeting_time (scheduled_at), occurred_at (timestamp), event_id (id). An envelope as in
Standard Webhooks, {"type": …, "timestamp": …, "data": {…}}, is opened. Needs no settings.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources import generic_words as words
from flywheel_dagster.ingester.sources.items import digest, objects, unreadable
from flywheel_dagster.ingester.sources.reading import (
    currency,
    email,
    given,
    identifier,
    iso_time,
    mapping,
    money,
    outcome_id,
    possible_time,
    text,
    unix_time,
)
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent

SOURCE = "crm"


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """One event an object; whatever else stands in a list is noted. Raises UnreadableError where nothing is an object."""
    return [
        event_of(item, raw, received, connection, position=position)
        if item is not None
        else unreadable(raw, received, connection, source=SOURCE)
        for position, (item, raw) in enumerate(objects(received.body))
    ]


def event_of(
    item: Mapping[str, Any],
    raw: bytes,
    received: Received,
    connection: Connection,
    *,
    source: str = SOURCE,
    scope: str = SOURCE,
    position: int = 0,
) -> OutcomeEvent:
    """What one object of this format says; its deal is "deal:SCOPE:ID", its meeting "meeting:SCOPE:ID".

    `position` is its place in the request, so that the several objects of one delivery differ. Never raises.
    """
    fields = {**mapping(item.get("data")), **item}
    times = [(name, _moment(fields.get(name))) for name in words.TIMES]
    told = {name: moment for name, moment in times if moment is not None and possible_time(moment, received.at) == moment}
    event_type, kind = words.classify(fields, dated=any(name != "close_date" for name in told))
    deal, meeting = identifier(words.first(fields, "deal_id", "opportunity_id")), identifier(fields.get("meeting_id"))
    facts = _facts(fields, event_type, kind, deal, meeting)
    own = _event_id(fields, deal, meeting)
    delivery = identifier(received.headers.get("webhook-id"))
    content = f"content:{digest(item, raw)}"
    names = (deal and f"deal:{scope}:{deal}", meeting and f"meeting:{scope}:{meeting}")
    return OutcomeEvent(
        event_type=event_type,
        occurred_at=_occurred_at(kind, told, facts, received.at),
        source=source,
        organization_id=connection.organization_id,
        outcome_id=outcome_id(fields.get("outcome_id")),
        source_event_id=own or delivery,
        facts=facts,
        raw=raw,
        references=tuple(name for name in (reversed(names) if kind.startswith("meeting.") else names) if name),
        lead_id=identifier(fields.get("lead_id")),
        lead_email=email(words.first(fields, "contact_email", "email", "lead_email")),
        identity=f"id:{own}" if own else f"delivery:{delivery}:{position}" if delivery else content,
        alias=None if own else f"{event_type}:{content}",  # the stored payload, read again, has no headers
    )


def _facts(fields: Mapping[str, Any], event_type: EventType, kind: str, deal: str | None, meeting: str | None) -> dict[str, Any]:
    starts = _meeting_time(words.first(fields, "meeting_time", "scheduled_at", "meeting_at", "start_time"))
    ends = _meeting_time(words.first(fields, "meeting_ends_at", "end_time"))
    if ends is None and starts is not None and (minutes := money(fields.get("duration_minutes"))) and float(minutes) <= 1440:
        ends = starts + timedelta(minutes=float(minutes))
    noted = event_type is EventType.NOTED
    meets = noted or event_type.startswith("meeting_")
    deals = noted or event_type.startswith("deal_")
    return given(
        kind=kind if noted else None,
        status=text(fields.get("status"), limit=100) if noted else None,
        deal_id=deal if deals else None,
        value=_first_money(fields) if deals else None,
        currency=currency(words.first(fields, "currency", "deal_currency")) if deals else None,
        meeting_id=meeting if meets else None,
        meeting_at=starts.isoformat() if meets and starts else None,
        meeting_ends_at=ends.isoformat() if meets and ends else None,
    )


def _first_money(fields: Mapping[str, Any]) -> str | None:
    amounts = (money(fields.get(name)) for name in ("deal_value", "amount", "value"))
    return next((amount for amount in amounts if amount is not None), None)


def _occurred_at(kind: str, told: Mapping[str, datetime], facts: Mapping[str, Any], at: datetime) -> datetime:
    """The fact's own time. Without one, a meeting was booked before it began, and held when it was over, if that has passed."""
    for name in words.times_of(kind):
        if name in told:
            return told[name]
    starts = iso_time(facts.get("meeting_at"))
    ends = iso_time(facts.get("meeting_ends_at")) or starts
    if kind in words.BOOKINGS:
        return possible_time(min(starts or at, at), at)
    if kind in words.HELD and ends is not None and ends <= at:
        return possible_time(ends, at)
    return at


def _event_id(fields: Mapping[str, Any], deal: str | None, meeting: str | None) -> str | None:
    """The sender's id of the event. A bare "id" is one only where the record itself is named by another field."""
    if own := identifier(fields.get("event_id")):
        return own
    bare = identifier(fields.get("id"))
    records = {deal, meeting, identifier(fields.get("outcome_id"))} - {None}
    return bare if records and bare not in records else None


def _moment(value: object) -> datetime | None:
    """ISO 8601 first: "20261120" is a date, not a second of 1970."""
    return iso_time(value) or unix_time(value)


def _meeting_time(value: object) -> datetime | None:
    """A meeting's time; meetings before 1990 or after 2100 are typing errors."""
    found = _moment(value)
    return found if found is not None and 1990 <= found.year <= 2100 else None
