"""Calendly's webhooks (v2, and the invitee.created of v1): an invitee's meeting is booked, cancelled, moved or missed.

An invitee's URI is the meeting's id. The outcome is named by `utm_content` of the booking link. A reschedule comes as a cancellation
of the old invitee that names the new one, and as a new booking that names the old one; either alone says that the meeting stands.
Nobody reports a meeting as held, except by taking a no-show back. Needs no settings.
[developer.calendly.com, webhook payload and “webhook payloads for rescheduled events”; araluce/calendlyr, test/fixtures]
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources.items import digest, objects, unreadable
from flywheel_dagster.ingester.sources.reading import email, given, identifier, iso_time, mapping, outcome_id, possible_time, text
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent

SOURCE = "calendly"

_EVENTS = {
    "invitee.created": EventType.MEETING_BOOKED,
    "invitee.canceled": EventType.MEETING_CANCELLED,
    "invitee_no_show.created": EventType.MEETING_NO_SHOW,
    "invitee_no_show.deleted": EventType.MEETING_COMPLETED,
}


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """One event a webhook, two for a reschedule; whatever isn't of this shape is noted. Raises UnreadableError for what is no JSON object."""
    events: list[OutcomeEvent] = []
    for item, raw in objects(received.body):
        if item is None:
            events.append(unreadable(raw, received, connection, source=SOURCE))
        else:
            events.extend(_events(item, raw, received, connection))
    return events


def _events(item: Mapping[str, Any], raw: bytes, received: Received, connection: Connection) -> Iterator[OutcomeEvent]:
    payload = mapping(item.get("payload"))
    name = text(item.get("event"), limit=100) if payload else None
    kind = _EVENTS.get(name or "", EventType.NOTED)
    meeting = _invitee(payload)
    moved_to = identifier(payload.get("new_invitee")) if kind is EventType.MEETING_CANCELLED else None
    others = [identifier(payload.get("new_invitee")), identifier(payload.get("old_invitee"))]

    def event(event_type: EventType, about: str | None, facts: dict[str, Any]) -> OutcomeEvent:
        return OutcomeEvent(
            event_type=event_type,
            occurred_at=_occurred_at(item, payload, received.at),
            source=SOURCE,
            organization_id=connection.organization_id,
            outcome_id=outcome_id(mapping(payload.get("tracking")).get("utm_content")),
            facts=facts,
            raw=raw,
            references=tuple(dict.fromkeys(f"meeting:calendly:{uri}" for uri in (about, meeting, *others) if uri)),
            lead_email=email(payload.get("email")) or email(mapping(payload.get("invitee")).get("email")),
            identity=_identity(name, item, payload, meeting, raw),
        )

    if kind is EventType.NOTED:
        yield event(kind, None, {"kind": name or "unknown"})
        return
    yield event(kind, meeting, given(meeting_id=meeting, **_times(payload, booked=kind is EventType.MEETING_BOOKED)))
    if moved_to and moved_to != meeting:
        yield event(EventType.MEETING_BOOKED, moved_to, {"meeting_id": moved_to})


def _invitee(payload: Mapping[str, Any]) -> str | None:
    """The invitee that it is about: the payload itself, or what a no-show or a routing form names; in v1 an object with a uuid."""
    invitee = payload.get("invitee")
    if isinstance(invitee, dict):
        return identifier(invitee.get("uri")) or identifier(invitee.get("uuid"))
    if "submitter" in payload:
        return identifier(payload.get("submitter"))
    return identifier(invitee) or identifier(payload.get("uri"))


def _times(payload: Mapping[str, Any], *, booked: bool) -> dict[str, str]:
    meeting = mapping(payload.get("scheduled_event")) or mapping(payload.get("event"))
    starts, ends = _meeting_time(meeting.get("start_time")), _meeting_time(meeting.get("end_time"))
    return given(meeting_at=starts, meeting_ends_at=ends if booked else None)


def _meeting_time(value: object) -> str | None:
    found = iso_time(value)
    return found.isoformat() if found is not None and 1990 <= found.year <= 2100 else None


def _occurred_at(item: Mapping[str, Any], payload: Mapping[str, Any], at: datetime) -> datetime:
    """The envelope's time; else, as in v1, what comes nearest to it."""
    for told in (
        item.get("created_at"),
        item.get("time"),
        mapping(payload.get("no_show")).get("created_at"),
        mapping(payload.get("cancellation")).get("created_at"),
        payload.get("created_at"),
        mapping(payload.get("invitee")).get("created_at"),
    ):
        found = iso_time(told)
        if found is not None and possible_time(found, at) == found:
            return found
    return at


def _identity(name: str | None, item: Mapping[str, Any], payload: Mapping[str, Any], meeting: str | None, raw: bytes) -> str:
    """A delivery repeats event, payload.uri and created_at; what has none of them is known by its content."""
    uri, created = identifier(payload.get("uri")) or meeting, text(item.get("created_at"), limit=100)
    return f"{name}|{uri or ''}|{created or ''}" if name and (uri or created) else f"content:{digest(item, raw)}"
