"""HubSpot's events: what a change of a property means, whichever way it is subscribed to and in whichever order it comes."""

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Connection, Provider, UnreadableError
from flywheel_dagster.ingester.sources import hubspot
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_hubspot import EXPECTED
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

CONNECTION = connected(Provider.HUBSPOT)
OUTCOME = "6f2c9a1e-5b7d-4c3e-9f10-2a3b4c5d6e7f"
DEAL = "deal:hubspot:62515:18151423"
PAYLOADS = [name for name, expected in EXPECTED.items() if not name.endswith(".sig.json")]


def at(day: float) -> int:
    """Milliseconds, so many days after MONDAY."""
    return int((MONDAY.timestamp() + day * 86_400) * 1000)


def item(kind: str, day: float = 1, **fields: Any) -> dict[str, Any]:
    """An event of the app, about deal 18151423 unless it says otherwise."""
    usual = {
        "eventId": random.Random(repr((kind, day, sorted(fields.items())))).randrange(2**40),
        "subscriptionId": 12345,
        "portalId": 62515,
        "appId": 54321,
        "occurredAt": at(day),
        "subscriptionType": kind,
        "attemptNumber": 0,
        "objectId": 18151423,
        "changeSource": "CRM_UI",
    }
    return usual | fields


def changed(name: str, value: object, day: float = 1, **fields: Any) -> dict[str, Any]:
    """A property of the deal got a value."""
    return item("deal.propertyChange", day, propertyName=name, propertyValue=value, **fields)


def read(*items: Any, connection: Connection = CONNECTION) -> list[OutcomeEvent]:
    events = hubspot.read(received(json.dumps(items).encode()), connection)
    check_events(events)
    return events


def one(given_item: Any, connection: Connection = CONNECTION) -> OutcomeEvent:
    (event,) = read(given_item, connection=connection)
    return event


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_sample_says_what_the_vendor_means_by_it(shared: Path, name: str) -> None:
    request = received((shared / "samples" / name).read_bytes())
    if EXPECTED[name].status == 400:
        with pytest.raises(UnreadableError):
            hubspot.read(request, CONNECTION)
        return
    events = hubspot.read(request, CONNECTION)
    check_events(events)
    assert told(events, EXPECTED[name]) == EXPECTED[name].events


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("dealstage", "closedwon", "deal_closed"),
        ("dealstage", "closedlost", "deal_lost"),
        ("dealstage", "contractsent", "deal_opened"),
        ("dealstage", "", "noted"),
        ("hs_is_closed_won", "true", "deal_closed"),
        ("hs_is_closed_won", "false", "deal_opened"),
        ("hs_is_closed_won", "", "noted"),
        ("hs_is_closed_lost", "true", "deal_lost"),
        ("hs_is_closed_lost", "false", "noted"),
        ("dealname", "Acme", "noted"),
        ("amount", "15000", "deal_updated"),
        ("deal_currency_code", "EUR", "deal_updated"),
    ],
)
def test_a_change_of_a_deals_property_is_what_it_makes_of_the_deal(name: str, value: str, becomes: str) -> None:
    event = one(changed(name, value))
    assert (event.event_type, event.references, event.outcome_id) == (becomes, (DEAL,), None)
    assert event.occurred_at.timestamp() * 1000 == at(1)
    new = one(changed(name, value, subscriptionType="object.propertyChange", objectTypeId="0-3"))
    assert (new.event_type, new.references) == (becomes, (DEAL,))


def test_the_stages_of_a_custom_pipeline_are_named_in_the_settings() -> None:
    custom = connected(Provider.HUBSPOT, won_stages=["closedwon", "1091824345"], lost_stages="closedlost, 99")
    assert [one(changed("dealstage", stage), custom).event_type for stage in ("1091824345", "closedwon", "99", "5")] == [
        "deal_closed",
        "deal_closed",
        "deal_lost",
        "deal_opened",
    ]


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("amount", "15000.50", {"value": "15000.50"}),
        ("amount", "0", {"value": "0"}),
        ("amount", "", {}),
        ("amount", "much", {}),
        ("amount", "-3", {}),
        ("hs_closed_amount", "15000", {"value": "15000"}),
        ("hs_closed_amount", "0", {}),  # said of every deal that isn't won
        ("deal_currency_code", "EUR", {"currency": "EUR"}),
        ("deal_currency_code", "euros", {}),
    ],
)
def test_an_amount_that_isnt_known_is_absent(name: str, value: str, facts: dict[str, str]) -> None:
    event = one(changed(name, value))
    assert (event.event_type, event.facts) == ("deal_updated", {"deal_id": "18151423"} | facts)


