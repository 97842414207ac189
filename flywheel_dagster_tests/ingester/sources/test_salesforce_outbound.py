"""Salesforce's outbound messages: what a record says, what is refused, and that no session id is kept."""

from contextlib import suppress
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import salesforce
from flywheel_dagster.ingester.sources.salesforce_outbound import ACKNOWLEDGEMENT
from flywheel_dagster.ingester.sources.salesforce_records import long_id, short_id
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import events_bytes
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_salesforce import EXPECTED
from flywheel_dagster_tests.ingester.sources.salesforce_shapes import ORGANIZATION, notification, outbound
from flywheel_dagster_tests.ingester.sources.shapes import ARRIVAL, check_events, connected, received, rows_of_permutations
from flywheel_dagster_tests.outcomes.making import MONDAY, message
from flywheel_dagster_tests.thoroughness import examples

CONNECTION = connected(Provider.SALESFORCE)
DEAL = "006WV00000AAAAA2AX"
T = "2026-11-20T09:15:00.000Z"


def read(body: bytes, **asked: object) -> list[OutcomeEvent]:
    return salesforce.read(received(body), connected(Provider.SALESFORCE, **asked))


def one(*, asked: dict[str, object] | None = None, **fields: str | None) -> OutcomeEvent:
    (event,) = read(outbound(notification(**{"Id": DEAL, **fields})), **(asked or {}))
    return event


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_says_what_the_vendor_means_by_it(shared: Path, name: str) -> None:
    body = (shared / "samples" / name).read_bytes()
    if EXPECTED[name].status == 400:
        with pytest.raises(UnreadableError):
            read(body)
        return
    events = read(body)
    check_events(events)
    assert told(events, EXPECTED[name]) == EXPECTED[name].events


@pytest.mark.parametrize(
    ("fields", "asked", "kind"),
    [
        ({"IsWon": "true", "StageName": "Gewonnen"}, {}, "deal_closed"),
        ({"IsWon": "1"}, {}, "deal_closed"),
        ({"StageName": "Closed Won"}, {}, "deal_closed"),
        ({"StageName": "closed won", "IsClosed": "true"}, {}, "deal_closed"),
        ({"StageName": "Gewonnen"}, {"won_stages": ["Gewonnen"]}, "deal_closed"),
        ({"StageName": "Closed Won"}, {"won_stages": "Gewonnen, Bezahlt"}, "deal_opened"),
        ({"IsWon": "false", "StageName": "Closed Won"}, {}, "deal_opened"),
        ({"IsWon": "false", "IsClosed": "true", "StageName": "Closed Won"}, {}, "deal_lost"),
        ({"IsWon": "false", "StageName": "Closed Lost"}, {}, "deal_lost"),
        ({"IsClosed": "true", "StageName": "Verloren"}, {"won_stages": ["Gewonnen"]}, "deal_lost"),
        ({"IsClosed": "true", "StageName": "Verloren"}, {}, "noted"),
        ({"IsClosed": "true"}, {}, "noted"),
        ({"StageName": "Closed Lost"}, {}, "deal_lost"),
        ({"StageName": "Abgesagt"}, {"lost_stages": ["abgesagt"]}, "deal_lost"),
        ({"StageName": "Prospecting"}, {}, "deal_opened"),
        ({"IsClosed": "false", "IsWon": "false"}, {}, "deal_opened"),
        ({"Amount": "5"}, {}, "deal_updated"),
        ({"IsWon": "perhaps", "StageName": None}, {}, "deal_updated"),
    ],
)
def test_a_deal_is_won_by_is_won_before_its_stage_has_a_say(
    fields: dict[str, str | None], asked: dict[str, object], kind: str
) -> None:
    assert one(asked=asked, LastModifiedDate=T, **fields).event_type == kind


def test_an_open_deal_without_a_time_cannot_reopen_one_that_was_closed() -> None:
    assert one(StageName="Prospecting").event_type == "deal_updated"


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        (
            {"LastModifiedDate": T, "SystemModstamp": "2026-11-20T09:16:00.000Z", "CloseDate": "2026-06-30"},
            "2026-11-20T09:15:00+00:00",
        ),
        ({"SystemModstamp": "2026-11-20T09:16:00.000+0000", "CloseDate": "2026-06-30"}, "2026-11-20T09:16:00+00:00"),
        ({"LastModifiedDate": "soon", "CloseDate": "2026-06-30"}, "2026-06-30T00:00:00+00:00"),
        ({"CloseDate": "2026-12-31"}, ARRIVAL.isoformat()),
        ({}, ARRIVAL.isoformat()),
    ],
)
def test_the_time_is_that_of_the_last_change_before_the_day_of_closing(fields: dict[str, str | None], at: str) -> None:
    assert one(IsWon="true", **fields).occurred_at.isoformat() == at


