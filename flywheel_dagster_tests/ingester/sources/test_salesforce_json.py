"""Salesforce in JSON: records, relayed change events, and our own format from a Flow."""

import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import salesforce
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster_tests.ingester.sources.salesforce_shapes import ORGANIZATION, notification, outbound
from flywheel_dagster_tests.ingester.sources.shapes import (
    ANYTHING,
    check_events,
    connected,
    objects_with,
    received,
    rows_of_permutations,
)
from flywheel_dagster_tests.outcomes.making import MONDAY, message
from flywheel_dagster_tests.thoroughness import examples

DEAL, MEETING = "006SM0000001Tb3YAE", "00USM0000001Tb3YAE"
CLOSED = ["StageName", "IsClosed", "IsWon", "LastModifiedDate"]


def read(item: Any, **asked: object) -> list[OutcomeEvent]:
    return salesforce.read(received(json.dumps(item).encode()), connected(Provider.SALESFORCE, **asked))


def change(
    action: str = "UPDATE",
    changed: list[str] | None = None,
    *,
    kind: str = "Opportunity",
    records: list[Any] | None = None,
    at: object = 1780304400000,
    key: str = "00000466-3d4f-bbe3",
    **fields: Any,
) -> dict[str, Any]:
    """A change event as the Pub/Sub API decodes it."""
    header = {
        "entityName": kind,
        "recordIds": [DEAL] if records is None else records,
        "changeType": action,
        "transactionKey": key,
        "sequenceNumber": 1,
        "commitTimestamp": at,
        "commitNumber": 1652977933433528300,
        "changedFields": changed or [],
    }
    return {"ChangeEventHeader": header, **fields}


def only(item: Any, **asked: object) -> OutcomeEvent:
    (event,) = read(item, **asked)
    return event


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (change("CREATE", StageName="Prospecting", IsWon=False, IsClosed=False), "deal_opened"),
        (change("CREATE", StageName="Closed Won", IsWon=True, IsClosed=True), "deal_closed"),
        (change("UPDATE", CLOSED, StageName="Gewonnen", IsWon=True, IsClosed=True), "deal_closed"),
        (change("UPDATE", ["StageName", "IsClosed"], StageName="Verloren", IsClosed=True), "deal_lost"),
        (change("UPDATE", ["IsClosed", "IsWon"], StageName="Verloren", IsClosed=True), "noted"),
        (change("UPDATE", ["StageName", "IsClosed", "IsWon"], StageName="Proposal", IsClosed=False, IsWon=False), "deal_opened"),
        (change("UPDATE", ["StageName"], StageName="Proposal"), "deal_updated"),
        (change("UPDATE", ["Amount"], Amount=7.5), "deal_updated"),
        (change("UPDATE", ["Amount"], Amount=7.5, IsWon=True, IsClosed=True, StageName="Closed Won"), "deal_updated"),
        (change("UPDATE", ["0x000A"], StageName="Closed Won", IsWon=True, IsClosed=True, Amount=None), "deal_closed"),
        (change("UPDATE", ["0x0001"], StageName=None, IsWon=None, IsClosed=None, Amount=5), "deal_updated"),
        (change("DELETE"), "noted"),
        (change("GAP_UPDATE"), "noted"),
        (change("CREATE", kind="Lead", records=["00QSM0000001Tb3YAE"], Email="a@b.c"), "noted"),
        (change("CREATE", kind="Event", records=[MEETING], StartDateTime="2026-06-02T09:00:00.000Z"), "meeting_booked"),
        (change("UPDATE", ["StartDateTime"], kind="Event", records=[MEETING], StartDateTime=1780394400000), "meeting_booked"),
        (change("UPDATE", ["Description"], kind="Event", records=[MEETING], Description="x"), "noted"),
        (change("DELETE", kind="Event", records=[MEETING]), "meeting_cancelled"),
    ],
)
def test_only_what_a_change_event_changed_decides_a_deals_state(item: dict[str, Any], kind: str) -> None:
    for shape in (
        item,
        {"schema": "s", "payload": item, "event": {"replayId": 1}},
        {"data": {"payload": item}, "channel": "/data/X"},
    ):
        event = only(shape)
        assert event.event_type == kind
        assert event.occurred_at.isoformat() in ("2026-06-01T09:00:00+00:00",)