def test_the_property_with_the_outcomes_id_names_the_outcome_and_claims_the_deal_for_it() -> None:
    event = one(changed("outcome_id", OUTCOME))
    assert (event.event_type, str(event.outcome_id), event.references) == ("noted", OUTCOME, (DEAL,))
    custom = connected(Provider.HUBSPOT, outcome_property="flywheel_outcome")
    assert str(one(changed("flywheel_outcome", OUTCOME), custom).outcome_id) == OUTCOME
    assert one(changed("outcome_id", OUTCOME), custom).outcome_id is None
    assert one(changed("outcome_id", "out_123")).outcome_id is None


def test_an_event_of_a_contact_gives_the_lead_and_its_address_only_when_that_is_what_changed() -> None:
    email = one(item("contact.propertyChange", objectId=27136, propertyName="email", propertyValue="Ada <ADA@Example.com>"))
    assert (email.event_type, email.lead_id, email.lead_email, email.references) == ("noted", "27136", "ada@example.com", ())
    name = one(item("contact.propertyChange", objectId=27136, propertyName="website", propertyValue="ada@example.com"))
    assert (name.lead_id, name.lead_email) == ("27136", None)
    new = one(item("object.creation", objectId=27136, objectTypeId="0-1"))
    assert (new.facts["kind"], new.lead_id) == ("object.creation", "27136")


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [
        ("SCHEDULED", "meeting_booked"),
        ("RESCHEDULED", "meeting_booked"),
        ("COMPLETED", "meeting_completed"),
        ("NO_SHOW", "meeting_no_show"),
        ("No Show", "meeting_no_show"),
        ("CANCELED", "meeting_cancelled"),
        ("Went golfing", "noted"),
        ("", "noted"),
    ],
)
def test_a_meeting_is_what_its_outcome_says(outcome: str, becomes: str) -> None:
    event = one(
        item(
            "object.propertyChange",
            objectTypeId="0-47",
            objectId=77,
            propertyName="hs_meeting_outcome",
            propertyValue=outcome,
        )
    )
    assert (event.event_type, event.references) == (becomes, ("meeting:hubspot:62515:77",))
    assert event.facts.get("meeting_id") == ("77" if becomes != "noted" else None)


def test_a_meeting_that_is_created_is_booked() -> None:
    assert one(item("object.creation", objectTypeId="0-47", objectId=77)).event_type == "meeting_booked"


@pytest.mark.parametrize(
    ("kind", "object_type", "ids", "merged", "into"),
    [
        (
            "contact.merge",
            None,
            {"primaryObjectId": 1, "mergedObjectIds": [2, 3], "newObjectId": 4},
            ["lead:1", "lead:2", "lead:3"],
            "lead:4",
        ),
        ("contact.merge", None, {"primaryObjectId": 1, "mergedObjectIds": [2]}, ["lead:2"], "lead:1"),
        ("object.merge", "0-1", {"primaryObjectId": 1, "mergedObjectIds": [1, 2], "newObjectId": 1}, ["lead:2"], "lead:1"),
        ("deal.merge", None, {"primaryObjectId": 1, "mergedObjectIds": [2]}, ["deal:hubspot:62515:2"], "deal:hubspot:62515:1"),
    ],
)
def test_a_merger_names_what_became_what(
    kind: str, object_type: str | None, ids: dict[str, Any], merged: list[str], into: str
) -> None:
    event = one(item(kind, objectTypeId=object_type, objectId=ids["primaryObjectId"], **ids))
    assert (event.event_type, event.facts) == ("merged", {"merged": merged, "into": into})


@pytest.mark.parametrize("kind", ["company.merge", "contact.merge"])
def test_a_merger_of_companies_or_of_nothing_is_noted(kind: str) -> None:
    event = one(item(kind, primaryObjectId=1, mergedObjectIds=[2] if kind.startswith("company") else []))
    assert (event.event_type, event.facts["kind"]) == ("noted", kind)


