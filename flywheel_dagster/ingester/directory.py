"""The connections in force, read again every few seconds, so that one that was added or revoked needs no restart."""

import asyncio
import logging
from time import monotonic

import psycopg

from flywheel_dagster.database import statement
from flywheel_dagster.ingester.connections import from_environment, read_rows
from flywheel_dagster.ingester.received import Connection, Provider
from flywheel_dagster.settings import Settings

_LOG = logging.getLogger(__name__)
FRESH_SECONDS = 5.0


class Directory:
    """Finds the connections of a provider. While the database is away, those last seen hold."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._environment = from_environment(settings)
        self._found: list[Connection] = []
        self._read_at = -FRESH_SECONDS
        self._reading = asyncio.Lock()

    async def find(self, provider: Provider, connection_id: str | None = None) -> list[Connection]:
        """The provider's connections, the environment's first; with an id only that one."""
        if monotonic() - self._read_at > FRESH_SECONDS:
            await self.refresh()
        return [
            connection
            for connection in (*self._environment, *self._found)
            if connection.provider == provider and connection_id in (None, connection.id)
        ]

    async def refresh(self) -> None:
        """Read the table now."""
        async with self._reading:
            if monotonic() - self._read_at <= FRESH_SECONDS:
                return
            try:
                async with await psycopg.AsyncConnection.connect(self._url, connect_timeout=3) as database:
                    rows = await (await database.execute(statement("connections_in_force"))).fetchall()
                self._found = read_rows(rows)
            except psycopg.OperationalError as error:
                _LOG.warning("connections could not be read: %s", type(error).__name__)
            self._read_at = monotonic()