def test_one_change_of_several_records_is_an_event_each() -> None:
    other = "006SM0000001Tb4YAE"
    events = read(change("UPDATE", CLOSED, records=[DEAL, other], IsWon=True))
    assert [event.facts["deal_id"] for event in events] == [DEAL[:15], other[:15]]
    assert len({event.event_key for event in events}) == 2


def test_a_change_event_is_known_by_its_transaction() -> None:
    first, again = only(change("UPDATE", CLOSED, IsWon=True)), only(change("UPDATE", CLOSED, IsWon=True, at=None))
    assert first.event_key == again.event_key
    assert first.event_key != only(change("UPDATE", CLOSED, IsWon=True, key="another")).event_key


def test_an_enriched_change_event_brings_the_amount_and_the_outcome() -> None:
    outcome = uuid4()
    event = only(change("UPDATE", CLOSED, IsWon=True, Amount=40000, Outcome_Id__c=str(outcome)))
    assert (event.facts["value"], event.outcome_id) == ("40000", outcome)


def test_a_record_as_apex_writes_it_is_read() -> None:
    record = {
        "attributes": {"type": "Opportunity"},
        "Id": DEAL,
        "IsWon": True,
        "Amount": 12.5,
        "LastModifiedDate": "2026-06-01T09:00:00.000+0000",
    }
    event = only(record)
    assert (event.event_type, event.facts) == ("deal_closed", {"deal_id": DEAL[:15], "value": "12.5"})
    assert event.occurred_at.isoformat() == "2026-06-01T09:00:00+00:00"
    assert event.references == (f"deal:salesforce:{DEAL[:15]}",)
    assert only({"StageName": "Closed Won"}).event_type == "deal_closed"
    assert only({"Id": "00QSM0000001Tb3YAE"}).facts == {"kind": "Lead"}


def test_the_organization_is_the_bodys_or_the_only_one_of_the_connection() -> None:
    named = f"deal:salesforce:{ORGANIZATION[:15]}:{DEAL[:15]}"
    assert only({"Id": DEAL, "OrganizationId": ORGANIZATION}).references == (named,)
    assert only({"Id": DEAL}, organization_ids=[ORGANIZATION]).references == (named,)
    assert only({"Id": DEAL}, organization_ids=f"{ORGANIZATION},00D000000000002").references == (f"deal:salesforce:{DEAL[:15]}",)


def test_our_own_format_from_a_flow_speaks_of_the_same_deal_as_the_other_routes() -> None:
    said = {"event": "opportunity.closed_won", "opportunity_id": DEAL, "amount": 5, "lead_id": "00QWV00000CZjEf"}
    event = only(said, organization_ids=[ORGANIZATION])
    (other,) = read_xml(outbound(notification(Id=DEAL, IsWon="true")))
    assert (event.source, event.event_type, event.references) == ("salesforce", "deal_closed", other.references)
    assert event.facts["deal_id"] == other.facts["deal_id"]
    assert event.lead_id == "00QWV00000CZjEf2AL"


def read_xml(body: bytes) -> list[OutcomeEvent]:
    return salesforce.read(received(body), connected(Provider.SALESFORCE))


def test_no_session_id_is_kept_anywhere() -> None:
    secret = "00D000000000001!AQ8AQPsecret"
    for item in (
        {"Id": DEAL, "IsWon": True, "SessionId": secret},
        {"event": "deal.closed_won", "deal_id": DEAL, "session_id": secret},
        change("UPDATE", CLOSED, IsWon=True, deep=[{"sessionId": secret}]),
    ):
        (event,) = read(item)
        assert event.event_type == "deal_closed"
        assert secret.encode() not in (event.raw or b"")
        assert secret not in repr(event)
        assert read(json.loads(event.raw or b""))[0].facts == event.facts


