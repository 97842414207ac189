"""SendGrid's Event Webhook: what became of a message on its way and in its reader's hands. Replies come another way, `sendgrid_inbound`.

The format: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event. Custom arguments of the message stand beside the
event's own fields; ours are `outcome_id` and `lead_id`.
"""

import re
from datetime import datetime
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources import reading
from flywheel_dagster.ingester.sources.items import digest, unreadable
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.references import message_reference

SOURCE = "sendgrid"

# Its event names, and the label that its portal shows for one of them (spam_report). Whatever is not here is noted.
_TYPES = {
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spamreport": EventType.SPAM_REPORTED,
    "spam_report": EventType.SPAM_REPORTED,
    "unsubscribe": EventType.UNSUBSCRIBED,
}
_NOTED = frozenset(("processed", "dropped", "deferred", "group_unsubscribe", "group_resubscribe", "account_status_change"))
_SOFT_BOUNCES = frozenset(("blocked", "expired"))

# Events that lack the message's id carry the name of the machine instead: "filter0093p1las1.9128.5717FB8127.0".
_MACHINE = re.compile(r"(st)?filter|recvd-")


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """The events of a batch, of at most 768 KB by the vendor's word. Raises UnreadableError for what is no JSON list and no object."""
    organization_id, at = connection.organization_id, received.at
    return [
        _event(item, raw, organization_id, at) if isinstance(item, dict) else unreadable(raw, received, connection, source=SOURCE)
        for item, raw in reading.read_items(received.body)
    ]


def _event(item: dict[str, Any], raw: bytes, organization_id: str | None, at: datetime) -> OutcomeEvent:
    given = item.get("event")
    name = given.strip().lower()[:100] if isinstance(given, str) else ""
    event_type, facts = _said(name, item)
    sent_as, smtp_id = _message_id(item.get("sg_message_id")), _smtp_id(item.get("smtp-id"))
    email, lead_email = item.get("email"), reading.email(item.get("email"))
    general = tuple([message_reference(each) for each in (sent_as, smtp_id) if each])
    own = tuple([message_reference(each, lead_email) for each in (sent_as, smtp_id) if each]) if lead_email else general
    event_id = reading.identifier(item.get("sg_event_id"))
    content = [item.get("outcome_id"), sent_as, name, item.get("timestamp"), email, item.get("url")]
    if name not in _TYPES:
        content.append(facts.get("asm_group_id") if name in _NOTED else _all_but_the_id(item, raw))
    return OutcomeEvent(
        event_type=event_type,
        occurred_at=reading.possible_time(reading.unix_time(item.get("timestamp")), at),
        source=SOURCE,
        organization_id=organization_id,
        outcome_id=reading.outcome_id(item.get("outcome_id")),
        source_event_id=event_id,
        facts=facts,
        raw=raw,
        references=own,
        mentions=general if lead_email else (),
        lead_id=reading.identifier(item.get("lead_id")),
        lead_email=lead_email,
        identity="|".join(["" if each is None else each if isinstance(each, str) else repr(each) for each in content]),
        # With the name: the vendor's own examples give one id to events of every kind.
        alias=None if event_id is None else f"{name}|{event_id}",
    )


def _said(name: str, item: dict[str, Any]) -> tuple[EventType, dict[str, Any]]:
    """The event's type, and its facts."""
    text = reading.text
    match name:
        case "open":
            return EventType.OPENED, {"machine": True} if _is_true(item.get("sg_machine_open")) else {}
        case "click":
            return EventType.CLICKED, reading.given(url=text(item.get("url")))
        case "bounce":
            reason, status = text(item.get("reason")), text(item.get("status"))
            kind = text(item.get("type"))
            if kind is not None and kind.lower() in _SOFT_BOUNCES:
                return EventType.NOTED, reading.given(kind=kind.lower(), reason=reason, status=status)
            facts = reading.given(reason=reason, status=status, classification=text(item.get("bounce_classification")))
            return EventType.BOUNCED, facts
        case "dropped":
            return EventType.NOTED, reading.given(kind=name, reason=text(item.get("reason")))
        case "deferred":
            return EventType.NOTED, reading.given(kind=name, reason=text(item.get("response")), attempt=text(item.get("attempt")))
        case "group_unsubscribe" | "group_resubscribe":
            return EventType.NOTED, reading.given(kind=name, asm_group_id=text(item.get("asm_group_id")))
        case "account_status_change":
            return EventType.NOTED, reading.given(kind=name, status=text(item.get("type")))
    event_type = _TYPES.get(name)
    return (EventType.NOTED, {"kind": name or "unknown"}) if event_type is None else (event_type, {})


def _message_id(value: object) -> str | None:
    """What the answer to the sending said (X-Message-Id): the part before the first dot."""
    if not isinstance(value, str):
        return None
    found = reading.identifier(value.partition(".")[0])
    return None if found is None or _MACHINE.match(found) else found


def _smtp_id(value: object) -> str | None:
    """The Message-ID header, without its angle brackets."""
    return reading.identifier(value.strip().removeprefix("<").removesuffix(">")) if isinstance(value, str) else None


def _is_true(value: object) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.lower() == "true")


def _all_but_the_id(item: dict[str, Any], raw: bytes) -> str:
    """What tells events of unknown kinds apart. The id doesn't: it may change from one attempt to the next."""
    return digest({name: value for name, value in item.items() if name != "sg_event_id"}, raw)
