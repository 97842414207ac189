"""What Pipedrive's webhooks say of deals, meetings and persons; both versions."""

import hashlib
import re
from typing import Any

from msgspec.structs import replace

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources.pipedrive_change import Action, Change, change_of, related_id
from flywheel_dagster.ingester.sources.pipedrive_fields import activity_time, email_of, is_set, outcome_of, own_email, person_of
from flywheel_dagster.ingester.sources.reading import any_time, currency, given, listed, money, possible_time, read_json, text
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent

SOURCE = "pipedrive"
_STATES = {"won": EventType.DEAL_CLOSED, "lost": EventType.DEAL_LOST, "open": EventType.DEAL_OPENED}
_ATTEMPT = re.compile(rb'"(?:retry|attempt)"\s*:\s*\d+')  # the one thing in which deliveries of a notification differ
_SINCE = {"won": "won_time", "lost": "lost_time"}  # never first_won_time, which stays when a deal is opened again


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """The events of a notification. Raises UnreadableError for what is no JSON object.

    Settings: `outcome_field` (the 40-digit key of the custom field with the outcome's id; a field called outcome_id is found without it),
    `email_field` (likewise, a person's address), `meeting_types` (keys of the activity types that are meetings; "meeting").
    """
    body = read_json(received.body)
    if not isinstance(body, dict):
        raise UnreadableError("the body is not a JSON object")
    change = change_of(body)
    about = OutcomeEvent(
        event_type=EventType.NOTED,
        organization_id=connection.organization_id,
        source=SOURCE,
        occurred_at=possible_time(change.at, received.at),
        outcome_id=outcome_of(change.now, connection),
        source_event_id=change.event_id,
        facts={"kind": change.name},
        raw=received.body,
        identity=change.identity or f"bytes:{hashlib.sha256(_ATTEMPT.sub(b'', received.body)).hexdigest()}",
    )
    if change.id is None:
        return [about]
    event = _event(change, change.id, about, connection)
    facts = _merger(change)
    return [event] if facts is None else [replace(about, event_type=EventType.MERGED, facts=facts, outcome_id=None), event]


def _event(change: Change, own: str, about: OutcomeEvent, connection: Connection) -> OutcomeEvent:
    if change.entity == "person":
        return replace(about, lead_id=own, lead_email=own_email(change.now, connection))
    about = replace(about, lead_id=person_of(change.now), lead_email=email_of(change.now, connection))
    if change.entity == "deal":
        return _deal(change, own, replace(about, references=(_deal_name(change, own),)))
    deal = related_id(change.now.get("deal_id"))
    about = replace(about, mentions=(_deal_name(change, deal),) if deal else ())
    types = listed(connection.settings.get("meeting_types"), ("meeting",))
    meets = change.now.get("type") in types
    if change.entity != "activity" or not (meets or change.was("type") in types):
        return about
    return _meeting(change, own, replace(about, references=(f"meeting:{SOURCE}:{change.company}:{own}",)), meets=meets)


def _deal(change: Change, deal: str, about: OutcomeEvent) -> OutcomeEvent:
    """A deal is won when its status becomes so; a change of something else in a won deal doesn't win it again."""
    status = text(change.now.get("status"))
    amount = given(deal_id=deal, value=_value(change), currency=currency(change.now.get("currency")))
    if change.action is Action.CREATED:
        since = possible_time(any_time(change.now.get(_SINCE.get(status or "", ""))), about.occurred_at)
        state = _STATES.get(status or "", EventType.DEAL_OPENED)
        return replace(about, event_type=state, occurred_at=since, facts=amount)
    if change.action is Action.CHANGED:
        if change.was("status") is not None and status in _STATES:
            return replace(about, event_type=_STATES[status], facts=amount)
        if change.changed("value") or change.changed("currency") or status == "won":
            return replace(about, event_type=EventType.DEAL_UPDATED, facts=amount)
    return replace(about, facts=about.facts | {"deal_id": deal})


def _value(change: Change) -> str | None:
    """The deal's value. Pipedrive writes 0 where none was entered, so that 0 counts only when somebody set it."""
    found = money(change.now.get("value"))
    entered = found is not None and float(found) != 0
    return found if entered or money(change.was("value")) is not None else None


def _meeting(change: Change, meeting: str, about: OutcomeEvent, *, meets: bool) -> OutcomeEvent:
    now = change.now
    begins, ends = activity_time(now)
    facts = given(
        meeting_id=meeting,
        meeting_at=begins.isoformat() if begins else None,
        meeting_ends_at=ends.isoformat() if ends else None,
    )
    state = _meeting_state(change) if meets else EventType.MEETING_CANCELLED
    if state is None:
        return replace(about, facts=about.facts | facts)
    held = any_time(now.get("marked_as_done_time")) if state is EventType.MEETING_COMPLETED else None
    return replace(about, event_type=state, occurred_at=possible_time(held, about.occurred_at), facts=facts)


def _meeting_state(change: Change) -> EventType | None:
    """Done is held; gone before it was held is cancelled; anything new about when is a booking. None for other changes.

    A change of something else in a held meeting says that it was held only where it also says when.
    """
    done = is_set(change.now.get("done"))
    if change.action is Action.DELETED or change.now.get("active_flag") is False or is_set(change.now.get("is_deleted")):
        return None if done else EventType.MEETING_CANCELLED
    if change.action not in (Action.CREATED, Action.CHANGED):
        return None
    if done:
        told = change.action is Action.CREATED or change.changed("done") or not change.before
        return EventType.MEETING_COMPLETED if told or change.now.get("marked_as_done_time") else None
    moved = any(
        change.changed(field) for field in ("due_date", "due_time", "duration", "done", "type", "active_flag", "is_deleted")
    )
    return EventType.MEETING_BOOKED if moved or change.action is Action.CREATED else None


def _merger(change: Change) -> dict[str, Any] | None:
    """The facts of a merger of two persons or two deals."""
    if change.merged is None or change.into is None or change.merged == change.into or change.entity not in ("person", "deal"):
        return None
    names = [_deal_name(change, one) if change.entity == "deal" else f"lead:{one}" for one in (change.merged, change.into)]
    return {"merged": [names[0]], "into": names[1]}


def _deal_name(change: Change, deal: str) -> str:
    return f"deal:{SOURCE}:{change.company}:{deal}"
