"""Which meetings were held. Nobody reports that, so it follows from a booking's end and from silence; a later report takes it back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, class_row

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record

SOURCE = "inferred"
_CHUNK = 1_000


@dataclass(frozen=True)
class _Standing:
    """A meeting whose latest report is a booking: a row of `held_meetings.sql`."""

    organization_id: str | None
    outcome_id: UUID | None
    names_outcome: bool
    refs: list[str] | None
    mentions: list[str] | None
    meeting_id: str | None
    meeting_at: str | None
    meeting_ends_at: str
    booked_at: datetime


def infer_completed(connection: psycopg.Connection[TupleRow], *, now: datetime, grace: timedelta = timedelta(minutes=30)) -> int:
    """Record a meeting_completed for each booking whose end was `grace` or more ago and that still stands; returns how many were new.

    In the caller's transaction, and once however often it runs. A booking that was moved is judged by its newest time, and again
    when that comes after its completion. A no-show or a cancellation that is reported with a later time than the end takes it back.
    """
    with connection.cursor(row_factory=class_row(_Standing)) as cursor:
        standing = cursor.execute(statement("held_meetings")).fetchall()
    over = [(meeting, end) for meeting in standing if (end := _moment(meeting.meeting_ends_at)) is not None and end <= now - grace]
    completed = [_completed(meeting, end) for meeting, end in over]
    return sum(record(connection, completed[start : start + _CHUNK]).recorded for start in range(0, len(completed), _CHUNK))


def _completed(meeting: _Standing, end: datetime) -> OutcomeEvent:
    """Linked like the booking: by the outcome that a booking named, else by what it is about. Never by the lead, who may have been sent
    other messages since."""
    named = meeting.outcome_id if meeting.names_outcome or not meeting.refs else None
    facts = {"meeting_id": meeting.meeting_id, "meeting_at": meeting.meeting_at, "meeting_ends_at": meeting.meeting_ends_at}
    about = meeting.refs[0] if meeting.refs and named is None else meeting.meeting_id
    return OutcomeEvent(
        event_type=EventType.MEETING_COMPLETED,
        occurred_at=max(end, meeting.booked_at),
        source=SOURCE,
        organization_id=meeting.organization_id,
        outcome_id=named,
        facts={name: value for name, value in facts.items() if value is not None},
        references=tuple(meeting.refs or ()),
        mentions=tuple(meeting.mentions or ()),
        identity=f"{about}|{named}|{end.astimezone(UTC).isoformat()}|{meeting.booked_at.astimezone(UTC).isoformat()}",
    )


def _moment(told: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(told)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
