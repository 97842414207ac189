"""Salesforce's outbound messages: each notification is a record as it stands. The answer that stops their redelivery is here too."""

import hashlib
import json
from uuid import UUID

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources.salesforce_records import Record, events_of, modified, short_id
from flywheel_dagster.ingester.sources.salesforce_soap import Notification, read_message
from flywheel_dagster.outcomes.events import OutcomeEvent

# One Ack covers the whole message; anything else, JSON with status 200 included, is sent again.
ACKNOWLEDGEMENT = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>"
)
ACKNOWLEDGEMENT_CONTENT_TYPE = "text/xml; charset=utf-8"


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """One event a notification (two for a lead that became a contact); a notification that the message repeats counts once.

    Raises UnreadableError for what is no outbound message.
    """
    message = read_message(received.body)
    organization = short_id(message.organization_id)
    events: dict[UUID, OutcomeEvent] = {}
    for notification in message.notifications:
        record = Record(
            kind=notification.kind,
            fields=notification.fields,
            organization=organization,
            identity=_identity(notification, organization),
            raw=notification.raw,
            event_id=notification.id,
        )
        for event in events_of(record, received, connection):
            events.setdefault(event.event_key, event)
    return list(events.values())


def _identity(notification: Notification, organization: str | None) -> str:
    """Organization, record and the notification's own id; where that is none (test fixtures write "null" or the record's), what changed."""
    fields = notification.fields
    record = short_id(fields.get("Id")) or ""
    whose = f"{organization or ''}|{record}"
    if notification.id not in (None, "null") and short_id(notification.id) != record:
        return f"{whose}|{notification.id}"
    if told := modified(fields):
        return f"{whose}|{told}|{fields.get('StageName') or fields.get('StartDateTime') or ''}"
    return f"{whose}|{hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()}"
