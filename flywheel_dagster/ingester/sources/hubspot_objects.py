"""HubSpot's words, shared by its two ways to report: kinds of objects, what a stage or a meeting's outcome means, names of things."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flywheel_dagster.ingester.received import Connection
from flywheel_dagster.ingester.sources.reading import given, listed, object_id, text
from flywheel_dagster.outcomes.events import EventType

SOURCE = "hubspot"


class ObjectKind(StrEnum):
    """The kinds of objects that say something about an outcome."""

    CONTACT = "contact"
    DEAL = "deal"
    MEETING = "meeting"


# Names and type ids: https://developers.hubspot.com/docs/api-reference/crm-understanding-the-crm#object-type-ids
_KINDS = {
    "contact": ObjectKind.CONTACT,
    "contacts": ObjectKind.CONTACT,
    "0-1": ObjectKind.CONTACT,
    "deal": ObjectKind.DEAL,
    "deals": ObjectKind.DEAL,
    "0-3": ObjectKind.DEAL,
    "meeting": ObjectKind.MEETING,
    "meetings": ObjectKind.MEETING,
    "meeting_event": ObjectKind.MEETING,
    "0-47": ObjectKind.MEETING,
}

# The values of hs_meeting_outcome.
_MEETING_OUTCOMES = {
    "SCHEDULED": EventType.MEETING_BOOKED,
    "RESCHEDULED": EventType.MEETING_BOOKED,
    "COMPLETED": EventType.MEETING_COMPLETED,
    "NO_SHOW": EventType.MEETING_NO_SHOW,
    "CANCELED": EventType.MEETING_CANCELLED,
    "CANCELLED": EventType.MEETING_CANCELLED,
}


def kind_of(name: object) -> ObjectKind | None:
    """The kind by its name or type id ("deal", "DEAL", "0-3"); None for others, such as companies and tickets."""
    return _KINDS.get(name.strip().lower()) if isinstance(name, str) else None


def reference(kind: ObjectKind, portal: str | None, thing: str) -> str:
    """The name under which the links know a thing; a contact's is its lead's."""
    return f"lead:{thing}" if kind is ObjectKind.CONTACT else f"{kind}:{SOURCE}:{portal or ''}:{thing}"


def stage_state(stage: object, connection: Connection) -> EventType | None:
    """What a deal in this stage is: won, lost or open; None where no stage is named.

    Stages are named by id; those of the default pipeline by "closedwon" and "closedlost".
    """
    found = _plain(stage)
    if found is None:
        return None
    if found in map(_plain, listed(connection.settings.get("won_stages"), ("closedwon",))):
        return EventType.DEAL_CLOSED
    if found in map(_plain, listed(connection.settings.get("lost_stages"), ("closedlost",))):
        return EventType.DEAL_LOST
    return EventType.DEAL_OPENED


def meeting_state(outcome: object) -> EventType | None:
    """What `hs_meeting_outcome` says; None where it is empty or a name of the account's own."""
    found = text(outcome)
    return _MEETING_OUTCOMES.get(found.upper().replace(" ", "_").replace("-", "_")) if found else None


def is_true(value: object) -> bool:
    """HubSpot writes booleans as text."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def is_false(value: object) -> bool:
    """See is_true; an empty value is neither."""
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def outcome_property(connection: Connection) -> str:
    """The name of the property that carries our outcome's id."""
    return text(connection.settings.get("outcome_property")) or "outcome_id"


def merger(kind: ObjectKind | None, portal: str | None, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facts of a merger, or None where it concerns neither contacts nor deals or doesn't say what became what.

    `newObjectId` is there when the merger made a third object; else the others went into `primaryObjectId`.
    [developers.hubspot.com/changelog/new-subscription-types-for-webhooks]
    """
    into = object_id(fields.get("newObjectId")) or object_id(fields.get("primaryObjectId")) or object_id(fields.get("objectId"))
    if kind not in (ObjectKind.CONTACT, ObjectKind.DEAL) or into is None:
        return None
    others = fields.get("mergedObjectIds")
    ids = map(object_id, [*(others if isinstance(others, list) else [others]), fields.get("primaryObjectId")])
    merged = sorted({reference(kind, portal, one) for one in ids if one is not None and one != into})
    return given(merged=merged, into=reference(kind, portal, into)) if merged else None


def _plain(stage: object) -> str | None:
    found = text(stage)
    return found.casefold().replace(" ", "") if found else None
