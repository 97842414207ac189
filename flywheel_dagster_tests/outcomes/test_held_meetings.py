"""A meeting that ended and of which nobody said otherwise was held: once, until somebody says otherwise."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.held_meetings import infer_completed
from flywheel_dagster.outcomes.ledger import rebuild, record, send
from flywheel_dagster_tests.outcomes.making import MONDAY, message, row_of

Connection = psycopg.Connection[TupleRow]
HOUR = timedelta(hours=1)
END = MONDAY + 2 * timedelta(days=1)
LATER = END + HOUR


def meeting(
    kind: str = "meeting_booked",
    outcome: UUID | None = None,
    *,
    day: float = 1,
    ends: Any = END,
    meeting_id: str | None = "m1",
    references: tuple[str, ...] | None = None,
    **more: Any,
) -> OutcomeEvent:
    """A report about a meeting of organisation acme; a booking says when it ends."""
    facts: dict[str, Any] = {} if meeting_id is None else {"meeting_id": meeting_id}
    if kind == "meeting_booked" and ends is not None:
        told = ends if isinstance(ends, str) else ends.isoformat()
        facts |= {"meeting_at": MONDAY.isoformat(), "meeting_ends_at": told}
    return OutcomeEvent(
        event_type=EventType(kind),
        occurred_at=MONDAY + timedelta(days=day),
        source="calendly",
        organization_id="acme",
        outcome_id=outcome,
        facts=facts,
        references=(f"meeting:calendly:{meeting_id}",) if references is None else references,
        **more,
    )


def state(connection: Connection, outcome: UUID) -> tuple[bool, bool, bool]:
    row = row_of(connection, outcome)
    return row["meeting_booked"], row["meeting_completed"], row["meeting_no_show"]


def test_a_meeting_was_held_half_an_hour_after_its_end_and_not_before(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id)])
    assert infer_completed(connection, now=END + timedelta(minutes=29)) == 0
    assert infer_completed(connection, now=END + timedelta(minutes=29), grace=timedelta(minutes=10)) == 1
    row = row_of(connection, sent.id)
    assert (row["meeting_completed"], row["meeting_completed_at"]) == (True, END)


def test_it_is_recorded_once_however_often_it_runs(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id)])
    assert [infer_completed(connection, now=LATER + n * HOUR) for n in range(3)] == [1, 0, 0]
    assert connection.execute(
        "select source, organization_id from webhook_events where event_type = 'meeting_completed'"
    ).fetchall() == [("inferred", "acme")]
    assert sum(changed for _, changed in rebuild(connection)) == 0


def test_a_no_show_that_is_reported_later_takes_it_back_for_good(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id)])
    assert infer_completed(connection, now=LATER) == 1
    record(connection, [meeting("meeting_no_show", day=2.2)])
    assert state(connection, sent.id) == (True, False, True)
    assert infer_completed(connection, now=LATER + 24 * HOUR) == 0
    assert state(connection, sent.id) == (True, False, True)


@pytest.mark.parametrize("kind", ["meeting_cancelled", "meeting_no_show", "meeting_completed"])
def test_a_meeting_that_somebody_reported_on_is_left_alone(connection: Connection, kind: str) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id), meeting(kind, sent.id, day=1.5)])
    assert infer_completed(connection, now=LATER) == 0


def test_a_report_that_came_before_the_latest_booking_does_not_count(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection, [meeting(outcome=sent.id), meeting("meeting_cancelled", sent.id, day=1.2), meeting(outcome=sent.id, day=1.4)]
    )
    assert infer_completed(connection, now=LATER) == 1
    assert state(connection, sent.id) == (True, True, False)


def test_a_booking_that_was_moved_is_judged_by_its_newest_time(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    moved = END + 24 * HOUR
    record(connection, [meeting(outcome=sent.id), meeting(outcome=sent.id, day=1.5, ends=moved)])
    assert infer_completed(connection, now=LATER) == 0
    assert infer_completed(connection, now=moved + HOUR) == 1
    assert row_of(connection, sent.id)["meeting_completed_at"] == moved


def test_a_booking_that_says_no_time_does_not_hide_the_one_that_does_and_one_without_an_end_is_not_judged(
    connection: Connection,
) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id), meeting(outcome=sent.id, day=1.5, ends=None)])
    assert infer_completed(connection, now=LATER) == 1
    record(
        connection,
        [meeting(outcome=sent.id, meeting_id="m2", ends=None), meeting(outcome=sent.id, meeting_id="m3", ends="at five")],
    )
    record(connection, [meeting(outcome=sent.id, meeting_id="m4", ends="9999-12-31T23:59:59+00:00")])
    assert infer_completed(connection, now=LATER + 999 * HOUR) == 0


def test_a_meeting_that_is_booked_anew_after_it_was_held_is_judged_anew(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [meeting(outcome=sent.id)])
    assert infer_completed(connection, now=LATER) == 1
    record(connection, [meeting(outcome=sent.id, day=3, ends=END + 48 * HOUR)])
    assert state(connection, sent.id) == (True, False, False)
    assert [infer_completed(connection, now=END + hours * HOUR) for hours in (24, 49, 50)] == [0, 1, 0]
    record(connection, [meeting(outcome=sent.id, day=6)])  # an edit afterwards, with the time of the first booking
    assert [infer_completed(connection, now=END + 200 * HOUR) for _ in range(2)] == [1, 0]
    assert state(connection, sent.id) == (True, True, False)


def test_a_booking_that_has_found_no_outcome_yet_takes_its_completion_along(connection: Connection) -> None:
    sent = message()
    record(connection, [meeting()])
    assert [infer_completed(connection, now=LATER) for _ in range(2)] == [1, 0]
    send(connection, [sent])
    record(connection, [meeting("meeting_booked", sent.id, day=0.9, ends=None)])  # claims the meeting
    assert state(connection, sent.id) == (True, True, False)
    assert infer_completed(connection, now=LATER + HOUR) == 0


def test_a_booking_whose_outcome_is_not_known_yet_takes_its_completion_along(connection: Connection) -> None:
    sent = message()
    record(connection, [meeting(outcome=sent.id)])
    assert infer_completed(connection, now=LATER) == 1
    send(connection, [sent])
    assert state(connection, sent.id) == (True, True, False)


def test_a_booking_that_was_linked_by_its_lead_stays_linked_though_more_was_sent_before_the_meeting(connection: Connection) -> None:
    connection.execute("insert into organizations (id) values ('acme')")
    connection.execute("insert into leads (organization_id, lead_id, email) values ('acme', 'ada', 'ada@example.com')")
    sent, next_one = message(), message(sent_at=MONDAY + timedelta(days=1.5))
    send(connection, [sent])
    record(connection, [meeting(lead_email="ada@example.com")])
    send(connection, [next_one])
    assert infer_completed(connection, now=LATER) == 1
    assert state(connection, sent.id) == (True, True, False)
    assert row_of(connection, next_one.id)["event_count"] == 0


def test_a_booking_without_references_completes_the_outcome_it_was_linked_to(connection: Connection) -> None:
    connection.execute("insert into organizations (id) values ('acme')")
    connection.execute("insert into leads (organization_id, lead_id, email) values ('acme', 'ada', 'ada@example.com')")
    sent = message()
    record(connection, [meeting(lead_email="ada@example.com", references=(), meeting_id=None)])
    assert infer_completed(connection, now=LATER) == 0, "nothing could ever link it"
    send(connection, [sent])
    assert [infer_completed(connection, now=LATER) for _ in range(2)] == [1, 0]
    assert state(connection, sent.id) == (True, True, False)


def test_a_meeting_of_two_leads_is_held_for_both_and_a_no_show_of_one_is_only_theirs(connection: Connection) -> None:
    both = [message(), message(lead_id="bob")]
    send(connection, both)
    record(connection, [meeting(outcome=sent.id) for sent in both])
    record(connection, [meeting("meeting_no_show", both[1].id, day=2.01)])
    assert [infer_completed(connection, now=LATER) for _ in range(2)] == [1, 0]
    assert [state(connection, sent.id) for sent in both] == [(True, True, False), (True, False, True)]


def test_a_cancellation_that_found_no_outcome_still_speaks_for_the_meeting(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection,
        [meeting(outcome=sent.id, references=()), meeting("meeting_cancelled", day=1.5, references=("meeting:elsewhere:m1",))],
    )
    assert infer_completed(connection, now=LATER) == 0


def test_another_organizations_meeting_of_the_same_id_is_another_meeting(connection: Connection) -> None:
    sent, theirs = message(), message(organization_id="rival")
    send(connection, [sent, theirs])
    elsewhere = OutcomeEvent(
        event_type=EventType.MEETING_CANCELLED,
        occurred_at=MONDAY + timedelta(days=1.5),
        source="calendly",
        organization_id="rival",
        outcome_id=theirs.id,
        facts={"meeting_id": "m1"},
    )
    record(connection, [meeting(outcome=sent.id), elsewhere])
    assert infer_completed(connection, now=LATER) == 1
    assert state(connection, theirs.id) == (False, False, False)