@pytest.mark.parametrize("depth", [50, 400, 900, 980, 5_000])
def test_json_nested_however_deep_is_read_or_refused(depth: int) -> None:
    body = b'{"IsWon":true,"SessionId":1,"x":' + b'{"a":[' * depth + b"1" + b"]}" * depth + b"}"
    with suppress(UnreadableError):
        check_events(salesforce.read(received(body), connected(Provider.SALESFORCE)))


def test_one_odd_item_does_not_spoil_the_others() -> None:
    events = read([{"Id": DEAL, "IsWon": True}, 5, {"ChangeEventHeader": {}}, {"hello": 1}, change("UPDATE", CLOSED, IsWon=True)])
    assert [event.event_type for event in events] == ["deal_closed", "noted", "noted", "noted", "deal_closed"]
    check_events(events)


@pytest.mark.parametrize("body", [b"", b"hello", b"7", b'["a"]', b"{"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        salesforce.read(received(body), connected(Provider.SALESFORCE))


_FIELDS = (
    "Id",
    "IsWon",
    "IsClosed",
    "StageName",
    "Amount",
    "CurrencyIsoCode",
    "CloseDate",
    "LastModifiedDate",
    "attributes",
    "OrganizationId",
)
_MORE = (
    "StartDateTime",
    "EndDateTime",
    "WhoId",
    "WhatId",
    "Email",
    "Outcome_Id__c",
    "ConvertedContactId",
    "ContactId",
    "SessionId",
    "event",
)
_HEADER = ("entityName", "recordIds", "changeType", "changedFields", "transactionKey", "sequenceNumber", "commitTimestamp")


@settings(max_examples=examples(150, quick=50), deadline=None)
@given(
    fields=objects_with(*_FIELDS, *_MORE, "deal_id", "data", "payload"),
    header=st.none()
    | ANYTHING
    | st.builds(
        lambda given, kind, action: given | {"entityName": kind, "changeType": action, "changedFields": list(_FIELDS)},
        objects_with(*_HEADER),
        st.sampled_from(["Opportunity", "Event", "Lead", "X"]),
        st.sampled_from(["CREATE", "UPDATE", "DELETE", "GAP_OVERFLOW"]),
    ),
    asked=objects_with("won_stages", "outcome_field", "email_field", "organization_ids"),
)
def test_arbitrary_json_of_the_shape_gives_events_that_can_be_stored(
    fields: dict[str, Any], header: Any, asked: dict[str, Any]
) -> None:
    item = fields if header is None else fields | {"ChangeEventHeader": header}
    events = salesforce.read(received(json.dumps(item).encode()), connected(Provider.SALESFORCE, **asked))
    check_events(events)
    for event in events:
        check_events(salesforce.read(received(event.raw or b""), connected(Provider.SALESFORCE, **asked)))


@settings(max_examples=examples(60, quick=20), deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    for each in (body, b"{" + body + b"}"):
        with suppress(UnreadableError):
            check_events(salesforce.read(received(each), connected(Provider.SALESFORCE)))


def test_a_deal_told_by_three_routes_gives_the_same_row_whichever_comes_first(connection: psycopg.Connection[TupleRow]) -> None:
    sent = message(sent_at=MONDAY)
    ours = {"organization_ids": [ORGANIZATION]}
    events = [
        *read(change("CREATE", StageName="Prospecting", IsWon=False, IsClosed=False, Amount=4, at=1767700000000, key="a"), **ours),
        *read(
            {
                "event": "opportunity.created",
                "opportunity_id": DEAL,
                "outcome_id": str(sent.id),
                "created_at": "2026-01-06T09:00:00Z",
            },
            **ours,
        ),
        *read_xml(outbound(notification("04l1", Id=DEAL, IsWon="true", Amount="5.0", LastModifiedDate="2026-01-12T09:00:00.000Z"))),
        *read(change("UPDATE", CLOSED, IsWon=True, at=1768208400000, key="b"), **ours),
        *read(change("UPDATE", ["Amount"], Amount=6.5, at=1768300000000, key="c"), **ours),
    ]
    rows = rows_of_permutations(connection, [sent], events)
    assert all(row == rows[0] for row in rows)
    (row,) = rows[0]
    assert (row["deal_closed"], str(row["deal_value"]), row["event_count"]) == (True, "6.50", 5)
