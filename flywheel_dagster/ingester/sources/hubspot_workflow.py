"""The one object that a HubSpot workflow's "Send a webhook" posts: a deal, contact or meeting with its properties, or a body of the admin's own.

Properties come as the object API writes them ({name: value}), as it wrote them before ({name: {value, timestamp}}), or, in a body
composed in HubSpot, among the other keys. [knowledge.hubspot.com/workflows/how-do-i-use-webhooks-with-hubspot-workflows]
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from msgspec.structs import replace

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources import generic
from flywheel_dagster.ingester.sources.hubspot_objects import (
    SOURCE,
    ObjectKind,
    is_false,
    is_true,
    kind_of,
    meeting_state,
    outcome_property,
    reference,
    stage_state,
)
from flywheel_dagster.ingester.sources.reading import (
    any_time,
    currency,
    email,
    given,
    listed,
    mapping,
    money,
    object_id,
    outcome_id,
    possible_time,
)
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent

_DEAL_ONLY = (
    "dealId", "deal_id", "dealstage", "dealname", "hs_is_closed_won", "hs_is_closed_lost", "hs_closed_amount", "deal_currency_code",
)  # fmt: skip
_MEETING_ONLY = ("hs_meeting_outcome", "hs_meeting_start_time", "hs_meeting_title")
_CONTACT_ONLY = ("vid", "canonical-vid", "email", "firstname", "lastname", "lifecyclestage")
_IDS = {
    ObjectKind.DEAL: ("dealId", "deal_id", "objectId", "hs_object_id", "id"),
    ObjectKind.MEETING: ("meetingId", "meeting_id", "objectId", "hs_object_id", "id"),
    ObjectKind.CONTACT: ("vid", "canonical-vid", "contactId", "contact_id", "objectId", "hs_object_id", "id"),
}
_LEAD_IDS = ("lead_id", "contact_id", "contactId", "vid")
_EMAILS = ("contact_email", "lead_email", "email")


@dataclass(frozen=True)
class _Object:
    """Properties by name, and when each got its value, where the body says so."""

    values: Mapping[str, Any]
    times: Mapping[str, datetime]

    def first(self, names: Iterable[str]) -> Any:
        """The first of these that has a value."""
        return next((self.values[name] for name in names if self.values.get(name) not in (None, "")), None)

    def time(self, *names: str) -> datetime | None:
        """The first of these that is a time."""
        return next((found for name in names if (found := any_time(self.values.get(name)))), None)


def event_of(body: Mapping[str, Any], received: Received, connection: Connection) -> OutcomeEvent:
    """What the object says; a body with an "event" is our own format, composed in HubSpot, and read as that."""
    thing = _object(body)
    kind = _kind(thing)
    number = object_id(thing.first(_IDS[kind])) if kind else None
    portal = _portal(thing, connection)
    named = thing.values.get(outcome_property(connection))
    if isinstance(body.get("event"), str):
        known = given(deal_id=number if kind is ObjectKind.DEAL else None, outcome_id=named)
        return generic.event_of(
            {**body, **known}, received.body, received, connection, source=SOURCE, scope=f"{SOURCE}:{portal or ''}"
        )
    about = OutcomeEvent(
        event_type=EventType.NOTED,
        organization_id=connection.organization_id,
        source=SOURCE,
        occurred_at=_when(_changes(thing), received.at) or received.at,
        outcome_id=outcome_id(named),
        facts={"kind": f"workflow.{kind}" if kind else "workflow"},
        raw=received.body,
        references=(reference(kind, portal, number),) if kind and number and kind is not ObjectKind.CONTACT else (),
        lead_id=number if kind is ObjectKind.CONTACT else _lead(body, thing),
        lead_email=email(thing.first(_EMAILS)),
        identity=f"workflow:{hashlib.sha256(received.body).hexdigest()}",
    )
    deleted = is_true(thing.values.get("isDeleted")) or is_true(thing.values.get("archived"))
    if number is None or deleted or kind is ObjectKind.CONTACT:
        return about
    return _deal(thing, number, about, received.at, connection) if kind is ObjectKind.DEAL else _meeting(thing, number, about)


def _deal(thing: _Object, deal: str, about: OutcomeEvent, at: datetime, connection: Connection) -> OutcomeEvent:
    state = _deal_state(thing, connection)
    closed = state in (EventType.DEAL_CLOSED, EventType.DEAL_LOST)
    told = _when([*_changes(thing), _closed_on(thing, at) if closed else None], at)
    if state is EventType.DEAL_OPENED and told is None:
        state = None  # posts are repeated for days: one that doesn't say when might undo a closing since then
    amounts = ("amount", "hs_closed_amount", "deal_value") if state is EventType.DEAL_CLOSED else ("amount", "deal_value")
    return replace(
        about,
        event_type=state or EventType.DEAL_UPDATED,
        occurred_at=told or at,
        facts=given(
            deal_id=deal,
            value=money(thing.first(amounts)),
            currency=currency(thing.first(("deal_currency_code", "currency"))),
        ),
    )


def _deal_state(thing: _Object, connection: Connection) -> EventType | None:
    won, lost, stage = (thing.values.get(name) for name in ("hs_is_closed_won", "hs_is_closed_lost", "dealstage"))
    if is_true(won):
        return EventType.DEAL_CLOSED
    if is_true(lost):
        return EventType.DEAL_LOST
    return stage_state(stage, connection) or (EventType.DEAL_OPENED if is_false(won) else None)


def _meeting(thing: _Object, meeting: str, about: OutcomeEvent) -> OutcomeEvent:
    starts, ends = thing.time("hs_meeting_start_time"), thing.time("hs_meeting_end_time")
    state = meeting_state(thing.values.get("hs_meeting_outcome"))
    facts = given(
        kind=None if state else about.facts["kind"],
        meeting_id=meeting,
        meeting_at=starts.isoformat() if starts else None,
        meeting_ends_at=ends.isoformat() if ends else None,
    )
    return replace(about, event_type=state or EventType.NOTED, facts=facts)


def _object(body: Mapping[str, Any]) -> _Object:
    values: dict[str, Any] = {}
    times: dict[str, datetime] = {}
    for name, value in [*body.items(), *mapping(body.get("properties")).items()]:
        if isinstance(value, dict):
            if (changed := any_time(value.get("timestamp"))) is not None:
                times[name] = changed
            value = value.get("value")
        if isinstance(value, str | int | float):
            values[name] = value
    return _Object(values, times)


def _kind(thing: _Object) -> ObjectKind | None:
    for name in ("objectTypeId", "objectType", "object_type"):
        if kind := kind_of(thing.values.get(name)):
            return kind
    for kind, telling in (
        (ObjectKind.DEAL, _DEAL_ONLY),
        (ObjectKind.MEETING, _MEETING_ONLY),
        (ObjectKind.DEAL, ("amount",)),
        (ObjectKind.CONTACT, _CONTACT_ONLY),
    ):
        if any(name in thing.values for name in telling):
            return kind
    return None


def _portal(thing: _Object, connection: Connection) -> str | None:
    found = object_id(thing.first(("portalId", "portal_id", "portal-id", "hs_portal_id")))
    ours = listed(connection.settings.get("portals"))
    return found or (ours[0] if len(ours) == 1 else None)


def _lead(body: Mapping[str, Any], thing: _Object) -> str | None:
    """The contact, where the body names it or the thing belongs to one contact alone."""
    associations = mapping(body.get("associations"))
    listed_ids = associations.get("associatedVids")
    results = mapping(associations.get("contacts")).get("results")
    found = [object_id(one) for one in (listed_ids if isinstance(listed_ids, list) else [])]
    found += [object_id(mapping(one).get("id")) for one in (results if isinstance(results, list) else [])]
    contacts = {one for one in found if one is not None}
    return object_id(thing.first(_LEAD_IDS)) or (contacts.pop() if len(contacts) == 1 else None)


def _changes(thing: _Object) -> list[datetime | None]:
    """When it became so, by what says it best: the property's own time, that of entering the stage, the event's, the last change."""
    stage = thing.values.get("dealstage")
    return [
        *(thing.times.get(name) for name in ("dealstage", "hs_is_closed_won", "hs_is_closed_lost", "hs_meeting_outcome")),
        thing.time(f"hs_v2_date_entered_{stage}", f"hs_date_entered_{stage}"),
        thing.time("occurredAt", "occurred_at", "timestamp"),
        thing.time("hs_lastmodifieddate", "lastmodifieddate", "updatedAt"),
    ]


def _closed_on(thing: _Object, at: datetime) -> datetime | None:
    """The close date, which people may set, often to a day without an hour: of the day just past, the arrival knows better."""
    found = thing.time("closedate")
    if found is None or found > at or (found.time() == time() and at - found < timedelta(days=1)):
        return None
    return found


def _when(candidates: Iterable[datetime | None], at: datetime) -> datetime | None:
    return next((found for found in candidates if found is not None and possible_time(found, at) == found), None)
