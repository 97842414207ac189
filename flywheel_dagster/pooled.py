"""What the asynchronous programming interfaces share: a pool of connections in the service role, opened with the first call, and errors that
say what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from flywheel_dagster.database import addresses, statement, unreachable
from flywheel_dagster.errors import DatabaseError, FlywheelError, InputError
from flywheel_dagster.settings import load_settings

_Connection = psycopg.AsyncConnection[TupleRow]
_UNMIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)
_AWAY = ("08", "28", "3D", "53300", "57P")  # SQLSTATEs of a connection that was lost, refused or is of another database


class Pooled:
    """Give the service role's URL (`flywheel database-url`), or nothing to use the settings. Use it as `async with`, or call `close()`.

    Calls wait at most `timeout` seconds for one of `pool_size` connections, and raise DatabaseError while the database is away; a later call
    tries again.
    """

    def __init__(self, database_url: str | None = None, *, pool_size: int = 4, timeout: float = 10.0) -> None:
        self._url = database_url or addresses(load_settings()).service
        self._size, self._timeout = pool_size, timeout
        self._pool: AsyncConnectionPool[_Connection] | None = None

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        """A free connection, which commits each statement."""
        pool = await self._opened()
        try:
            async with pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise DatabaseError(await self._why_none_is_free()) from error
        except psycopg.Error as error:
            if (told := _told(self._url, error)) is None:
                raise
            raise told from error

    async def _rows(self, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a named statement."""
        async with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statement(name), values)
            return await cursor.fetchall() if cursor.description else []

    async def _opened(self) -> AsyncConnectionPool[_Connection]:
        if self._pool is None:
            self._pool = AsyncConnectionPool(
                self._url,
                min_size=1,
                max_size=self._size,
                timeout=self._timeout,
                open=False,
                configure=_in_utc,
                kwargs={"autocommit": True, "application_name": "flywheel", "connect_timeout": ceil(self._timeout)},
            )
        pool = self._pool
        if pool.closed:
            await pool.open()
        return pool

    async def _why_none_is_free(self) -> str:
        try:
            async with await psycopg.AsyncConnection.connect(self._url, connect_timeout=ceil(self._timeout)):
                return f"all {self._size} connections to the database were in use for {self._timeout:g} s; give more (pool_size=…), or ask less at once"
        except psycopg.OperationalError as error:
            return unreachable(self._url, error)


async def _in_utc(connection: _Connection) -> None:
    await connection.execute("set time zone 'UTC'")


def _told(url: str, error: psycopg.Error) -> FlywheelError | None:
    """The error with its remedy; None for what callers tell apart themselves."""
    said = error.diag.message_primary or str(error)
    match error:
        case psycopg.DataError():
            return InputError(f"a value can't be stored: {said}; correct it")
        case psycopg.OperationalError() | psycopg.InterfaceError() if error.sqlstate is None or error.sqlstate.startswith(_AWAY):
            return DatabaseError(unreachable(url, error))
        case psycopg.OperationalError():
            return DatabaseError(f"the database could not do it: {said}; try again")
    if isinstance(error, _UNMIGRATED):
        return DatabaseError(f"the database isn't in the state that this code needs ({said}); run flywheel migrate")
    return None
