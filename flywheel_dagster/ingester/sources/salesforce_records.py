"""What a Salesforce record says of an outcome, by its fields as the API names them, however they arrived.

Settings: `outcome_field` (Outcome_Id__c) and `email_field` (Contact_Email__c), custom fields that name the outcome and the lead's
address; `won_stages` ("Closed Won") and `lost_stages` ("Closed Lost"), asked only where IsWon and IsClosed don't tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.sources.reading import (
    any_time,
    currency,
    email,
    given,
    identifier,
    listed,
    money,
    outcome_id,
    possible_time,
    text,
)
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent

SOURCE = "salesforce"
_DEAL, _PERSON = "006", ("00Q", "003")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record as it was told: `at` is the time of the change where the envelope says it, `changed` holds the fields that decide a
    deal's state, where not all do, and `deleted` says that it is gone."""

    kind: str
    fields: Mapping[str, Any]
    organization: str | None
    identity: str
    raw: bytes
    event_id: str | None = None
    at: datetime | None = None
    changed: Mapping[str, Any] | None = None
    deleted: bool = False


def short_id(value: object) -> str | None:
    """The first 15 characters of a record id, which is the whole of it; the last three of 18 are a checksum. Case counts."""
    found = identifier(value)
    return found[:15] if found and found.isascii() and found.isalnum() and len(found) in (15, 18) else found


def long_id(value: object) -> str | None:
    """A record id of 18 characters, as the API writes it; the checksum of a short one is computed.

    It tells which letters are capitals, five a character. [help.salesforce.com, 000383751]
    """
    found = identifier(value)
    if found is None or len(found) != 15 or not (found.isascii() and found.isalnum()):
        return found
    groups = (found[at : at + 5] for at in (0, 5, 10))
    return found + "".join(_SUFFIX[sum(letter.isupper() << place for place, letter in enumerate(group))] for group in groups)


def name_of(kind: str, organization: str | None, record: str | None) -> str | None:
    """The reference of a record: "deal:salesforce:ORG:ID", without ORG where it isn't known."""
    return f"{kind}:{scope(organization)}:{record}" if record else None


def scope(organization: str | None) -> str:
    """Whose records: "salesforce:ORG", or "salesforce" where the organization isn't known."""
    return f"salesforce:{organization}" if organization else "salesforce"


def modified(fields: Mapping[str, Any]) -> object:
    """When the record was changed last, as the sender writes it."""
    return fields.get("LastModifiedDate") or fields.get("SystemModstamp")


def kind_of(record: object) -> str | None:
    """The kind of record by the first three characters of its id."""
    return {"006": "Opportunity", "00Q": "Lead", "003": "Contact", "00U": "Event", "00T": "Task"}.get(
        (identifier(record) or "")[:3]
    )


def events_of(record: Record, received: Received, connection: Connection) -> list[OutcomeEvent]:
    """What the record says: a deal's state, a meeting, or a person to note, with a merger where a lead became a contact. Never raises."""
    if record.kind == "Opportunity":
        return [_deal(record, received, connection)]
    if record.kind == "Event":
        return [_meeting(record, received, connection)]
    return _noted(record, received, connection)


def _deal(record: Record, received: Received, connection: Connection) -> OutcomeEvent:
    state = None if record.deleted else _state(record, connection)
    time = _time(record, received)
    kind = {None: EventType.DEAL_UPDATED, "won": EventType.DEAL_CLOSED, "lost": EventType.DEAL_LOST}.get(
        state, EventType.DEAL_OPENED
    )
    if record.deleted or state == "closed":
        kind = EventType.NOTED
    if kind is EventType.DEAL_OPENED and time is None:
        kind = EventType.DEAL_UPDATED  # told late, it would undo a closing
    if kind in (EventType.DEAL_CLOSED, EventType.DEAL_LOST) and time is None:
        closing = any_time(record.fields.get("CloseDate"))
        time = closing if closing is not None and closing <= received.at else None
    deal = short_id(record.fields.get("Id"))
    facts = given(
        kind=_kind(record) if kind is EventType.NOTED else None,
        status="closed" if state == "closed" else None,
        deal_id=deal,
        value=money(record.fields.get("Amount")),
        currency=currency(record.fields.get("CurrencyIsoCode")),
    )
    return _event(
        record, received, connection, kind, time, facts, name_of("deal", record.organization, deal), _person(record, "ContactId")
    )


