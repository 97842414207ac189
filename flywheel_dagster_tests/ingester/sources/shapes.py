"""Makes requests, connections and arbitrary JSON for the tests of the sources."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import events_bytes, record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster_tests.outcomes.making import facts_of

ARRIVAL = datetime(2026, 11, 20, 12, tzinfo=UTC)

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**20, 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        [
            "2026-11-20T09:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "1e-99999",
            "1e99999",
            "-0",
            "NaN",
            "6f2c9a1e-5b7d-4c3e-9f10-2a3b4c5d6e7f",
            "a@b",
            "\0",
            "x" * 600,
        ]
    ),
)
ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


def objects_with(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which any of these fields hold anything."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=6), ANYTHING, max_size=8)


def received(body: bytes, *, at: datetime = ARRIVAL, target: str = "/", **headers: str) -> Received:
    """A request; header names with _ for -."""
    return Received(body=body, at=at, target=target, headers={name.replace("_", "-"): value for name, value in headers.items()})


def connected(provider: Provider, *, secrets: dict[str, tuple[str, ...]] | None = None, **settings: Any) -> Connection:
    """A connection of organisation acme."""
    return Connection(id="c", provider=provider, organization_id="acme", secrets=secrets or {}, settings=settings)


def check_events(events: Iterable[OutcomeEvent]) -> None:
    """What must hold of all events: they can be stored, belong to the organisation and keep bytes."""
    found = list(events)
    assert events_bytes(found)
    for event in found:
        assert event.organization_id == "acme"
        assert event.raw
        assert event.identity
        assert all(len(name) <= 700 for name in (*event.references, *event.mentions))
        assert event.occurred_at.year >= 2000


def rows_of_permutations(
    connection: psycopg.Connection[TupleRow], sent: list[SentMessage], events: list[OutcomeEvent], *, times: int = 8
) -> list[list[dict[str, Any]]]:
    """The outcomes' rows after each of several random orders with repetitions, messages among them; each order starts from nothing."""
    rows = []
    for seed in range(times):
        order = random.Random(seed)
        steps: list[OutcomeEvent | SentMessage] = [*events, *order.sample(events, k=len(events) // 2), *sent]
        order.shuffle(steps)
        if seed == 0:
            steps = [*sent, *events]
        with connection.transaction(force_rollback=True):
            for step in steps:
                if isinstance(step, SentMessage):
                    send(connection, [step])
                else:
                    record(connection, [step])
            rows.append([facts_of(connection, message.id) for message in sent])
    return rows
