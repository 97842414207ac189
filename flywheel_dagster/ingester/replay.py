"""Reads payloads of the ledger again, with today's adapters and settings, for support: after a mapping was corrected, say."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.ingester.connections import from_environment, read_rows, without_proof
from flywheel_dagster.ingester.doors import DOORS
from flywheel_dagster.ingester.received import Connection, Provider, Received, UnreadableError
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.settings import Settings

_CHUNK = 500


def replay(
    connection: psycopg.Connection[TupleRow],
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    source: str | None = None,
    organization_id: str | None = None,
) -> Iterator[tuple[int, int]]:
    """Record what payloads received in [since, until) say today; yields (payloads read, events that were new) for each chunk committed.

    A payload is read through its organisation's connection in force. The ledger only grows: an event that was read differently then stays.
    """
    in_force = [*from_environment(settings), *read_rows(connection.execute(statement("connections_in_force")).fetchall())]
    after = 0
    while True:
        given = {
            "after": after, "since": since, "until": until, "source": source, "organization_id": organization_id, "limit": _CHUNK,
        }  # fmt: skip
        with connection.transaction():
            last = connection.execute(statement("last_of_stored_payloads"), given).fetchone()
            if last is None or last[0] is None:
                return
            rows = connection.execute(statement("stored_payloads"), given).fetchall()
            events = [event for row in rows for event in _read(row, in_force, settings)]
            new = record(connection, events).recorded
        after = last[0]
        yield len(rows), new


def _read(row: TupleRow, in_force: list[Connection], settings: Settings) -> list[OutcomeEvent]:
    organization, source, raw, received_at = row
    provider = Provider.GENERIC if source == "crm" else Provider(source) if source in list(Provider) else None
    if provider is None:  # the tracker's and imports' events have no payload of a provider
        return []
    through = next(
        (one for one in in_force if one.provider == provider and one.organization_id == organization),
        without_proof(provider, settings),
    )
    bound = Connection(id=through.id, provider=provider, organization_id=organization, settings=through.settings)
    try:
        return DOORS[provider].read(Received(body=bytes(raw), at=received_at), bound)
    except UnreadableError:
        return []
