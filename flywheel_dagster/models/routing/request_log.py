"""Writing down which models were asked, behind the answers: nobody waits for the database, and nothing fails because of it."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.models.routing.requests import ModelRequest

_LOG = logging.getLogger(__name__)
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
_AsyncConnection = psycopg.AsyncConnection[TupleRow]


@dataclass
class Counts:
    """What became of requests: `written`; `refused` by the database as they are; `lost` because it was away too long. `outages` are its own."""

    written: int = 0
    refused: int = 0
    lost: int = 0
    outages: int = 0


class RequestLog:
    """Writes rows of `model_requests` in groups, from a task of its own that the first request starts.

    Requests gather for `linger` seconds. While the database is away, which is counted and logged, it is tried every `retry` seconds; the newest
    `most` requests are kept, older ones are lost. `close` writes what waits, with one try.
    """

    def __init__(self, url: str, *, linger: float = 0.2, retry: float = 5, group: int = 1_000, most: int = 100_000) -> None:
        self._url, self._linger, self._retry, self._group, self._most = url, linger, retry, group, most
        self._waiting: deque[ModelRequest] = deque()
        self._taken: list[ModelRequest] = []
        self._work, self._closing = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._away = False
        self.counts = Counts()

    def record(self, request: ModelRequest) -> None:
        """Keep a request in memory until it is written. Called in an event loop; returns at once and never fails."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self.counts.lost += 1
        self._waiting.append(request)
        self._work.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def waiting(self) -> list[ModelRequest]:
        """The requests that may not be in the table yet, each once. Any thread may ask."""
        # In the order of their way: what goes on meanwhile is seen twice rather than never.
        return list({request.id: request for request in (*list(self._waiting), *self._taken)}.values())

    async def close(self) -> None:
        """Write what waits. What can't be written, because the database is away, is counted as lost and logged."""
        if self._task is None:
            return
        self._closing.set()
        self._work.set()
        await self._task
        self._task = None
        self._closing.clear()

    async def _run(self) -> None:
        connection: _AsyncConnection | None = None
        while True:
            await self._work.wait()
            await self._pass(self._linger)
            self._work.clear()
            while self._waiting or self._taken:
                self._taken = self._taken or [self._waiting.popleft() for _ in range(min(self._group, len(self._waiting)))]
                last_try, reused = self._closing.is_set(), connection is not None
                try:
                    connection = connection or await self._connect()
                    await self._write(connection, self._taken)
                except _AWAY as error:
                    if connection is not None:
                        await connection.close()
                        connection = None
                    if reused:  # it may have ended while nobody used it; a new one tells
                        continue
                    self._tell_outage(error)
                    if last_try:
                        self._give_up()
                    await self._pass(self._retry)
                    continue
                self._taken, self._away = [], False
            if self._closing.is_set():
                if connection is not None:
                    await connection.close()
                return

    async def _pass(self, seconds: float) -> None:
        """Let time pass, but not once it closes."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def _connect(self) -> _AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=3, application_name="flywheel router"
        )

    async def _write(self, connection: _AsyncConnection, requests: Sequence[ModelRequest]) -> None:
        """In one transaction; one by one where the database refuses one of them."""
        try:
            done = await connection.execute(statement("write_model_requests"), {"requests": as_json(requests)})
            self.counts.written += done.rowcount
        except _AWAY:
            raise
        except psycopg.Error as error:
            if len(requests) > 1:
                for request in requests:
                    await self._write(connection, [request])
                return
            self.counts.refused += 1
            _LOG.warning(
                "a model request can't be stored: %s (%s); is the database migrated?", error.diag.message_primary, error.sqlstate
            )

    def _tell_outage(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            self.counts.outages += 1
            _LOG.warning("model requests can't be written, they wait: the database is away (%s)", type(error).__name__)

    def _give_up(self) -> None:
        lost = len(self._waiting) + len(self._taken)
        self._waiting.clear()
        self._taken = []
        self.counts.lost += lost
        _LOG.warning("%d model requests are lost, for the database was away when their log closed", lost)


def as_json(requests: Sequence[ModelRequest]) -> str:
    """Rows of `model_requests` as a JSON array."""
    return json.dumps([vars(request) for request in requests], default=str)
