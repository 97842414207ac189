"""SendGrid's Event Webhook: every kind of event, every spelling of a batch, and the same event twice."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import sendgrid_events, sendgrid_inbound
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import Recorded, record, send
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_sendgrid import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import (
    ANYTHING,
    ARRIVAL,
    check_events,
    connected,
    objects_with,
    received,
    rows_of_permutations,
)
from flywheel_dagster_tests.outcomes.making import MONDAY, message, row_of

KEPT = Path(__file__).parents[2] / "samples"
CONNECTION = connected(Provider.SENDGRID)
EVENTS = [name for name in EXPECTED if "inbound" not in name and not name.endswith(".sig.json")]
USUAL = {
    "email": "ada@example.com",
    "timestamp": 1767690000,
    "sg_event_id": "event-1",
    "sg_message_id": "qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-7b64.0",
    "smtp-id": "<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>",
}


def read_bytes(body: bytes) -> list[OutcomeEvent]:
    return sendgrid_events.read(received(body), CONNECTION)


def read(*items: Any) -> list[OutcomeEvent]:
    return read_bytes(json.dumps(items).encode())


def one(**fields: Any) -> OutcomeEvent:
    (event,) = read(USUAL | fields)
    return event


def check_sample(folder: Path, name: str) -> None:
    expected = EXPECTED[name]
    try:
        events = read_bytes((folder / name).read_bytes())
    except UnreadableError:
        assert expected.status == 400
        return
    check_events(events)
    assert told(events, expected) == expected.events
    assert expected.status == 200
    for event in events:
        assert read_bytes(event.raw or b"") == [event], "the raw bytes of one event say the same alone"


@pytest.mark.parametrize("name", [name for name in EVENTS if (KEPT / name).exists()])
def test_a_kept_sample_says_what_the_vendor_means_by_it(name: str) -> None:
    check_sample(KEPT, name)


@pytest.mark.parametrize("name", EVENTS)
def test_a_sample_says_what_the_vendor_means_by_it(shared: Path, name: str) -> None:
    check_sample(shared / "samples", name)


def test_the_table_has_every_sample(shared: Path) -> None:
    folder = shared / "samples"
    found = {
        path.relative_to(folder).as_posix() for pattern in ("sendgrid/*", "description/sendgrid_*") for path in folder.glob(pattern)
    }
    assert found == set(EXPECTED)


def test_the_kept_samples_are_those_beside_the_checkout(shared: Path) -> None:
    for path in (KEPT / "sendgrid").iterdir():
        assert path.read_bytes() == (shared / "samples" / "sendgrid" / path.name).read_bytes()


def test_an_event_names_its_outcome_lead_and_message() -> None:
    outcome = uuid4()
    event = one(event="delivered", outcome_id=str(outcome), lead_id="lead-7")
    assert (event.outcome_id, event.lead_id, event.lead_email, event.source_event_id) == (
        outcome,
        "lead-7",
        "ada@example.com",
        "event-1",
    )
    assert event.references == tuple(message_reference(each.removeprefix("message:"), "Ada@example.com") for each in event.mentions)
    assert event.mentions == (
        "message:qNwBLgPQQjW6DJvKQwSAbw",
        "message:qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net",
    )
    assert event.occurred_at == datetime(2026, 1, 6, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"event": "open", "sg_machine_open": True}, ("opened", {"machine": True})),
        ({"event": "open", "sg_machine_open": "true"}, ("opened", {"machine": True})),
        ({"event": "open", "sg_machine_open": False}, ("opened", {})),
        ({"event": "spam_report"}, ("spam_reported", {})),
        ({"event": "bounce", "type": "bounce", "reason": "550"}, ("bounced", {"reason": "550"})),
        ({"event": "bounce", "bounce_classification": "Invalid Address"}, ("bounced", {"classification": "Invalid Address"})),
        ({"event": "bounce", "type": "blocked", "reason": "552"}, ("noted", {"kind": "blocked", "reason": "552"})),
        ({"event": "dropped", "reason": "Bounced Address"}, ("noted", {"kind": "dropped", "reason": "Bounced Address"})),
        ({"event": "deferred", "attempt": "5"}, ("noted", {"kind": "deferred", "attempt": "5"})),
        ({"event": "group_unsubscribe", "asm_group_id": 10}, ("noted", {"kind": "group_unsubscribe", "asm_group_id": "10"})),
        ({"event": "Delivered "}, ("delivered", {})),
        ({"event": "something_new"}, ("noted", {"kind": "something_new"})),
        ({"event": 7}, ("noted", {"kind": "unknown"})),
    ],
)
def test_each_kind_of_event_becomes_the_fact_that_it_is(fields: dict[str, Any], said: tuple[str, dict[str, Any]]) -> None:
    event = one(**fields)
    assert (event.event_type, event.facts) == said


def test_the_name_of_a_machine_is_not_taken_for_a_message() -> None:
    assert one(event="dropped", **{"sg_message_id": "filter0093p1las1.9128.5717FB8127.0", "smtp-id": ""}).references == ()


@pytest.mark.parametrize(
    ("timestamp", "occurred"),
    [
        (1767690000, datetime(2026, 1, 6, 9, tzinfo=UTC)),
        ("1767690000", datetime(2026, 1, 6, 9, tzinfo=UTC)),
        (1767690000123, datetime(2026, 1, 6, 9, 0, 0, 123000, UTC)),
        (123456789, ARRIVAL),
        (4102444800, ARRIVAL),
        ("soon", ARRIVAL),
        (None, ARRIVAL),
    ],
)
def test_a_time_is_read_in_seconds_or_milliseconds_and_an_impossible_one_is_the_arrival(timestamp: Any, occurred: datetime) -> None:
    assert one(event="open", timestamp=timestamp).occurred_at == occurred


def test_a_repetition_with_another_id_and_a_known_id_are_the_same_event() -> None:
    first, again = one(event="open"), one(event="open", sg_event_id="event-2")
    assert first.event_key == again.event_key
    assert one(event="open").alias_key == first.alias_key
    for other in (
        {"timestamp": 1767690001},
        {"email": "bob@example.com"},
        {"outcome_id": "x"},
        {"event": "click"},
        {"sg_message_id": "y"},
    ):
        assert one(**({"event": "open"} | other)).event_key != first.event_key
    assert one(event="click", url="a").event_key != one(event="click", url="b").event_key
    assert one(event="new", detail="a").event_key != one(event="new", detail="b").event_key
    assert one(event="new", sg_event_id="event-2").event_key == one(event="new").event_key
    assert one(event="group_unsubscribe", asm_group_id=1).event_key != one(event="group_unsubscribe", asm_group_id=2).event_key


def test_one_id_for_events_of_every_kind_as_in_the_documentation_loses_none(connection: psycopg.Connection[TupleRow]) -> None:
    events = read_bytes((KEPT / "sendgrid" / "docs_01_all_types.json").read_bytes())
    assert record(connection, events) == Recorded(11, 0, 11)
    assert record(connection, events) == Recorded(0, 11, 0)


def test_an_odd_item_spoils_no_other_and_is_kept() -> None:
    body = b'\xef\xbb\xbf[{"event":"open","email":"a@example.com","useragent":"\\ud83d"},\r\n{"event":"click","url":"\xff"},\r\n5,null,[],1e999]\r\n'
    events = read_bytes(body)
    check_events(events)
    assert [event.event_type for event in events] == ["opened", "clicked", "noted", "noted", "noted", "noted"]
    assert events[1].raw == b'[{"event":"click","url":"\xff"}]'
    assert events[5].raw == b"[1e999]"
    assert len({event.event_key for event in events}) == 6


@pytest.mark.parametrize("body", [b"", b"payload", b"5", b'"open"', b"null", b"[", b'{"event"', b"[" * 100_000, b"\xff\xfe["])
def test_what_is_no_json_list_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_bytes(body)
    assert "\n" not in str(caught.value)


def test_an_empty_batch_says_nothing() -> None:
    assert read_bytes(b"[]") == []


FIELDS = (
    *("event", "email", "timestamp", "sg_event_id", "sg_message_id", "smtp-id", "type", "reason", "status", "response", "attempt"),
    *("url", "asm_group_id", "sg_machine_open", "outcome_id", "lead_id", "bounce_classification"),
)
NAMES = st.sampled_from(
    ["open", "click", "bounce", "dropped", "deferred", "group_unsubscribe", "account_status_change", "delivered"]
)


@given(st.lists(st.tuples(NAMES, objects_with(*FIELDS)), max_size=4), st.lists(ANYTHING, max_size=2))
def test_any_list_is_read_and_its_events_can_be_stored(items: list[tuple[str, dict[str, Any]]], others: list[Any]) -> None:
    values = [{"event": name} | fields for name, fields in items] + others
    events = read(*values)
    check_events(events)
    assert len(events) == len(values)
    for event in events:
        assert read_bytes(event.raw or b"") == [event]


@given(st.binary() | st.binary().map(lambda content: b'[{"event":"' + content + b'"}]'))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableError):
        check_events(read_bytes(body))


def test_whatever_the_order_of_a_messages_events_the_outcome_is_the_same(connection: psycopg.Connection[TupleRow]) -> None:
    sent, other = message(lead_id="ada"), message(lead_id="bob")
    start = int(MONDAY.timestamp())

    def item(minutes: float, name: str, *, named: bool = True, of: Any = sent, **fields: Any) -> dict[str, Any]:
        mail = "mail-a" if of is sent else "mail-b"
        usual = {
            "event": name,
            "timestamp": int(start + minutes * 60),
            "email": "x@example.com",
            "sg_event_id": f"{mail} {name} {minutes} {fields.get('url')}",
            "sg_message_id": f"{mail}.recvd-1.0",
        }
        return usual | ({"outcome_id": str(of.id)} if named else {}) | fields

    items = [
        item(1, "processed", **{"smtp-id": "<mail-a@ismtpd1>"}),
        item(2, "delivered", **{"smtp-id": "<mail-a@ismtpd1>"}),
        item(2, "delivered", **{"smtp-id": "<mail-a@ismtpd1>"}, sg_event_id="the id changed on the way"),
        item(3, "open", sg_machine_open=True),
        item(4, "open", named=False),
        item(5, "click", named=False, url="https://example.com/a"),
        item(5, "click", named=False, url="https://example.com/b"),
        item(6, "unsubscribe"),
        item(2, "bounce", of=other, type="blocked", reason="full"),
        item(9, "bounce", of=other, type="bounce", reason="550 unknown"),
    ]
    reply = (
        b'--b\r\nContent-Disposition: form-data; name="headers"\r\n\r\nMessage-ID: <r@x>\nIn-Reply-To: <mail-a@ismtpd1>\nFrom: x@example.com\n'
        b'Date: Mon, 5 Jan 2026 10:00:00 +0000\r\n--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nYes!\r\n--b--\r\n'
    )
    events = read(*items) + sendgrid_inbound.read(received(reply), connected(Provider.SENDGRID_INBOUND))
    first, *rest = rows_of_permutations(connection, [sent, other], events)
    assert all(rows == first for rows in rest)
    send(connection, [sent, other])
    record(connection, events)
    row = row_of(connection, sent.id)
    assert (row["delivered"], row["open_count"], row["machine_open_count"], row["click_count"], row["unsubscribed"]) == (
        True,
        1,
        1,
        2,
        True,
    )
    assert (row["replied"], row["reply_text"]) == (True, "Yes!")
    row = row_of(connection, other.id)
    assert (row["delivered"], row["bounced"], row["bounce_reason"]) == (False, True, "550 unknown")
