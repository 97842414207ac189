"""Salesforce in JSON: records that a Flow or Apex posts, change events that somebody relays, and our own format from a Flow's callout.

Change events come as the Pub/Sub API decodes them ({"ChangeEventHeader": …, fields}) or as CometD wraps them ({"data": {"payload": …}}).
Only a change event's changed fields decide a deal's state: others may be there to enrich it. No session id is kept.
[Change Data Capture Developer Guide; wire format of the callout: whatever the admin builds]
"""

import json
from collections.abc import Mapping
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources import generic
from flywheel_dagster.ingester.sources.items import digest, objects, unreadable
from flywheel_dagster.ingester.sources.reading import identifier, listed, mapping, text, unix_time
from flywheel_dagster.ingester.sources.salesforce_records import (
    SOURCE,
    Record,
    events_of,
    kind_of,
    long_id,
    modified,
    scope,
    short_id,
)
from flywheel_dagster.outcomes.events import OutcomeEvent

_RECORD = ("Id", "StageName", "IsWon", "IsClosed", "attributes")


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """The events of one object or a list of them. Raises UnreadableError for what is no JSON object."""
    events: list[OutcomeEvent] = []
    for position, (item, raw) in enumerate(objects(received.body)):
        if item is None:
            events.append(unreadable(raw, received, connection, source=SOURCE))
            continue
        kept = _without_session(item, raw)
        change = _change(item)
        if change is not None:
            events.extend(_of_change(change, _organization(item, connection), kept, received, connection))
        elif any(name in item for name in _RECORD):
            events.extend(events_of(_record(item, _organization(item, connection), kept), received, connection))
        else:
            events.append(_of_callout(item, _organization(item, connection), kept, received, connection, position))
    return events


def organization_ids(body: bytes) -> list[str]:
    """The OrganizationIds that stand in the body's objects. Raises UnreadableError for what is no JSON object."""
    named = (identifier((item or {}).get("OrganizationId")) for item, _ in objects(body))
    return [each for each in named if each is not None]


def _organization(item: Mapping[str, Any], connection: Connection) -> str | None:
    """As the body says; else the connection's, where it has one alone."""
    ours = listed(connection.settings.get("organization_ids"))
    return short_id(item.get("OrganizationId")) or (short_id(ours[0]) if len(ours) == 1 else None)


def _change(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for found in (item, mapping(item.get("payload")), mapping(mapping(item.get("data")).get("payload"))):
        if isinstance(found.get("ChangeEventHeader"), dict):
            return found
    return None


def _of_change(
    change: Mapping[str, Any], organization: str | None, raw: bytes, received: Received, connection: Connection
) -> list[OutcomeEvent]:
    header = change["ChangeEventHeader"]
    kind, action = text(header.get("entityName"), limit=100) or "unknown", text(header.get("changeType"), limit=50) or ""
    plain = action in ("CREATE", "UPDATE", "UNDELETE")
    ids = header.get("recordIds")
    named = [found for each in ids if (found := identifier(each))] if isinstance(ids, list) else []
    events: list[OutcomeEvent] = []
    for record_id in named or (None,):
        fields = {**change, "Id": record_id}
        record = Record(
            kind=kind if plain or action == "DELETE" else f"{kind}.{action or 'unknown'}",
            fields=fields,
            organization=organization,
            identity=_identity_of_change(header, record_id, change, raw),
            raw=raw,
            event_id=text(header.get("transactionKey"), limit=200),
            at=unix_time(header.get("commitTimestamp")),
            changed=_changed(header, fields) if action == "UPDATE" else None,
            deleted=action == "DELETE",
        )
        events.extend(events_of(record, received, connection))
    return events


def _changed(header: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the change set. Where the names are there, a deal that was closed without a change of IsWon was lost: it had been
    false. Bitmaps can't be told apart without the schema: then every field that isn't null counts."""
    names = header.get("changedFields")
    plain = {name for name in names if isinstance(name, str) and not name.startswith("0x")} if isinstance(names, list) else set()
    if not plain:
        return {name: value for name, value in fields.items() if value is not None}
    found = {name: value for name, value in fields.items() if name in plain}
    if found.get("IsClosed") is True and "IsWon" not in plain:
        found["IsWon"] = False
    return found


def _identity_of_change(header: Mapping[str, Any], record: str | None, change: Mapping[str, Any], raw: bytes) -> str:
    key = text(header.get("transactionKey"), limit=200)
    if key is None:
        return f"{short_id(record) or ''}|{digest(change, raw)}"
    return f"{short_id(record) or ''}|{key}|{text(header.get('sequenceNumber'), limit=50) or ''}"


def _record(item: Mapping[str, Any], organization: str | None, raw: bytes) -> Record:
    """A record as the API writes it; without a kind or an id that tells, one with a deal's fields is a deal."""
    named = text(mapping(item.get("attributes")).get("type"), limit=100) or text(item.get("sobjectType"), limit=100)
    deal = any(name in item for name in ("StageName", "IsWon", "IsClosed"))
    record, told = short_id(item.get("Id")), text(modified(item), limit=100)
    stage = text(item.get("StageName"), limit=200) or text(item.get("StartDateTime"), limit=100) or ""
    return Record(
        kind=named or kind_of(record) or ("Opportunity" if deal else "unknown"),
        fields=item,
        organization=organization,
        identity=f"{organization or ''}|{record}|{told}|{stage}" if record and told else digest(item, raw),
        raw=raw,
    )


def _of_callout(
    item: Mapping[str, Any], organization: str | None, raw: bytes, received: Received, connection: Connection, position: int
) -> OutcomeEvent:
    """Our own format, its record ids brought to the form that other routes give them."""
    forms = {"deal_id": short_id, "opportunity_id": short_id, "meeting_id": short_id, "lead_id": long_id}
    formed = {name: form(item.get(name)) for name, form in forms.items() if name in item}
    return generic.event_of(
        {**item, **formed}, raw, received, connection, source=SOURCE, scope=scope(organization), position=position
    )


def _without_session(item: dict[str, Any], raw: bytes) -> bytes:
    """The bytes to keep, written anew where the object holds a session id; the object loses it too."""
    found, waiting = False, [item]
    while waiting:
        node: Any = waiting.pop()
        if isinstance(node, dict):
            for name in [name for name in node if name.replace("_", "").lower() == "sessionid"]:
                del node[name]
                found = True
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    if not found:
        return raw
    try:
        return json.dumps([item]).encode()
    except (RecursionError, ValueError):
        return b"[{}]"