def _state(record: Record, connection: Connection) -> str | None:
    """won, lost, open, "closed" where nobody can tell which, or None where nothing is said of it."""
    fields = record.fields if record.changed is None else record.changed
    won, closed = _flag(fields.get("IsWon")), _flag(fields.get("IsClosed"))
    stage = (text(fields.get("StageName")) or "").casefold()
    given_won = _stages(connection, "won_stages")
    in_won = stage in (given_won or {"closed won"})
    in_lost = stage in (_stages(connection, "lost_stages") or {"closed lost"})
    if won:
        return "won"
    if won is None and closed is not False and in_won:
        return "won"
    if closed and (won is False or in_lost or (stage and given_won)):
        return "lost"
    if closed:
        return "closed"
    if closed is None and in_lost:
        return "lost"
    if won is None and closed is None and (not stage or record.changed is not None):
        return None
    return "open"


def _stages(connection: Connection, name: str) -> set[str]:
    return {stage.casefold() for stage in listed(connection.settings.get(name))}


def _meeting(record: Record, received: Received, connection: Connection) -> OutcomeEvent:
    """An Event of the calendar: booked, and cancelled when it is deleted. A change after it began, or of neither time, doesn't book it again."""
    fields = record.fields
    starts = _meeting_time(fields.get("StartDateTime") or fields.get("ActivityDateTime"))
    ends = _meeting_time(fields.get("EndDateTime"))
    gone = record.deleted or _flag(fields.get("IsDeleted")) is True
    kind = EventType.MEETING_CANCELLED if gone else EventType.MEETING_BOOKED
    if not gone and record.changed is not None and starts is None and ends is None:
        kind = EventType.NOTED
    meeting = short_id(fields.get("Id"))
    facts = given(
        kind=_kind(record) if kind is EventType.NOTED else None,
        meeting_id=meeting,
        meeting_at=starts and starts.isoformat(),
        meeting_ends_at=ends and ends.isoformat(),
    )
    time = _time(record, received)
    if not gone and starts is not None:
        time = min(time or received.at, starts)
    about = fields.get("WhatId")
    deal = short_id(about) if str(about).startswith(_DEAL) else None
    return _event(
        record,
        received,
        connection,
        kind,
        time,
        facts,
        name_of("meeting", record.organization, meeting),
        _person(record, "WhoId"),
        mention=name_of("deal", record.organization, deal),
    )


def _noted(record: Record, received: Received, connection: Connection) -> list[OutcomeEvent]:
    fields, time = record.fields, _time(record, received)
    person = _person(record, "Id") or _person(record, "WhoId")
    deal = name_of("deal", record.organization, short_id(fields.get("ConvertedOpportunityId")))
    found = [_event(record, received, connection, EventType.NOTED, time, {"kind": _kind(record)}, deal, person)]
    contact = _person(record, "ConvertedContactId")
    if person and contact:
        merger = {"merged": [f"lead:{person}"], "into": f"lead:{contact}"}
        found.append(_event(record, received, connection, EventType.MERGED, time, merger, None, None))
    return found


def _event(
    record: Record,
    received: Received,
    connection: Connection,
    kind: EventType,
    time: datetime | None,
    facts: dict[str, Any],
    about: str | None,
    person: str | None,
    *,
    mention: str | None = None,
) -> OutcomeEvent:
    fields, asked = record.fields, connection.settings
    merged = kind is EventType.MERGED
    address = email(fields.get(identifier(asked.get("email_field")) or "Contact_Email__c")) or email(fields.get("Email"))
    return OutcomeEvent(
        event_type=kind,
        occurred_at=possible_time(time, received.at),
        source=SOURCE,
        organization_id=connection.organization_id,
        outcome_id=None if merged else outcome_id(fields.get(identifier(asked.get("outcome_field")) or "Outcome_Id__c")),
        source_event_id=record.event_id,
        facts=facts,
        raw=record.raw,
        references=(about,) if about else (),
        mentions=(mention,) if mention else (),
        lead_id=person,
        lead_email=None if merged else address,
        identity=record.identity,
    )


def _time(record: Record, received: Received) -> datetime | None:
    for told in (record.at, any_time(record.fields.get("LastModifiedDate")), any_time(record.fields.get("SystemModstamp"))):
        if told is not None and possible_time(told, received.at) == told:
            return told
    return None


def _person(record: Record, field: str) -> str | None:
    """The lead or contact in this field, as users take its id over: with 18 characters."""
    found = identifier(record.fields.get(field))
    return long_id(found) if found and found.startswith(_PERSON) else None


def _kind(record: Record) -> str:
    kind = text(record.kind, limit=100) or "unknown"
    return f"{kind}.DELETE" if record.deleted else kind


def _flag(value: object) -> bool | None:
    """xsd:boolean, or JSON's own."""
    return value if isinstance(value, bool) else {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _meeting_time(value: object) -> datetime | None:
    found = any_time(value)
    return found if found is not None and 1990 <= found.year <= 2100 else None