@pytest.mark.parametrize(
    "ends",
    [
        {
            "subscriptionType": "deal.associationChange",
            "associationType": "DEAL_TO_CONTACT",
            "fromObjectId": 8,
            "toObjectId": 27136,
        },
        {
            "subscriptionType": "contact.associationChange",
            "associationType": "CONTACT_TO_DEAL",
            "fromObjectId": 27136,
            "toObjectId": 8,
        },
        {
            "subscriptionType": "object.associationChange",
            "fromObjectTypeId": "0-3",
            "toObjectTypeId": "0-1",
            "fromObjectId": 8,
            "toObjectId": 27136,
        },
    ],
)
def test_an_association_says_whose_the_deal_is_until_it_is_removed(ends: dict[str, Any]) -> None:
    fields = {name: value for name, value in item("", **ends).items() if name != "objectId"}
    event = one(fields | {"associationRemoved": False})
    assert (event.event_type, event.references, event.lead_id) == ("noted", ("deal:hubspot:62515:8",), "27136")
    removed = one(fields | {"associationRemoved": True})
    assert (removed.references, removed.lead_id) == (("deal:hubspot:62515:8",), None)
    assert removed.event_key != event.event_key


@pytest.mark.parametrize(
    "kind", ["company.creation", "deal.deletion", "contact.privacyDeletion", "conversation.newMessage", "ticket.restore"]
)
def test_what_changes_no_outcome_is_noted_under_its_own_name(kind: str) -> None:
    event = one(item(kind))
    assert (event.event_type, event.facts["kind"]) == ("noted", kind)


def test_a_redelivery_is_the_same_event_and_everything_else_another() -> None:
    first = changed("dealstage", "closedwon")
    key = one(first).event_key
    assert one(first | {"attemptNumber": 3}).event_key == key
    for other in (
        {"portalId": 1},
        {"subscriptionId": 1},
        {"eventId": 1},
        {"objectId": 1},
        {"occurredAt": at(2)},
        {"propertyValue": "closedlost"},
        {"propertyName": "hs_is_closed_won", "propertyValue": "true"},
    ):
        assert one(first | other).event_key != key


def test_ids_beyond_32_bits_keep_every_digit() -> None:
    event = one(changed("dealstage", "closedwon", objectId=9_007_199_254_740_993, portalId="247279312", eventId=3_821_261_304_000))
    assert event.references == ("deal:hubspot:247279312:9007199254740993",)
    assert event.source_event_id == "3821261304000"


def test_an_odd_item_spoils_none_of_the_others_and_is_kept() -> None:
    body = b'[5, null, {"objectId": 1e999}, %s, [], {}]' % json.dumps(changed("dealstage", "closedwon")).encode()
    events = hubspot.read(received(body), CONNECTION)
    check_events(events)
    assert [event.event_type for event in events] == ["noted", "noted", "noted", "deal_closed", "noted", "noted"]
    assert len({event.event_key for event in events}) == 6
    assert [event.raw for event in events][:3] == [b"[5]", b"[null]", b'[{"objectId": 1e999}]']


def test_each_event_keeps_bytes_that_say_the_same_alone() -> None:
    events = read(item("contact.creation"), changed("amount", "7"), {"odd": [1, {"a": "é"}]})
    for event in events:
        assert event.raw is not None
        assert hubspot.read(received(event.raw), CONNECTION) == [event]


def test_an_event_without_a_list_around_it_is_read_too() -> None:
    (event,) = hubspot.read(received(json.dumps(changed("dealstage", "closedwon")).encode()), CONNECTION)
    assert event.event_type == "deal_closed"


@pytest.mark.parametrize("body", [b"", b"5", b'"text"', b"{'a': 1}", b"[1,", b"null", b"\xff\xfe"])
def test_what_is_no_json_array_or_object_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^[a-zA-Z ]+$"):
        hubspot.read(received(body), CONNECTION)


@pytest.mark.parametrize("when", [0, -5, at(0) / 1e6, 1e300, "soon", None, 32_503_680_000_000])
def test_an_impossible_time_becomes_that_of_the_arrival(when: object) -> None:
    assert one(changed("dealstage", "closedwon", occurredAt=when)).occurred_at == ARRIVAL