def test_an_amount_that_is_missing_nil_or_no_number_is_unknown() -> None:
    for fields in ({}, {"Amount": None}, {"Amount": ""}, {"Amount": "viel"}, {"Amount": "-5"}):
        assert "value" not in one(IsWon="true", **fields).facts
    assert one(IsWon="true", Amount="0.0").facts["value"] == "0.0"


def test_the_outcome_is_named_by_a_field_of_the_users() -> None:
    outcome = str(uuid4())
    assert str(one(IsWon="true", Outcome_Id__c=outcome).outcome_id) == outcome
    assert str(one(IsWon="true", Their_Id__c=outcome, asked={"outcome_field": "Their_Id__c"}).outcome_id) == outcome
    assert one(IsWon="true", Outcome_Id__c="out_1").outcome_id is None


def test_a_deals_lead_is_its_contact_and_a_field_of_the_users() -> None:
    event = one(IsWon="true", ContactId="003WV00000CZjEf", Contact_Email__c="Ada@Example.com")
    assert (event.lead_id, event.lead_email) == (long_id("003WV00000CZjEf"), "ada@example.com")


def test_records_are_the_same_whether_their_ids_have_15_or_18_characters() -> None:
    short, long = one(IsWon="true", Id=DEAL[:15]), one(IsWon="true", Id=DEAL)
    assert short.references == long.references == (f"deal:salesforce:{ORGANIZATION[:15]}:{DEAL[:15]}",)
    assert short.facts == long.facts
    assert short.event_key == long.event_key
    assert (long_id("00QWV00000CZjEf"), long_id("00Dxx0000001gPL")) == ("00QWV00000CZjEf2AL", "00Dxx0000001gPLEAY")
    assert (short_id("00QWV00000CZjEf2AL"), short_id("short"), short_id(None)) == ("00QWV00000CZjEf", "short", None)
    assert one(Id="006wv00000aaaaa").references != one(Id="006WV00000AAAAA").references


def test_a_redelivery_is_known_by_its_notification_though_it_brings_newer_values() -> None:
    first = read(outbound(notification("04l1", Id=DEAL, IsWon="true", Amount="5", LastModifiedDate=T)))
    again = read(outbound(notification("04l1", Id=DEAL, IsWon="true", Amount="6")))
    other = read(outbound(notification("04l2", Id=DEAL, IsWon="true", Amount="5", LastModifiedDate=T)))
    assert first[0].event_key == again[0].event_key != other[0].event_key
    assert first[0].source_event_id == "04l1"


@pytest.mark.parametrize("number", [None, "null", "", DEAL, DEAL[:15]])
def test_where_the_notification_has_no_id_of_its_own_the_change_decides(number: str | None) -> None:
    def key(**fields: str) -> object:
        (event,) = read(outbound(notification(number, Id=DEAL, **fields)))
        return event.event_key

    won = key(IsWon="true", StageName="Closed Won", LastModifiedDate=T)
    assert won == key(IsWon="true", StageName="Closed Won", LastModifiedDate=T)
    assert won != key(IsWon="true", StageName="Closed Won", LastModifiedDate="2026-11-20T10:15:00.000Z")
    assert key(IsWon="true", StageName="Closed Won") == key(IsWon="true", StageName="Closed Won")
    assert key(IsWon="true", StageName="Closed Won", Amount="1") != key(IsWon="true", StageName="Closed Won", Amount="2")


def test_two_records_under_one_notification_id_are_two_events() -> None:
    events = read(
        outbound(notification("04l1", Id=DEAL, IsWon="true"), notification("04l1", Id="006WV00000AAAAB2AX", IsWon="true"))
    )
    assert len({event.event_key for event in events}) == 2


def test_a_meeting_of_the_calendar_is_booked_and_a_later_edit_does_not_book_it_after_it_was_held() -> None:
    times = {"StartDateTime": "2026-11-19T10:00:00.000Z", "EndDateTime": "2026-11-19T10:30:00.000Z", "LastModifiedDate": T}
    number = "00UWV00000AAAAA2AX"
    (event,) = read(outbound(notification(kind="Event", Id=number, WhoId="00QWV00000CZjEf2AL", WhatId=DEAL, **times)))
    assert event.event_type == "meeting_booked"
    assert event.facts == {
        "meeting_id": number[:15],
        "meeting_at": "2026-11-19T10:00:00+00:00",
        "meeting_ends_at": "2026-11-19T10:30:00+00:00",
    }
    assert event.occurred_at.isoformat() == "2026-11-19T10:00:00+00:00"
    assert event.references == (f"meeting:salesforce:{ORGANIZATION[:15]}:{number[:15]}",)
    assert event.mentions == (f"deal:salesforce:{ORGANIZATION[:15]}:{DEAL[:15]}",)
    assert event.lead_id == "00QWV00000CZjEf2AL"
    (gone,) = read(outbound(notification(kind="Event", Id=number, IsDeleted="true", **times)))
    assert gone.event_type == "meeting_cancelled"


