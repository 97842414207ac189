"""Makes messages and events for tests, with the usual parts filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.messages import SentMessage

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)

# What a rebuild or another order of events may change: nothing but these.
BOOKKEEPING = {"created_at", "updated_at", "changed_xid", "id", "lead_id"}


def message(**given: Any) -> SentMessage:
    """A message of organisation acme, sent on a Monday."""
    usual = {
        "organization_id": "acme",
        "campaign_id": "spring",
        "lead_id": "ada",
        "channel": "email",
        "message_body": "Hello",
        "sent_at": MONDAY,
    }
    return SentMessage(**(usual | given))


def event(
    outcome: UUID, kind: str, day: float = 1, *, source: str = "test", organization: str | None = None, **facts: Any
) -> OutcomeEvent:
    """An event so many days after MONDAY."""
    return OutcomeEvent(
        event_type=EventType(kind),
        occurred_at=MONDAY + timedelta(days=day),
        source=source,
        outcome_id=outcome,
        organization_id=organization,
        facts=facts,
    )


def row_of(connection: psycopg.Connection[TupleRow], outcome: UUID) -> dict[str, Any]:
    """The outcome's row."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from outcome_labels where id = %s", (outcome,)).fetchone()
    assert row is not None
    return row


def facts_of(connection: psycopg.Connection[TupleRow], outcome: UUID) -> dict[str, Any]:
    """The row without its bookkeeping, to compare."""
    return {name: value for name, value in row_of(connection, outcome).items() if name not in BOOKKEEPING}