FIELDS = (
    "eventId", "subscriptionId", "portalId", "occurredAt", "subscriptionType", "objectId", "objectTypeId", "propertyName", "propertyValue",
    "fromObjectId", "toObjectId", "fromObjectTypeId", "toObjectTypeId", "associationType", "associationRemoved",
    "primaryObjectId", "newObjectId", "mergedObjectIds",
)  # fmt: skip
KINDS = st.sampled_from(
    [
        "deal.creation",
        "deal.propertyChange",
        "object.propertyChange",
        "contact.merge",
        "object.merge",
        "deal.associationChange",
        "x",
        ".",
    ]
)
SHAPED = st.builds(
    lambda fields, kind, name, object_type: fields | {"subscriptionType": kind, "propertyName": name, "objectTypeId": object_type},
    objects_with(*FIELDS),
    KINDS,
    st.sampled_from(
        [
            "dealstage",
            "amount",
            "hs_closed_amount",
            "deal_currency_code",
            "outcome_id",
            "email",
            "hs_meeting_outcome",
            "hs_meeting_start_time",
        ]
    ),
    st.sampled_from(["0-1", "0-3", "0-47", "2-1", None]),
)


@settings(max_examples=examples(100, quick=30), deadline=None)
@given(st.lists(SHAPED | objects_with(*FIELDS) | ANYTHING, max_size=4))
def test_any_list_becomes_as_many_events_that_can_be_stored(items: list[Any]) -> None:
    events = hubspot.read(received(json.dumps(items).encode()), CONNECTION)
    check_events(events)
    assert len(events) == len(items)


@settings(max_examples=examples(100, quick=30), deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableError):
        check_events(hubspot.read(received(body), CONNECTION))


def test_a_won_deal_reported_twice_is_one_deal_whichever_order_the_events_come_in(connection: psycopg.Connection[TupleRow]) -> None:
    sent = [message(id=uuid4(), lead_id="27136"), message(id=uuid4(), lead_id="27137")]
    events = read(
        changed("outcome_id", str(sent[0].id), 1),
        item("deal.creation", 1),
        changed("dealstage", "appointmentscheduled", 1),
        changed("amount", "12000", 2),
        changed("deal_currency_code", "EUR", 2),
        changed("dealstage", "closedwon", 3),
        changed("hs_is_closed_won", "true", 3.00001),
        changed("hs_closed_amount", "15000", 3.00001),
        # Won, opened again, and lost: the second lead's deal, found by the association with its contact.
        item("deal.creation", 2, objectId=9),
        changed("dealstage", "closedwon", 3, objectId=9),
        changed("hs_is_closed_won", "true", 3, objectId=9),
        changed("dealstage", "contractsent", 4, objectId=9),
        changed("dealstage", "closedlost", 5, objectId=9),
        item("deal.associationChange", 2, associationType="DEAL_TO_CONTACT", fromObjectId=9, toObjectId=27137, objectId=None),
        item(
            "object.propertyChange", 2, objectTypeId="0-47", objectId=77, propertyName="outcome_id", propertyValue=str(sent[1].id)
        ),
        item("object.creation", 2, objectTypeId="0-47", objectId=77),
        item(
            "object.propertyChange",
            3,
            objectTypeId="0-47",
            objectId=77,
            propertyName="hs_meeting_outcome",
            propertyValue="COMPLETED",
        ),
    )
    rows = rows_of_permutations(connection, sent, events)
    assert all(row == rows[0] for row in rows)
    won, lost = rows[0]
    assert (won["deal_closed"], str(won["deal_value"]), won["deal_currency"]) == (True, "15000.00", "EUR")
    assert (lost["deal_closed"], lost["deal_lost"], lost["deal_value"]) == (False, True, None)
    assert (lost["meeting_booked"], lost["meeting_completed"]) == (True, True)


def test_the_source_and_the_types_are_the_ledgers_own() -> None:
    assert {event.source for event in read(item("deal.creation"), 5)} == {"hubspot"}
    assert isinstance(one(item("deal.creation")).event_type, EventType)