def test_a_lead_is_noted_and_its_conversion_joins_lead_and_contact_and_deal() -> None:
    fields = {"Id": "00QWV00000CZjEf", "Email": "ADA@example.com", "LastModifiedDate": T}
    (event,) = read(outbound(notification(kind="Lead", **fields)))
    assert (event.event_type, event.facts, event.lead_id) == ("noted", {"kind": "Lead"}, "00QWV00000CZjEf2AL")
    assert event.lead_email == "ada@example.com"
    converted = {"ConvertedContactId": "003WV00000CZjEf2AL", "ConvertedOpportunityId": DEAL}
    noted, merged = read(outbound(notification(kind="Lead", **fields, **converted)))
    assert noted.references == (f"deal:salesforce:{ORGANIZATION[:15]}:{DEAL[:15]}",)
    assert (merged.event_type, merged.facts) == (
        "merged",
        {"merged": ["lead:00QWV00000CZjEf2AL"], "into": "lead:003WV00000CZjEf2AL"},
    )


@pytest.mark.parametrize("kind", ["Contact", "Task", "Account", "Thing__c", ""])
def test_whatever_else_is_recorded_is_noted(kind: str) -> None:
    (event,) = read(outbound(notification(kind=kind, Id="003WV00000CZjEf2AL", Email="a@b.c")))
    assert (event.event_type, event.facts) == ("noted", {"kind": kind or "unknown"})


def test_no_session_id_is_kept_anywhere() -> None:
    secret = "00D000000000001!AQ8AQPsecret.Session"
    for written in (secret, f"<![CDATA[{secret}]]>", f"\n {secret}<!-- {secret} --> &amp; <b>{secret}</b>"):
        many = [notification(f"04l{number}", Id=DEAL, IsWon="true", SessionId=secret) for number in range(3)]
        events = read(outbound(*many, session=written))
        assert len(events) == 3
        for event in events:
            assert secret.encode() not in (event.raw or b"")
            assert secret.encode() not in events_bytes([event])
            assert secret not in repr(event)
            assert [again.event_key for again in read(event.raw or b"")] == [event.event_key]


def test_what_is_kept_of_a_message_without_a_session_id_is_the_message_byte_for_byte() -> None:
    body = outbound(notification(Id=DEAL, IsWon="true"), prolog='<?xml version="1.0" encoding="UTF-8"?>\r\n')
    assert [event.raw for event in read(body)] == [body]
    assert [event.raw for event in read(b"\xef\xbb\xbf" + body)] == [b"\xef\xbb\xbf" + body]


def test_each_of_a_hundred_notifications_keeps_only_itself() -> None:
    numbers = [f"04l{number:012}" for number in range(100)]
    body = outbound(*(notification(number, Id=DEAL, Amount=str(place)) for place, number in enumerate(numbers)))
    events = read(body)
    assert [event.source_event_id for event in events] == numbers
    assert sum(len(event.raw or b"") for event in events) < 100 * 1_200
    for place in (0, 57, 99):
        (again,) = read(events[place].raw or b"")
        assert (again.event_key, again.facts) == (events[place].event_key, events[place].facts)


