"""What a HubSpot workflow posts: three ways to write properties, and a body that somebody composed."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Connection, Provider, UnreadableError
from flywheel_dagster.ingester.sources import hubspot
from flywheel_dagster.outcomes.events import OutcomeEvent
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
PROPERTIES = {"dealname": "Acme", "amount": "15000", "dealstage": "closedwon", "deal_currency_code": "EUR", "outcome_id": OUTCOME}


def read(body: Any, connection: Connection = CONNECTION, at: datetime = ARRIVAL) -> OutcomeEvent:
    events = hubspot.read(received(json.dumps(body).encode(), at=at), connection)
    check_events(events)
    (event,) = events
    return event


def wrapped(properties: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        name: {"value": value, "timestamp": int(at.timestamp() * 1000), "source": "CRM_UI"} for name, value in properties.items()
    }


@pytest.mark.parametrize(
    "body",
    [
        {"portalId": 62515, "objectId": 7, "objectTypeId": "0-3", "properties": PROPERTIES},
        {"portalId": 62515, "id": "7", "properties": PROPERTIES, "archived": False},
        {"portalId": 62515, "dealId": 7, "isDeleted": False, "properties": wrapped(PROPERTIES, MONDAY)},
        {"portal_id": "62515", "hs_object_id": "7", **PROPERTIES},
        {"portalId": 62515, "deal_id": 7, "hs_is_closed_won": "true", **PROPERTIES, "dealstage": "1091824345"},
    ],
)
def test_a_won_deal_is_found_in_every_shape(body: dict[str, Any]) -> None:
    event = read(body)
    assert (event.event_type, str(event.outcome_id), event.references) == ("deal_closed", OUTCOME, ("deal:hubspot:62515:7",))
    assert event.facts == {"deal_id": "7", "value": "15000", "currency": "EUR"}


@pytest.mark.parametrize(
    ("properties", "becomes"),
    [
        ({"dealstage": "closedlost"}, "deal_lost"),
        ({"hs_is_closed_lost": "true", "dealstage": "55"}, "deal_lost"),
        ({"hs_is_closed_won": False, "dealstage": "closedwon"}, "deal_closed"),
        ({"amount": "5"}, "deal_updated"),
        ({"dealstage": "contractsent", "hs_lastmodifieddate": "2026-11-19T08:00:00Z"}, "deal_opened"),
        ({"hs_is_closed_won": "false", "hs_lastmodifieddate": "2026-11-19T08:00:00Z"}, "deal_opened"),
    ],
)
def test_a_deal_is_what_its_properties_make_of_it(properties: dict[str, Any], becomes: str) -> None:
    assert read({"dealId": 7, "properties": properties}).event_type == becomes


def test_an_open_deal_that_doesnt_say_since_when_cant_undo_a_closing() -> None:
    assert read({"dealId": 7, "dealstage": "contractsent"}).event_type == "deal_updated"


@pytest.mark.parametrize(
    ("body", "since"),
    [
        (
            {"properties": wrapped({"dealstage": "closedwon"}, datetime(2026, 6, 1, 9, tzinfo=UTC))},
            datetime(2026, 6, 1, 9, tzinfo=UTC),
        ),
        (
            {"dealstage": "closedwon", "hs_v2_date_entered_closedwon": "2026-06-02T09:00:00Z", "closedate": "2026-01-01"},
            datetime(2026, 6, 2, 9, tzinfo=UTC),
        ),
        (
            {"dealstage": "closedwon", "hs_lastmodifieddate": "1780477200000", "closedate": "2026-01-01"},
            datetime(2026, 6, 3, 9, tzinfo=UTC),
        ),
        ({"dealstage": "closedwon", "closedate": "2026-06-04T09:30:00Z"}, datetime(2026, 6, 4, 9, 30, tzinfo=UTC)),
        ({"dealstage": "closedwon", "closedate": "2026-06-04"}, datetime(2026, 6, 4, tzinfo=UTC)),
        # Today, without an hour: it was just now, and not before what happened this morning.
        ({"dealstage": "closedwon", "closedate": ARRIVAL.date().isoformat()}, ARRIVAL),
        ({"dealstage": "closedwon", "closedate": (ARRIVAL + timedelta(hours=3)).isoformat()}, ARRIVAL),
        # The close date of a deal that isn't closed is a hope.
        ({"amount": "5", "closedate": "2026-06-04T09:30:00Z"}, ARRIVAL),
        ({"dealstage": "closedwon"}, ARRIVAL),
        ({"dealstage": "closedwon", "occurredAt": "1999-01-01"}, ARRIVAL),
    ],
)
def test_the_time_is_that_of_the_fact_as_well_as_the_body_knows_it(body: dict[str, Any], since: datetime) -> None:
    assert read({"dealId": 7, **body}).occurred_at == since


@pytest.mark.parametrize(
    ("associations", "lead"),
    [
        ({"associatedVids": [27136]}, "27136"),
        ({"associatedVids": [27136, 27137]}, None),
        (
            {
                "contacts": {
                    "results": [{"id": "27136", "type": "deal_to_contact"}, {"id": "27136", "type": "deal_to_contact_unlabeled"}]
                }
            },
            "27136",
        ),
        ({"contacts": {"results": "none"}, "associatedVids": {}}, None),
        ("odd", None),
    ],
)
def test_the_lead_is_the_only_contact_of_the_deal(associations: Any, lead: str | None) -> None:
    assert read({"dealId": 7, "amount": "5", "associations": associations}).lead_id == lead


def test_a_contacts_workflow_is_noted_with_lead_and_address() -> None:
    event = read(
        {"vid": 27136, "portal-id": 62515, "properties": wrapped({"email": "Ada@Example.com", "firstname": "Ada"}, MONDAY)}
    )
    assert (event.event_type, event.facts, event.lead_id, event.lead_email, event.references) == (
        "noted",
        {"kind": "workflow.contact"},
        "27136",
        "ada@example.com",
        (),
    )


def test_a_meetings_workflow_says_when_it_is_and_what_became_of_it() -> None:
    properties = {
        "hs_meeting_outcome": "COMPLETED",
        "hs_meeting_start_time": "2026-11-19T14:00:00Z",
        "hs_meeting_end_time": 1795098600000,
    }
    event = read({"portalId": 62515, "objectId": 77, "objectType": "MEETING_EVENT", "properties": properties})
    assert (event.event_type, event.references) == ("meeting_completed", ("meeting:hubspot:62515:77",))
    assert event.facts == {
        "meeting_id": "77",
        "meeting_at": "2026-11-19T14:00:00+00:00",
        "meeting_ends_at": "2026-11-19T14:30:00+00:00",
    }
    assert read({"objectId": 77, "properties": properties | {"hs_meeting_outcome": ""}}).event_type == "noted"


def test_the_portal_that_a_body_leaves_out_is_the_connections_only_one() -> None:
    body = {"hs_object_id": 7, "dealstage": "closedwon"}
    assert read(body).references == ("deal:hubspot::7",)
    assert read(body, connected(Provider.HUBSPOT, portals=["62515"])).references == ("deal:hubspot:62515:7",)
    assert read(body, connected(Provider.HUBSPOT, portals=["62515", "62516"])).references == ("deal:hubspot::7",)


def test_a_body_in_our_own_format_says_what_it_says_elsewhere_and_names_the_deal_as_hubspot_does() -> None:
    body = {"event": "deal.closed_won", "deal_id": "7", "deal_value": 15000, "closed_at": "2026-06-01T09:00:00Z", "portalId": 62515}
    event = read(body | {"outcome_id": OUTCOME, "contact_email": "ada@example.com"})
    assert (event.event_type, event.source, event.facts["value"], str(event.outcome_id)) == (
        "deal_closed",
        "hubspot",
        "15000",
        OUTCOME,
    )
    assert (event.references, event.lead_email) == (("deal:hubspot:62515:7",), "ada@example.com")
    unnamed = read({"event": "deal.closed_lost", "hs_object_id": 7, "dealname": "Acme", "portalId": 62515})
    assert (unnamed.event_type, unnamed.references) == ("deal_lost", ("deal:hubspot:62515:7",))


@pytest.mark.parametrize(
    "body", [{"dealId": 7, "dealstage": "closedwon", "isDeleted": True}, {"id": 7, "archived": "true", "dealname": "x"}]
)
def test_a_deleted_deal_is_only_noted(body: dict[str, Any]) -> None:
    event = read(body)
    assert (event.event_type, event.references) == ("noted", ("deal:hubspot::7",))


@pytest.mark.parametrize(
    "body", [{}, {"hello": 1}, {"dealstage": "closedwon"}, {"dealstage": "closedwon", "dealId": {"a": 1}}, {"properties": 5}]
)
def test_what_names_no_object_is_noted(body: dict[str, Any]) -> None:
    event = read(body)
    assert (event.event_type, event.references, event.raw) == ("noted", (), json.dumps(body).encode())


def test_a_repeated_post_is_the_same_event_even_days_later() -> None:
    body = {"dealId": 7, "dealstage": "closedwon"}
    assert read(body).event_key == read(body, at=ARRIVAL + timedelta(days=3)).event_key
    assert read(body).event_key != read(body | {"amount": 1}).event_key


NAMES = (
    "event", "objectId", "objectTypeId", "objectType", "dealId", "vid", "portalId", "properties", "associations", "dealstage", "amount",
    "hs_is_closed_won", "closedate", "hs_lastmodifieddate", "occurredAt", "hs_meeting_outcome", "hs_meeting_start_time",
    "hs_meeting_end_time", "outcome_id", "email", "deal_currency_code", "lead_id", "isDeleted",
)  # fmt: skip


@settings(max_examples=examples(100, quick=30), deadline=None)
@given(
    objects_with(*NAMES),
    objects_with(*NAMES) | ANYTHING,
    st.sampled_from([{}, {"dealId": 7}, {"objectId": 7, "objectTypeId": "0-47"}]),
)
def test_any_object_becomes_one_event_that_says_the_same_when_read_again(
    body: dict[str, Any], properties: Any, ids: dict[str, Any]
) -> None:
    body = body | {"properties": properties} | ids
    body.pop("subscriptionType", None)
    with suppress(UnreadableError):  # a number that JSON has but nobody reads
        event = read(body)
        assert event.raw is not None
        assert hubspot.read(received(event.raw), CONNECTION) == [event]


def test_workflow_and_app_events_of_one_deal_fold_to_the_same_row_in_any_order(connection: psycopg.Connection[TupleRow]) -> None:
    sent = [message(id=uuid4())]

    def ms(day: float) -> int:
        return int((MONDAY + timedelta(days=day)).timestamp() * 1000)

    def app(number: int, name: str, value: str, day: float) -> dict[str, Any]:
        return {
            "eventId": number, "subscriptionId": 1, "portalId": 62515, "objectId": 7, "occurredAt": ms(day),
            "subscriptionType": "deal.propertyChange", "propertyName": name, "propertyValue": value,
        }  # fmt: skip

    bodies: list[Any] = [
        [app(1, "dealstage", "contractsent", 1), app(2, "dealstage", "closedwon", 3), app(3, "amount", "10", 1)],
        {
            "portalId": 62515,
            "dealId": 7,
            "properties": wrapped(PROPERTIES | {"outcome_id": str(sent[0].id)}, MONDAY + timedelta(days=3)),
        },
        {"portalId": 62515, "hs_object_id": 7, "dealstage": "closedwon", "amount": 16000, "closedate": str(ms(3.1))},
        {"portalId": 62515, "dealId": 7, "dealstage": "contractsent"},
    ]
    events = [event for body in bodies for event in hubspot.read(received(json.dumps(body).encode()), CONNECTION)]
    rows = rows_of_permutations(connection, sent, events)
    assert all(row == rows[0] for row in rows)
    assert (rows[0][0]["deal_closed"], str(rows[0][0]["deal_value"]), rows[0][0]["deal_currency"]) == (True, "16000.00", "EUR")
