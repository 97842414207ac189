"""The vocabulary of our own format: which event is meant by a name or a status, and which fields tell its time."""

import re
from collections.abc import Mapping
from typing import Any

from flywheel_dagster.ingester.sources.reading import text
from flywheel_dagster.outcomes.events import EventType

_EVENTS = {
    "deal.created": EventType.DEAL_OPENED,
    "deal.opened": EventType.DEAL_OPENED,
    "deal.reopened": EventType.DEAL_OPENED,
    "deal.updated": EventType.DEAL_UPDATED,
    "deal.closed_won": EventType.DEAL_CLOSED,
    "deal.won": EventType.DEAL_CLOSED,
    "deal.closed_lost": EventType.DEAL_LOST,
    "deal.lost": EventType.DEAL_LOST,
    "meeting.booked": EventType.MEETING_BOOKED,
    "meeting.scheduled": EventType.MEETING_BOOKED,
    "meeting.created": EventType.MEETING_BOOKED,
    "meeting.rescheduled": EventType.MEETING_BOOKED,
    "meeting.cancelled": EventType.MEETING_CANCELLED,
    "meeting.canceled": EventType.MEETING_CANCELLED,
    "meeting.completed": EventType.MEETING_COMPLETED,
    "meeting.held": EventType.MEETING_COMPLETED,
    "meeting.no_show": EventType.MEETING_NO_SHOW,
    "meeting.noshow": EventType.MEETING_NO_SHOW,
}
BOOKINGS = frozenset(name for name, kind in _EVENTS.items() if kind is EventType.MEETING_BOOKED)
HELD = frozenset(name for name, kind in _EVENTS.items() if kind is EventType.MEETING_COMPLETED)

# A status or a stage, letters only. "closed" alone says neither won nor lost.
_STATUS = {
    "won": "won",
    "closedwon": "won",
    "lost": "lost",
    "closedlost": "lost",
    "open": "open",
    "opened": "open",
    "reopened": "open",
    "closed": "closed",
}

TIMES = (
    "closed_at",
    "created_at",
    "updated_at",
    "booked_at",
    "completed_at",
    "cancelled_at",
    "occurred_at",
    "timestamp",
    "close_date",
)
_OWN_TIME = {
    "created": "created_at",
    "opened": "created_at",
    "updated": "updated_at",
    "closed_won": "closed_at",
    "won": "closed_at",
    "closed_lost": "closed_at",
    "lost": "closed_at",
    "closed": "closed_at",
    "booked": "booked_at",
    "scheduled": "booked_at",
    "completed": "completed_at",
    "held": "completed_at",
    "cancelled": "cancelled_at",
    "canceled": "cancelled_at",
}


def classify(fields: Mapping[str, Any], *, dated: bool) -> tuple[EventType, str]:
    """The type of event and its name in this vocabulary ("deal.closed_won"); of an unknown event the sender's name.

    `dated`: the sender says when. An opening without a time might be told late and would undo a closing, so it is an update.
    """
    name = _name(fields)
    kind = _EVENTS.get(name, EventType.NOTED)
    if name in ("deal.updated", "deal.closed"):
        verdict = status(fields)
        if verdict in ("won", "lost"):
            name = f"deal.closed_{verdict}"
            kind = _EVENTS[name]
        elif verdict == "open" and name == "deal.updated":
            kind = EventType.DEAL_OPENED
    if kind is EventType.DEAL_OPENED and not dated:
        kind = EventType.DEAL_UPDATED
    return kind, name


def times_of(name: str) -> tuple[str, ...]:
    """The fields that tell when this event was, the best first."""
    own = _OWN_TIME.get(name.partition(".")[2])
    general = ("occurred_at", "timestamp")
    return (*((own,) if own else ()), *general, *(("close_date",) if own == "closed_at" else ()))


def status(fields: Mapping[str, Any]) -> str | None:
    """won, lost, open, closed (which of the two is unknown), or None, by status, stage or is_won."""
    if fields.get("is_won") is True:
        return "won"
    words = [_STATUS.get(_letters(fields.get(name))) for name in ("status", "deal_status", "stage", "deal_stage")]
    known = [word for word in words if word is not None]
    return next((word for word in known if word != "closed"), known[0] if known else None)


def first(fields: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of these fields that says something."""
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _name(fields: Mapping[str, Any]) -> str:
    """The event's name; without one, what a deal's or a meeting's status amounts to."""
    named = text(first(fields, "event", "event_type", "type"), limit=100)
    if named:
        name = re.sub(r"^opportunity\.", "deal.", named.lower())
        return name if name in _EVENTS or name == "deal.closed" else named
    if first(fields, "meeting_id") is not None:
        name = f"meeting.{(text(fields.get('status'), limit=100) or '').lower()}"
        return name if name in _EVENTS else "meeting"
    if first(fields, "deal_id", "opportunity_id", "deal_value") is None:
        return "unknown"
    return {None: "deal", "open": "deal.updated"}.get(status(fields), "deal.closed")


def _letters(value: object) -> str:
    return re.sub("[^a-z]", "", (text(value, limit=100) or "").lower())
