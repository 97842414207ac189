"""Our own format: the description's examples, both vocabularies, and whatever else a sender makes of it."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import generic
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_generic import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import (
    ANYTHING,
    ARRIVAL,
    check_events,
    connected,
    objects_with,
    received,
    rows_of_permutations,
)
from flywheel_dagster_tests.outcomes.making import MONDAY, message
from flywheel_dagster_tests.thoroughness import examples

CONNECTION = connected(Provider.GENERIC)
TUTORIAL = {
    "event": "deal.closed_won",
    "deal_id": "123",
    "deal_value": 15000,
    "closed_at": "2025-01-23T10:00:00Z",
    "outcome_id": "your-outcome-uuid",
}


def read(*items: Any, **headers: str) -> list[OutcomeEvent]:
    body = json.dumps(items[0] if len(items) == 1 else list(items)).encode()
    return generic.read(received(body, **headers), CONNECTION)


def one(**fields: Any) -> OutcomeEvent:
    (event,) = read(fields)
    return event


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_says_what_the_description_means_by_it(shared: Path, name: str) -> None:
    events = generic.read(received((shared / "samples" / name).read_bytes()), CONNECTION)
    check_events(events)
    assert told(events, EXPECTED[name]) == EXPECTED[name].events


def test_the_tutorial_closes_a_deal_though_its_outcome_id_is_a_placeholder() -> None:
    (event,) = read(TUTORIAL)
    assert (event.event_type, event.outcome_id, event.references) == ("deal_closed", None, ("deal:crm:123",))
    assert event.facts == {"deal_id": "123", "value": "15000"}
    assert event.occurred_at.isoformat() == "2025-01-23T10:00:00+00:00"
    assert event.raw == json.dumps(TUTORIAL).encode()


def test_a_uuid_names_the_outcome_and_its_deal_is_claimed_for_it() -> None:
    outcome = uuid4()
    (event,) = read(TUTORIAL | {"outcome_id": str(outcome).upper()})
    assert (event.outcome_id, event.references) == (outcome, ("deal:crm:123",))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("opportunity.created", "deal_opened"),
        ("deal.created", "deal_opened"),
        ("deal.updated", "deal_updated"),
        ("Deal.Closed_Won", "deal_closed"),
        ("opportunity.closed_won", "deal_closed"),
        ("deal.closed_lost", "deal_lost"),
        ("meeting.booked", "meeting_booked"),
        ("meeting.completed", "meeting_completed"),
        ("meeting.no_show", "meeting_no_show"),
        ("meeting.canceled", "meeting_cancelled"),
        ("meeting.cancelled", "meeting_cancelled"),
        ("invoice.paid", "noted"),
    ],
)
def test_both_vocabularies_are_understood(name: str, kind: str) -> None:
    assert one(event=name, occurred_at="2026-11-20T09:00:00Z").event_type == kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"event": "deal.closed", "status": "won"}, "deal_closed"),
        ({"event": "deal.closed", "stage": "Closed Lost"}, "deal_lost"),
        ({"event": "deal.closed", "status": "closed", "stage": "closedwon"}, "deal_closed"),
        ({"event": "deal.closed", "is_won": True}, "deal_closed"),
        ({"event": "deal.closed", "status": "closed"}, "noted"),
        ({"event": "deal.closed", "status": "open"}, "noted"),
        ({"event": "deal.closed"}, "noted"),
        ({"event": "deal.updated", "status": "won"}, "deal_closed"),
        ({"event": "deal.updated", "status": "lost"}, "deal_lost"),
        ({"event": "deal.updated", "status": "closed"}, "deal_updated"),
        ({"event": "deal.updated", "status": "open", "updated_at": 1795000000}, "deal_opened"),
        ({"deal_id": 5, "status": "won"}, "deal_closed"),
        ({"deal_id": 5, "status": "lost"}, "deal_lost"),
        ({"deal_id": 5, "status": "closed", "amount": 15000}, "noted"),
        ({"deal_id": 5}, "noted"),
        ({"meeting_id": 5, "status": "no_show"}, "meeting_no_show"),
        ({"meeting_id": 5, "status": "maybe"}, "noted"),
        ({"hello": "world"}, "noted"),
        ({}, "noted"),
    ],
)
def test_a_status_tells_won_or_lost_and_closed_alone_tells_neither(said: dict[str, Any], kind: str) -> None:
    assert one(**said).event_type == kind


def test_an_unknown_event_is_noted_by_its_name_with_what_it_is_about() -> None:
    event = one(event="Invoice.Paid", deal_id=7, amount="12.50", email="Ada <ADA@example.com>")
    assert event.facts == {"kind": "Invoice.Paid", "deal_id": "7", "value": "12.50"}
    assert (event.references, event.lead_email) == (("deal:crm:7",), "ada@example.com")


def test_an_opening_without_a_time_cannot_reopen_a_deal_that_was_closed() -> None:
    assert one(event="deal.created", deal_id=1).event_type == "deal_updated"
    assert one(event="deal.updated", deal_id=1, status="open").event_type == "deal_updated"


def test_a_booking_without_a_time_of_its_own_was_made_before_the_meeting() -> None:
    event = one(event="meeting.booked", meeting_id="m", meeting_time="2026-11-10T10:00:00+01:00", duration_minutes=30)
    assert event.facts == {
        "meeting_id": "m",
        "meeting_at": "2026-11-10T09:00:00+00:00",
        "meeting_ends_at": "2026-11-10T09:30:00+00:00",
    }
    assert event.occurred_at.isoformat() == "2026-11-10T09:00:00+00:00"
    held = one(event="meeting.completed", meeting_id="m", scheduled_at="2026-11-10T09:00:00Z", end_time="2026-11-10T09:30:00Z")
    assert held.occurred_at.isoformat() == "2026-11-10T09:30:00+00:00"
    missed = one(event="meeting.no_show", meeting_id="m", scheduled_at="2026-11-10T09:00:00Z")
    assert missed.occurred_at == ARRIVAL, "a no-show that is reported late takes back that the meeting was held"


@pytest.mark.parametrize(
    "time", [None, "yesterday", "1970-01-01T00:00:00Z", "2027-06-01T00:00:00Z", 5, True, [], "9999-12-31T23:59:59-14:00"]
)
def test_a_time_that_is_none_or_impossible_is_the_arrival(time: object) -> None:
    event = one(event="deal.closed_won", deal_id=1, closed_at=time)
    assert event.occurred_at == ARRIVAL
    assert event.identity == one(event="deal.closed_won", deal_id=1, closed_at=time).identity


@pytest.mark.parametrize("amount", ["much", -1, "1e99", "NaN", None, True, [], {}])
def test_an_unknown_amount_is_absent_and_never_zero(amount: object) -> None:
    assert "value" not in one(event="deal.closed_won", deal_id=1, deal_value=amount).facts
    assert one(event="deal.closed_won", deal_id=1, deal_value=amount, amount=3).facts["value"] == "3"


def test_a_delivery_that_is_repeated_is_the_same_event() -> None:
    (first,), (again,) = read(TUTORIAL), read(dict(reversed(TUTORIAL.items())))
    assert first.event_key == again.event_key
    (other,) = read(TUTORIAL | {"deal_value": 15001})
    assert other.event_key != first.event_key


def test_the_senders_event_id_decides_where_there_is_one() -> None:
    said = {"event": "deal.updated", "deal_id": "9", "amount": 5}
    assert one(**said, event_id="e1").event_key == one(**said | {"amount": 6}, event_id="e1").event_key
    assert one(**said, id="e1").event_key == one(**said | {"amount": 6}, id="e1").event_key
    assert one(**said, id="e1").event_key != one(**said, id="e2").event_key
    assert one(**said, id="e1").source_event_id == "e1"


def test_an_id_that_may_be_the_deals_own_does_not_swallow_its_later_events() -> None:
    assert one(event="deal.updated", id="9", amount=5).event_key != one(event="deal.updated", id="9", amount=6).event_key
    assert (
        one(event="deal.updated", id="9", deal_id="9", amount=5).event_key
        != one(event="deal.updated", id="9", deal_id="9").event_key
    )


def test_the_webhook_id_decides_where_the_body_has_none() -> None:
    (first,), (again,) = read(TUTORIAL, webhook_id="msg_1"), read(TUTORIAL | {"attempt": 2}, webhook_id="msg_1")
    assert first.event_key == again.event_key
    batch = read({"deal_id": 1, "status": "won"}, {"deal_id": 2, "status": "won"}, webhook_id="msg_1")
    assert len({event.event_key for event in batch}) == 2


def test_what_was_stored_can_be_read_again_and_is_known() -> None:
    for event in read(TUTORIAL, {"event": "meeting.booked", "meeting_id": 1}, webhook_id="msg_1"):
        assert event.raw is not None
        (again,) = generic.read(received(event.raw), CONNECTION)
        assert (again.facts, again.alias_key) == (event.facts, event.alias_key)


def test_an_envelope_of_standard_webhooks_is_opened() -> None:
    event = one(
        type="deal.closed_won", timestamp="2026-11-20T08:00:00Z", data={"deal_id": "7", "deal_value": "1.50", "currency": "eur"}
    )
    assert event.event_type == "deal_closed"
    assert event.facts == {"deal_id": "7", "value": "1.50", "currency": "EUR"}
    assert event.occurred_at.isoformat() == "2026-11-20T08:00:00+00:00"


@pytest.mark.parametrize("depth", [50, 400, 800, 900, 950, 980, 990, 5_000])
def test_json_nested_however_deep_is_read_or_refused(depth: int) -> None:
    for body in (
        b'{"event":"deal.closed_won","x":' + b'{"a":[' * depth + b"1" + b"]}" * depth + b"}",
        b"[{}," + b"[" * depth + b"]" * depth + b"]",
    ):
        with suppress(UnreadableError):
            check_events(generic.read(received(body), CONNECTION))


def test_one_odd_item_does_not_spoil_the_others() -> None:
    events = read(TUTORIAL, 5, {"event": ["?"]}, None, {"event": "meeting.no_show", "meeting_id": "m"})
    assert [event.event_type for event in events] == ["deal_closed", "noted", "noted", "noted", "meeting_no_show"]
    check_events(events)


@pytest.mark.parametrize("body", [b"", b"hello", b"5", b'"x"', b"null", b"[1, 2]", b"<x/>", b'{"a":', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_object_is_refused_in_one_line_without_the_payload(body: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        generic.read(received(body), CONNECTION)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 100


def test_another_source_lends_its_name_and_the_scope_of_its_ids() -> None:
    event = generic.event_of(TUTORIAL, b"{}", received(b""), CONNECTION, source="hubspot", scope="hubspot:42")
    assert (event.source, event.references) == ("hubspot", ("deal:hubspot:42:123",))


@settings(max_examples=examples(60, quick=20), deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    for each in (body, b"{" + body + b"}", b'[{"event":"deal.closed_won"},' + body + b"]"):
        with suppress(UnreadableError):
            check_events(generic.read(received(each), CONNECTION))


_NAMES = (
    *("event", "type", "id", "event_id", "outcome_id", "deal_id", "deal_value", "amount", "currency", "status", "stage", "data"),
    *(
        "closed_at",
        "timestamp",
        "created_at",
        "meeting_id",
        "meeting_time",
        "end_time",
        "duration_minutes",
        "lead_id",
        "contact_email",
    ),
)


@settings(max_examples=examples(150, quick=50), deadline=None)
@given(
    name=st.sampled_from(["deal.closed_won", "deal.created", "deal.closed", "meeting.booked", "meeting.completed", "x", None]),
    fields=objects_with(*_NAMES),
    others=st.lists(ANYTHING, max_size=2),
)
def test_arbitrary_json_of_the_shape_gives_events_that_can_be_stored(
    name: str | None, fields: dict[str, Any], others: list[Any]
) -> None:
    item = fields if name is None else fields | {"event": name}
    events = generic.read(received(json.dumps([item, *others]).encode(), webhook_id="\0x"), CONNECTION)
    assert len(events) == 1 + len(others)
    check_events(events)


def test_a_deal_and_its_meeting_give_the_same_row_whichever_order_they_arrive_in(connection: psycopg.Connection[TupleRow]) -> None:
    sent = [message(sent_at=MONDAY), message(lead_id="bob", sent_at=MONDAY)]
    first, second = (str(each.id) for each in sent)
    story = [
        {"event": "meeting.booked", "meeting_id": "m1", "outcome_id": first, "occurred_at": "2026-01-06T09:00:00Z"},
        {"event": "meeting.cancelled", "meeting_id": "m1", "occurred_at": "2026-01-07T09:00:00Z"},
        {"event": "meeting.booked", "meeting_id": "m1", "occurred_at": "2026-01-08T09:00:00Z"},
        {"event": "meeting.completed", "meeting_id": "m1", "occurred_at": "2026-01-09T09:00:00Z"},
        {"event": "opportunity.created", "deal_id": "d1", "outcome_id": first, "occurred_at": "2026-01-10T09:00:00Z", "amount": 10},
        {"event": "deal.updated", "deal_id": "d1", "updated_at": "2026-01-11T09:00:00Z", "amount": "20.50", "currency": "USD"},
        {"event": "deal.closed_won", "deal_id": "d1", "closed_at": "2026-01-12T09:00:00Z"},
        {"deal_id": "d1", "status": "closed", "amount": 99},
        {"event": "deal.created", "deal_id": "d2", "outcome_id": second},
        {"event": "deal.closed_lost", "deal_id": "d2", "closed_at": "2026-01-12T09:00:00Z"},
    ]
    events = [event for each in story for event in read(each)]
    rows = rows_of_permutations(connection, sent, events)
    assert all(row == rows[0] for row in rows)
    won, lost = rows[0]
    assert (won["meeting_completed"], won["deal_closed"], str(won["deal_value"]), won["deal_currency"]) == (
        True,
        True,
        "20.50",
        "USD",
    )
    assert (lost["deal_lost"], lost["deal_closed"], lost["deal_opened"]) == (True, False, True)
