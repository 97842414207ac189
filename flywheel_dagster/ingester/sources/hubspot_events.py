"""An event of a HubSpot app's webhook: what it says of a deal, a contact or a meeting.

Both generations of subscriptions are read: "deal.propertyChange", and "object.propertyChange" with an objectTypeId. There is no event
for a won deal: it is a change of the stage, or of the property hs_is_closed_won.
[developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide]
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources.hubspot_objects import (
    SOURCE,
    ObjectKind,
    is_false,
    is_true,
    kind_of,
    meeting_state,
    merger,
    outcome_property,
    reference,
    stage_state,
)
from flywheel_dagster.ingester.sources.reading import (
    any_time,
    currency,
    email,
    given,
    identifier,
    mapping,
    money,
    object_id,
    outcome_id,
    possible_time,
    text,
    unix_time,
)
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent, json_bytes

# What makes it the same event: the vendor doesn't promise that eventId alone does. The number of the attempt isn't among it.
_IDENTITY = (
    "portalId", "subscriptionId", "eventId", "objectId", "occurredAt", "subscriptionType", "propertyName", "propertyValue",
    "fromObjectId", "toObjectId", "associationRemoved", "primaryObjectId", "newObjectId",
)  # fmt: skip


def event_of(item: object, raw: bytes, received: Received, connection: Connection) -> OutcomeEvent:
    """What one item of the array says; `raw` is its own bytes. Whatever it is, it becomes an event, if only a noted one."""
    fields = mapping(item)
    named, _, action = (text(fields.get("subscriptionType"), limit=100) or "").partition(".")
    object_type = text(fields.get("objectTypeId"), limit=100)
    noted = OutcomeEvent(
        event_type=EventType.NOTED,
        organization_id=connection.organization_id,
        source=SOURCE,
        occurred_at=possible_time(unix_time(fields.get("occurredAt")), received.at),
        source_event_id=identifier(fields.get("eventId")),
        facts=given(
            kind=f"{named}.{action}" if action else named or "unreadable",
            object_type=object_type,
            property=text(fields.get("propertyName"), limit=200),
        ),
        raw=raw,
        identity=_identity(fields, raw),
    )
    kind = kind_of(object_type if named == "object" else named)
    portal = object_id(fields.get("portalId"))
    if action == "merge":
        facts = merger(kind, portal, fields)
        return noted if facts is None else replace(noted, event_type=EventType.MERGED, facts=facts)
    if action == "associationChange":
        return _associated(fields, noted, portal)
    thing = object_id(fields.get("objectId"))
    if kind is None or thing is None:
        return noted
    about = (
        replace(noted, lead_id=thing)
        if kind is ObjectKind.CONTACT
        else replace(noted, references=(reference(kind, portal, thing),))
    )
    if action == "propertyChange" and text(fields.get("propertyName")) == outcome_property(connection):
        return replace(about, outcome_id=outcome_id(fields.get("propertyValue")))
    if kind is ObjectKind.DEAL:
        return _deal(fields, action, thing, about, connection)
    if kind is ObjectKind.MEETING:
        return _meeting(fields, action, thing, about)
    return _contact(fields, action, about)


def _deal(fields: Mapping[str, Any], action: str, deal: str, about: OutcomeEvent, connection: Connection) -> OutcomeEvent:
    if action == "creation":
        return replace(about, event_type=EventType.DEAL_OPENED, facts={"deal_id": deal})
    name, value = fields.get("propertyName"), fields.get("propertyValue")
    state = _deal_state(name, value, connection) if action == "propertyChange" else None
    if state is not None:
        return replace(about, event_type=state, facts={"deal_id": deal})
    if action == "propertyChange" and name in ("amount", "hs_closed_amount", "deal_currency_code"):
        facts = given(deal_id=deal, **_amount(name, value))
        return replace(about, event_type=EventType.DEAL_UPDATED, facts=facts)
    return about


def _deal_state(name: object, value: object, connection: Connection) -> EventType | None:
    """What the change makes of the deal.

    hs_is_closed_won follows the stage, so that "false" means re-opened or lost. hs_is_closed_lost "false" says nothing: it comes with
    a win too, and then must not hide it.
    """
    if name == "dealstage":
        return stage_state(value, connection)
    if name == "hs_is_closed_won":
        return EventType.DEAL_CLOSED if is_true(value) else EventType.DEAL_OPENED if is_false(value) else None
    return EventType.DEAL_LOST if name == "hs_is_closed_lost" and is_true(value) else None


def _amount(name: object, value: object) -> dict[str, Any]:
    if name == "deal_currency_code":
        return {"currency": currency(value)}
    found = money(value)
    # The closed amount of a deal that isn't won is 0, which is not what the deal is worth.
    return {"value": None if name == "hs_closed_amount" and found is not None and float(found) == 0 else found}


def _meeting(fields: Mapping[str, Any], action: str, meeting: str, about: OutcomeEvent) -> OutcomeEvent:
    if action == "creation":
        return replace(about, event_type=EventType.MEETING_BOOKED, facts={"meeting_id": meeting})
    if action == "propertyChange":
        name, value = fields.get("propertyName"), fields.get("propertyValue")
        state = meeting_state(value) if name == "hs_meeting_outcome" else None
        if state is not None:
            return replace(about, event_type=state, facts={"meeting_id": meeting})
        if name == "hs_meeting_start_time" and (at := any_time(value)):
            return replace(about, facts={**about.facts, "meeting_id": meeting, "meeting_at": at.isoformat()})
    return about


def _contact(fields: Mapping[str, Any], action: str, about: OutcomeEvent) -> OutcomeEvent:
    if action == "propertyChange" and fields.get("propertyName") == "email":
        return replace(about, lead_email=email(fields.get("propertyValue")))
    return about


def _associated(fields: Mapping[str, Any], noted: OutcomeEvent, portal: str | None) -> OutcomeEvent:
    """A deal or meeting got a contact, which is the only event that says whose it is. Both directions are reported."""
    named = (text(fields.get("associationType"), limit=100) or "").partition("_TO_")
    ends = {
        kind: thing
        for kind, thing in (
            (kind_of(fields.get("fromObjectTypeId")) or kind_of(named[0]), object_id(fields.get("fromObjectId"))),
            (kind_of(fields.get("toObjectTypeId")) or kind_of(named[2]), object_id(fields.get("toObjectId"))),
        )
        if kind is not None and thing is not None
    }
    contact = ends.pop(ObjectKind.CONTACT, None)
    names = [reference(kind, portal, ends[kind]) for kind in (ObjectKind.MEETING, ObjectKind.DEAL) if kind in ends]
    removed = is_true(fields.get("associationRemoved"))
    return replace(
        noted, references=tuple(names[:1]), mentions=() if removed else tuple(names[1:]), lead_id=None if removed else contact
    )


def _identity(fields: Mapping[str, Any], raw: bytes) -> str:
    if identifier(fields.get("eventId")) is None:
        return f"bytes:{hashlib.sha256(raw).hexdigest()}"
    merged = fields.get("mergedObjectIds")
    parts = [_part(fields.get(name)) for name in _IDENTITY] + [_part(one) for one in (merged if isinstance(merged, list) else [])]
    return json_bytes(parts).decode()


def _part(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""
