"""Writes to the ledger and its projection. The work is done by `record_events` and `fold_outcomes` in `sql/`; here is how to call them."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.erased import erased_refused
from flywheel_dagster.outcomes.events import OutcomeEvent, json_bytes
from flywheel_dagster.outcomes.messages import SentMessage


@dataclass(frozen=True)
class Recorded:
    """How a batch was taken: `recorded` new events, `repeated` ones that were known, and how many of the new ones found no outcome.

    `dropped` events weren't stored: they are about leads who were erased.
    """

    recorded: int
    repeated: int
    unmatched: int
    dropped: int = 0


def record(connection: psycopg.Connection[TupleRow], events: Iterable[OutcomeEvent]) -> Recorded:
    """Write events and fold them, in the caller's transaction. Any order and any repetition give the same rows."""
    row = connection.execute(statement("record_events"), {"events": events_json(events)}).fetchone()
    assert row is not None
    return Recorded(*row)


def send(connection: psycopg.Connection[TupleRow], messages: Iterable[SentMessage]) -> int:
    """Write sent messages; returns how many were new. Events that waited for them are folded at once.

    Raises InputError when a lead among them was erased; then none is written.
    """
    with erased_refused():
        return connection.execute(
            statement("insert_outcomes"), {"messages": messages_json(messages), "icp_from_lead_scores": False}
        ).rowcount


def rebuild(
    connection: psycopg.Connection[TupleRow], *, organization_id: str | None = None, chunk: int = 5_000
) -> Iterator[tuple[int, int]]:
    """Recompute `outcome_labels` from the ledger, a chunk a transaction; rows without events stay as they are.

    Yields (rows read, rows that differed) after each chunk; in step with the ledger, the second number is 0.
    """
    after: UUID | None = None
    while True:
        with connection.transaction():
            found = connection.execute(
                statement("outcomes_with_events"), {"after": after, "organization_id": organization_id, "limit": chunk}
            ).fetchall()
            if not found:
                return
            ids = [row[0] for row in found]
            changed = connection.execute("select fold_outcomes(%s)", (ids,)).fetchone()
            assert changed is not None
        after = ids[-1]
        yield len(ids), int(changed[0])


def events_json(events: Iterable[OutcomeEvent]) -> str:
    """The argument of `record_events`."""
    return events_bytes(events).decode()


def events_bytes(events: Iterable[OutcomeEvent]) -> bytes:
    """The same as UTF-8. What an event doesn't say isn't written."""
    return json_bytes([_stored(event) for event in events])


def _stored(event: OutcomeEvent) -> dict[str, Any]:
    values = {
        "event_key": event.event_key,
        "alias_key": event.alias_key,
        "organization_id": event.organization_id,
        "outcome_id": event.outcome_id,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at,
        "source": event.source,
        "source_event_id": event.source_event_id,
        "facts": event.facts or None,
        "raw": None if event.raw is None else base64.b64encode(event.raw).decode(),
        "refs": [_indexable(name) for name in event.references] or None,
        "mentions": [_indexable(name) for name in event.mentions] or None,
        "lead_id": event.lead_id,
        "lead_email": event.lead_email,
    }
    return {name: value for name, value in values.items() if value is not None}


def _indexable(name: str) -> str:
    """A name that an index takes: of one that is very long, its digest (an index row ends at 2,704 bytes)."""
    return name if len(name) <= 200 else f"{name[:100]}#{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"


def messages_json(messages: Iterable[SentMessage]) -> str:
    """The argument of `insert_outcomes`."""
    return json_bytes([msgspec.structs.asdict(message) for message in messages]).decode()