def test_other_prefixes_and_another_encoding_are_read() -> None:
    body = outbound(notification(Id=DEAL, IsWon="true", Name="Büro"))
    renamed = (
        body.replace(b"soapenv", b"S")
        .replace(b"xsi:", b"i:")
        .replace(b":xsi", b":i")
        .replace(b"sf:", b"ns7:")
        .replace(b":sf=", b":ns7=")
    )
    assert [event.facts for event in read(renamed)] == [event.facts for event in read(body)]
    latin = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + body.decode().encode("latin-1")
    assert [event.facts for event in read(latin)] == [event.facts for event in read(body)]


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<x/>",
        b"<notifications><broken>",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b'<?xml version="1.0" encoding="no-such-encoding"?><x/>',
        outbound(),
        outbound(notification(Id=DEAL)).replace(b' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"', b""),
        outbound(notification(Id=DEAL)).replace(b"sforce.com/2005/09/outbound", b"elsewhere.example"),
        outbound(notification(Id=DEAL)).replace(b"Body", b"Corpse"),
        outbound(notification(Id=DEAL))[:-1],
        outbound(notification(Id=DEAL)).decode().encode("utf-16"),
        outbound(notification(Id=DEAL), organization="a</OrganizationId><OrganizationId>b"),
        b"<!DOCTYPE x [" + b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (n + 1, n, n) for n in range(40)) + b"]><x>&a40;</x>",
        outbound(notification(Id=DEAL, Name="x" * 9_000_000)),
        ACKNOWLEDGEMENT,
    ],
)
def test_what_is_no_outbound_message_is_refused_without_showing_it(body: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        read(body)
    assert len(str(refused.value)) < 100
    assert "\n" not in str(refused.value)


def test_the_acknowledgement_is_the_vendors(shared: Path) -> None:
    sample = (shared / "samples/salesforce/ack_true_response.xml").read_text()
    assert ElementTree.canonicalize(ACKNOWLEDGEMENT.decode()) == ElementTree.canonicalize(sample)


_TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12) | st.sampled_from(
    ["true", "false", T, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e-99999", "-0", DEAL, "x" * 700, "a@b"]
)
_NAMES = (
    *("Id", "IsWon", "IsClosed", "StageName", "Amount", "CurrencyIsoCode", "CloseDate", "LastModifiedDate", "StartDateTime"),
    *("EndDateTime", "WhoId", "WhatId", "Email", "Outcome_Id__c", "ConvertedContactId", "ContactId", "IsDeleted"),
)
_FIELDS = st.dictionaries(
    st.sampled_from(_NAMES),
    st.none() | _TEXTS,
    max_size=9,
)


@settings(max_examples=examples(120, quick=40), deadline=None)
@given(
    kind=st.sampled_from(["Opportunity", "Event", "Lead", "Contact", "Task", "X"]),
    fields=_FIELDS,
    number=st.none() | _TEXTS,
    organization=_TEXTS.filter(lambda text: "<" not in text and "&" not in text),
)
def test_arbitrary_fields_give_events_that_can_be_stored(
    kind: str, fields: dict[str, str | None], number: str | None, organization: str
) -> None:
    events = read(outbound(notification(number, kind, **fields), organization=organization))
    assert events
    check_events(events)


@settings(max_examples=examples(150, quick=50), deadline=None)
@given(st.data())
def test_damaged_messages_are_read_or_refused(data: st.DataObject) -> None:
    body = outbound(notification(Id=DEAL, IsWon="true", Amount="5"), session="secret")
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    damaged = body[:start] + data.draw(st.binary(max_size=12)) + body[end:]
    with suppress(UnreadableError):
        check_events(read(damaged))
    with suppress(UnreadableError):
        check_events(read(b"<" + data.draw(st.binary(max_size=40))))


def test_a_deal_gives_the_same_row_whichever_order_its_messages_arrive_in(connection: psycopg.Connection[TupleRow]) -> None:
    sent = [message(sent_at=MONDAY), message(lead_id="bob", sent_at=MONDAY)]
    lost = "006WV00000AAAAB2AX"
    story = [
        notification("1", Id=DEAL, StageName="Prospecting", Outcome_Id__c=str(sent[0].id), LastModifiedDate="2026-01-06T09:00:00.000Z"),
        notification("2", Id=DEAL[:15], IsWon="false", IsClosed="true", LastModifiedDate="2026-01-07T09:00:00.000Z"),
        notification("3", Id=DEAL, IsWon="false", IsClosed="false", Amount="40000.0", LastModifiedDate="2026-01-08T09:00:00.000Z"),
        notification("4", Id=DEAL[:15], IsWon="true", IsClosed="true", Amount="50000.0", CurrencyIsoCode="EUR", LastModifiedDate="2026-01-09T09:00:00.000Z"),
        notification("5", Id=DEAL, StageName="Closed Won", IsClosed="true", LastModifiedDate="2026-01-09T09:00:00.000Z"),
        notification("6", Id=lost, StageName="Prospecting"),
        notification("7", Id=lost, StageName="Closed Lost", Outcome_Id__c=str(sent[1].id), LastModifiedDate="2026-01-09T09:00:00.000Z"),
    ]  # fmt: skip
    events = [event for each in story for event in read(outbound(each))]
    rows = rows_of_permutations(connection, sent, events)
    assert all(row == rows[0] for row in rows)
    first, second = rows[0]
    assert (first["deal_closed"], str(first["deal_value"]), first["deal_currency"], first["deal_lost"]) == (
        True,
        "50000.00",
        "EUR",
        False,
    )
    assert (second["deal_closed"], second["deal_lost"]) == (False, True)
