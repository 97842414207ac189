"""Group commit: requests that wait share a transaction, and an answer is given after it. One that the database refuses fails alone.

Each lane is a database connection of its own. It takes whatever waits, so nobody waits for company: with one sender each request is
a transaction, with many the commits are shared.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import Recorded, events_bytes

_LOG = logging.getLogger(__name__)
_RETRIED = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable)
_RETRIES = 10
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
_AsyncConnection = psycopg.AsyncConnection[TupleRow]


class AwayError(Exception):
    """The database can't be reached, or too much waits for it; the sender should come again."""


@dataclass(eq=False)
class _Submission:
    events: Sequence[OutcomeEvent]
    content: bytes
    done: asyncio.Future[None]
    since: float = field(default_factory=monotonic)


@dataclass
class Counts:
    """What was committed since the start."""

    transactions: int = 0
    recorded: int = 0
    repeated: int = 0
    unmatched: int = 0
    unstorable: int = 0


class Committer:
    """Writes events. `group` is the most events of one transaction (1: no sharing), `limit` how many may wait."""

    def __init__(self, url: str, *, lanes: int = 2, group: int = 1_000, limit: int = 100_000) -> None:
        self._url, self._group, self._limit = url, group, limit
        self._waiting: deque[_Submission] = deque()
        self._events_waiting = 0
        self._work = asyncio.Event()
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(lanes)]
        self._closing = False
        self.counts = Counts()
        self.on_group: Callable[[int, float], None] = lambda events, seconds: None

    async def commit(self, events: Sequence[OutcomeEvent]) -> None:
        """Returns when the events are in the ledger for good. Raises AwayError when that isn't possible now."""
        if not events:
            return
        if self._closing or self._events_waiting + len(events) > self._limit:
            raise AwayError("too much waits for the database")
        submission = _Submission(events, events_bytes(events)[1:-1], asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        self._events_waiting += len(events)
        self._work.set()
        await submission.done

    async def close(self) -> None:
        """Write what was accepted, then end."""
        self._closing = True
        self._work.set()
        await asyncio.gather(*self._lanes)

    @property
    def waiting_seconds(self) -> float:
        """How long the oldest of the waiting requests waits."""
        return monotonic() - self._waiting[0].since if self._waiting else 0.0

    async def _lane(self) -> None:
        connection: _AsyncConnection | None = None
        while True:
            while not self._waiting:
                if self._closing:
                    if connection is not None:
                        await connection.close()
                    return
                self._work.clear()
                await self._work.wait()
            taken = self._take()
            begun = monotonic()
            try:
                if connection is None or connection.closed:
                    connection = await psycopg.AsyncConnection.connect(
                        self._url, autocommit=True, connect_timeout=3, application_name="flywheel ingester"
                    )
                await self._write(connection, taken)
            except _AWAY as error:
                _LOG.warning("the database is away: %s", type(error).__name__)
                for submission in taken:
                    _fail(submission, AwayError("the database is away"))
                if connection is not None:
                    await connection.close()
                    connection = None
            except Exception as error:  # a lane outlives whatever happens to a request
                _LOG.exception("events could not be written: %s", type(error).__name__)
                for submission in taken:
                    _fail(submission, error)
            self.on_group(sum(len(submission.events) for submission in taken), monotonic() - begun)

    def _take(self) -> list[_Submission]:
        taken = [self._waiting.popleft()]
        size = len(taken[0].events)
        while self._waiting and size + len(self._waiting[0].events) <= self._group:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].events)
        self._events_waiting -= size
        return taken

    async def _write(self, connection: _AsyncConnection, taken: list[_Submission]) -> None:
        try:
            await self._record(connection, b",".join(submission.content for submission in taken))
        except _AWAY:
            raise
        except psycopg.Error as error:
            if len(taken) > 1:
                for submission in taken:
                    await self._write(connection, [submission])
                return
            _LOG.warning("a batch holds an event that can't be stored as it is: %s", error.sqlstate)
            await self._write_one_by_one(connection, taken[0].events)
        for submission in taken:
            if not submission.done.done():
                submission.done.set_result(None)

    async def _write_one_by_one(self, connection: _AsyncConnection, events: Sequence[OutcomeEvent]) -> None:
        async with connection.transaction():
            for event in events:
                try:
                    async with connection.transaction():
                        await self._record(connection, events_bytes([event])[1:-1])
                except _AWAY:
                    raise
                except psycopg.Error as error:
                    self.counts.unstorable += 1
                    await self._record(connection, events_bytes([_bare(event, error.sqlstate)])[1:-1])

    async def _record(self, connection: _AsyncConnection, content: bytes) -> None:
        sent = {"events": (b"[" + content + b"]").decode()}
        for attempt in range(_RETRIES):
            try:
                row = await (await connection.execute(statement("record_events"), sent)).fetchone()
                break
            except _RETRIED:
                if attempt == _RETRIES - 1 or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    raise
        assert row is not None
        done = Recorded(*row)
        self.counts.transactions += 1
        self.counts.recorded += done.recorded
        self.counts.repeated += done.repeated
        self.counts.unmatched += done.unmatched


def _bare(event: OutcomeEvent, sqlstate: str | None) -> OutcomeEvent:
    """What is kept of an event that the database refuses: its bytes, and that they were refused."""
    return OutcomeEvent(
        event_type=EventType.NOTED,
        occurred_at=event.occurred_at,
        source=event.source,
        organization_id=event.organization_id,
        facts={"kind": "unstorable", "was": event.event_type.value, "sqlstate": sqlstate},
        raw=event.raw,
        identity=str(event.event_key),
    )


def _fail(submission: _Submission, error: Exception) -> None:
    if not submission.done.done():
        submission.done.set_exception(error)
