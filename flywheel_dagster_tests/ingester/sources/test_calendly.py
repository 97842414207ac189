"""Calendly's webhooks: bookings, cancellations, reschedules and no-shows, in whatever order they come."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import calendly
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.held_meetings import infer_completed
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_calendly import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import (
    ANYTHING,
    ARRIVAL,
    check_events,
    connected,
    objects_with,
    received,
    rows_of_permutations,
)
from flywheel_dagster_tests.outcomes.making import MONDAY, facts_of, message
from flywheel_dagster_tests.thoroughness import examples

CONNECTION = connected(Provider.CALENDLY)
OURS = Path(__file__).parents[2] / "samples"


def uri(name: str) -> str:
    return f"https://api.calendly.com/scheduled_events/E{name}/invitees/{name}"


def webhook(event: str, created_at: str | None, name: str, *, day: int = 8, utm: object = None, **said: Any) -> bytes:
    """A webhook about invitee `name`, whose meeting is on that day of January 2026, from ten to half past."""
    payload = {
        "uri": uri(name),
        "email": "Ada@Example.com",
        "old_invitee": None,
        "new_invitee": None,
        "rescheduled": False,
        "tracking": {"utm_content": utm, "utm_source": None},
        "scheduled_event": {"start_time": f"2026-01-{day:02}T10:00:00.000000Z", "end_time": f"2026-01-{day:02}T10:30:00.000000Z"},
        **said,
    }
    return json.dumps({"event": event, "created_at": created_at, "created_by": "u", "payload": payload}).encode()


def read(body: bytes) -> list[OutcomeEvent]:
    return calendly.read(received(body), CONNECTION)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if not name.endswith("malformed_headers.json")])
def test_a_sample_says_what_the_vendor_means_by_it(shared: Path, name: str) -> None:
    path = shared / "samples" / name
    if name.endswith(".sig.json"):
        path = shared / "samples" / json.loads(path.read_text())["body_file"]
    events = read(path.read_bytes())
    check_events(events)
    if EXPECTED[name].status == 200:
        assert told(events, EXPECTED[name]) == EXPECTED[name].events


def test_a_booking_is_known_by_its_invitee_and_linked_by_the_booking_link() -> None:
    outcome = uuid4()
    (event,) = read(webhook("invitee.created", "2026-01-06T09:00:00.000000Z", "A", utm=str(outcome)))
    assert (event.event_type, event.outcome_id, event.lead_email) == ("meeting_booked", outcome, "ada@example.com")
    assert event.references == (f"meeting:calendly:{uri('A')}",)
    assert event.facts == {
        "meeting_id": uri("A"),
        "meeting_at": "2026-01-08T10:00:00+00:00",
        "meeting_ends_at": "2026-01-08T10:30:00+00:00",
    }
    assert event.occurred_at.isoformat() == "2026-01-06T09:00:00+00:00"


def test_the_published_payload_is_read() -> None:
    name = "calendly/calendlyr_objects_webhooks_payload.json"
    assert told(read((OURS / name).read_bytes()), EXPECTED[name]) == EXPECTED[name].events


def test_a_utm_content_of_somebody_elses_is_no_outcome() -> None:
    for other in ("newsletter", "", 7, None, []):
        (event,) = read(webhook("invitee.created", "2026-01-06T09:00:00Z", "A", utm=other))
        assert event.outcome_id is None


def test_a_reschedule_cancels_the_old_meeting_and_books_the_new_one() -> None:
    cancelled, booked = read(webhook("invitee.canceled", "2026-01-07T09:00:00Z", "A", rescheduled=True, new_invitee=uri("B")))
    assert (cancelled.event_type, cancelled.facts["meeting_id"]) == ("meeting_cancelled", uri("A"))
    assert (booked.event_type, booked.facts) == ("meeting_booked", {"meeting_id": uri("B")})
    assert set(cancelled.references) == set(booked.references) == {f"meeting:calendly:{uri('A')}", f"meeting:calendly:{uri('B')}"}
    assert (cancelled.references[0], booked.references[0]) == (f"meeting:calendly:{uri('A')}", f"meeting:calendly:{uri('B')}")
    (new,) = read(webhook("invitee.created", "2026-01-07T09:00:00Z", "B", old_invitee=uri("A")))
    assert new.references == (f"meeting:calendly:{uri('B')}", f"meeting:calendly:{uri('A')}")


def test_a_cancellation_that_names_no_new_invitee_is_only_that() -> None:
    (event,) = read(webhook("invitee.canceled", "2026-01-07T09:00:00Z", "A", rescheduled=True))
    assert event.event_type == "meeting_cancelled"


@pytest.mark.parametrize(("event", "kind"), [("created", "meeting_no_show"), ("deleted", "meeting_completed")])
def test_a_no_show_is_about_the_invitee_whether_it_comes_whole_or_as_a_uri(event: str, kind: str) -> None:
    body = webhook(
        f"invitee_no_show.{event}", "2026-01-08T11:00:00Z", "A", no_show={"uri": "n", "created_at": "2026-01-08T11:00:00Z"}
    )
    (whole,) = read(body)
    resource = {"uri": "https://api.calendly.com/invitee_no_shows/1", "invitee": uri("A"), "created_at": "2026-01-08T11:00:00Z"}
    (bare,) = read(
        json.dumps({"event": f"invitee_no_show.{event}", "created_at": "2026-01-08T11:00:00Z", "payload": resource}).encode()
    )
    for found in (whole, bare):
        assert (found.event_type, found.facts["meeting_id"], found.references) == (
            kind,
            uri("A"),
            (f"meeting:calendly:{uri('A')}",),
        )


def test_a_routing_form_is_noted_with_the_booking_it_led_to() -> None:
    payload = {
        "uri": "https://api.calendly.com/routing_form_submissions/1",
        "submitter": uri("A"),
        "tracking": {"utm_content": None},
    }
    (event,) = read(json.dumps({"event": "routing_form_submission.created", "created_at": "x", "payload": payload}).encode())
    assert (event.event_type, event.facts, event.references) == (
        "noted",
        {"kind": "routing_form_submission.created"},
        (f"meeting:calendly:{uri('A')}",),
    )
    assert event.occurred_at == ARRIVAL


def test_a_delivery_that_is_repeated_is_the_same_event_and_two_events_are_two() -> None:
    first = webhook("invitee.created", "2026-01-06T09:00:00Z", "A")
    assert [event.event_key for event in read(first)] == [event.event_key for event in read(first + b"\n")]
    others = [
        webhook("invitee.created", "2026-01-06T09:00:00Z", "B"),
        webhook("invitee.canceled", "2026-01-06T09:00:00Z", "A"),
        webhook("invitee_no_show.created", "2026-01-06T09:00:00Z", "A"),
        webhook("invitee_no_show.created", "2026-01-06T09:05:00Z", "A"),
    ]
    assert len({event.event_key for body in [first, *others] for event in read(body)}) == 5


@pytest.mark.parametrize("body", [b"", b"hello", b"7", b"[]x", b"<x/>", b'["a"]'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(body)


@settings(max_examples=examples(60, quick=20), deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_or_refused(body: bytes) -> None:
    for each in (body, b"{" + body + b"}"):
        with suppress(UnreadableError):
            check_events(read(each))


@settings(max_examples=examples(120, quick=40), deadline=None)
@given(
    event=st.sampled_from(["invitee.created", "invitee.canceled", "invitee_no_show.created", "routing_form_submission.created"])
    | ANYTHING,
    created_at=ANYTHING,
    payload=objects_with(
        "uri", "email", "invitee", "new_invitee", "old_invitee", "tracking", "scheduled_event", "no_show", "submitter"
    )
    | ANYTHING,
    inner=objects_with("uri", "uuid", "created_at", "start_time", "end_time", "utm_content", "email"),
)
def test_arbitrary_json_of_the_shape_gives_events_that_can_be_stored(event: Any, created_at: Any, payload: Any, inner: Any) -> None:
    if isinstance(payload, dict):
        payload = {name: inner if name in ("tracking", "scheduled_event") else value for name, value in payload.items()}
    events = read(json.dumps({"event": event, "created_at": created_at, "payload": payload}).encode())
    assert 1 <= len(events) <= 2
    check_events(events)


STORIES = {
    "moved twice and held": (
        [
            ("invitee.created", "2026-01-06T09:00:00Z", "A", {"day": 8}),
            ("invitee.canceled", "2026-01-06T10:00:00Z", "A", {"rescheduled": True, "new_invitee": uri("B")}),
            ("invitee.created", "2026-01-06T10:00:00Z", "B", {"day": 9, "old_invitee": uri("A")}),
            (
                "invitee.canceled",
                "2026-01-06T11:00:00Z",
                "B",
                {"rescheduled": True, "old_invitee": uri("A"), "new_invitee": uri("C")},
            ),
            ("invitee.created", "2026-01-06T11:00:00Z", "C", {"day": 12, "old_invitee": uri("B")}),
        ],
        (True, False, False),
    ),
    "missed, then said to be held after all": (
        [
            ("invitee.created", "2026-01-06T09:00:00Z", "A", {}),
            ("invitee_no_show.created", "2026-01-08T10:10:00Z", "A", {}),
            ("invitee_no_show.deleted", "2026-01-08T10:40:00Z", "A", {}),
        ],
        (True, True, False),
    ),
    "missed": (
        [("invitee.created", "2026-01-06T09:00:00Z", "A", {}), ("invitee_no_show.created", "2026-01-08T10:10:00Z", "A", {})],
        (True, False, True),
    ),
    "moved and then cancelled": (
        [
            ("invitee.created", "2026-01-06T09:00:00Z", "A", {}),
            ("invitee.canceled", "2026-01-06T10:00:00Z", "A", {"rescheduled": True, "new_invitee": uri("B")}),
            ("invitee.created", "2026-01-06T10:00:00Z", "B", {"old_invitee": uri("A")}),
            ("invitee.canceled", "2026-01-07T10:00:00Z", "B", {"old_invitee": uri("A")}),
        ],
        (False, False, False),
    ),
    "moved, and the new booking's webhook was lost": (
        [
            ("invitee.created", "2026-01-06T09:00:00Z", "A", {}),
            ("invitee.canceled", "2026-01-06T10:00:00Z", "A", {"rescheduled": True, "new_invitee": uri("B")}),
        ],
        (True, False, False),
    ),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("carried", [True, False], ids=["every webhook names the outcome", "only those of the first booking do"])
def test_a_story_gives_the_same_row_whichever_order_it_arrives_in(
    connection: psycopg.Connection[TupleRow], story: str, carried: bool
) -> None:
    sent = message(sent_at=MONDAY)
    steps, expected = STORIES[story]
    events = [
        event
        for name, at, invitee, said in steps
        for event in read(webhook(name, at, invitee, utm=str(sent.id) if carried or invitee == "A" else None, **said))
    ]
    rows = rows_of_permutations(connection, [sent], events)
    assert all(row == rows[0] for row in rows)
    (row,) = rows[0]
    assert (row["meeting_booked"], row["meeting_completed"], row["meeting_no_show"]) == expected
    assert row["event_count"] == len(events)
    assert all(event.event_type is not EventType.NOTED for event in events)


def test_a_moved_meeting_is_held_at_its_new_time_and_a_late_no_show_takes_that_back(
    connection: psycopg.Connection[TupleRow],
) -> None:
    sent = message(sent_at=MONDAY)
    send(connection, [sent])
    steps, _ = STORIES["moved twice and held"]
    for name, at, invitee, said in steps:
        record(connection, read(webhook(name, at, invitee, utm=str(sent.id) if invitee == "A" else None, **said)))
    held = datetime(2026, 1, 12, 10, 30, tzinfo=UTC)
    assert infer_completed(connection, now=held) == 0
    assert [infer_completed(connection, now=held + timedelta(hours=1)) for _ in range(2)] == [1, 0]
    assert facts_of(connection, sent.id)["meeting_completed_at"] == held
    record(connection, read(webhook("invitee_no_show.created", "2026-01-12T15:00:00Z", "C", old_invitee=uri("B"))))
    row = facts_of(connection, sent.id)
    assert (row["meeting_booked"], row["meeting_completed"], row["meeting_no_show"]) == (True, False, True)
