"""What every route reaches out with: the database, Dagster, agents' strategies, leads' scores, sessions and the settings. Opened with the application, closed with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from flywheel_dagster.api.agents import Agents, bounded
from flywheel_dagster.api.dagster import Dagster
from flywheel_dagster.api.keys import EnvironmentKey, keys_from
from flywheel_dagster.api.metrics import Metrics
from flywheel_dagster.api.sessions import Sessions
from flywheel_dagster.leads.scoring import LeadScorer
from flywheel_dagster.settings import Settings

_CONNECTIONS = 10
_LAUNCHES = 4  # at a time: each holds a connection while Dagster answers
_WAIT_SECONDS = 5.0  # for a connection that is free

AsyncRows = AsyncConnection[DictRow]


@dataclass(frozen=True)
class Services:
    """What there is once in the application. `url` is the service role's. The pool's connections commit each statement, unless a transaction is opened."""

    url: str
    settings: Settings
    pool: AsyncConnectionPool[AsyncRows]
    dagster: Dagster
    environment_keys: tuple[EnvironmentKey, ...]
    metrics: Metrics
    launching: asyncio.Semaphore
    agents: Agents
    leads: LeadScorer
    sessions: Sessions

    @asynccontextmanager
    async def reading(self, organization_id: str | None) -> AsyncIterator[AsyncRows]:
        """A transaction that sees what a member of the organization may see, held by row-level security; with None: everything."""
        async with self.pool.connection() as connection, connection.transaction():
            if organization_id is not None:
                await connection.execute(
                    "select set_config('role', 'flywheel_member', true), set_config('flywheel.organization_id', %s, true)",
                    (organization_id,),
                )
            yield connection


@asynccontextmanager
async def opened(url: str, settings: Settings, metrics: Metrics) -> AsyncIterator[Services]:
    """The services on the database at `url` (the service role's). A database that is away is tried again when somebody asks.

    Raises SettingsError for FLYWHEEL_API_KEYS that can't be read.
    """
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        open=False,
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
        kwargs={"row_factory": dict_row, "autocommit": True, "application_name": "flywheel api", "connect_timeout": 3},
    )
    agents, leads = Agents(url), LeadScorer(bounded(url), settings=settings, timeout=_WAIT_SECONDS)
    async with Dagster(settings.dagster_address) as dagster:
        await pool.open()
        try:
            yield Services(
                url, settings, pool, dagster, keys_from(settings.api_keys), metrics, asyncio.Semaphore(_LAUNCHES), agents, leads,
                Sessions(pool),
            )  # fmt: skip
        finally:
            await agents.close()
            await leads.close()
            await pool.close()


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.execute("set time zone 'UTC'")
    await connection.execute("set statement_timeout = '20s'")
    await connection.execute("set idle_in_transaction_session_timeout = '60s'")


def services_of(request: Request) -> Services:
    """The application's services."""
    services: Services = request.app.state.services
    return services


async def _services_here(request: Request) -> Services:
    """What isn't async is called in a thread of its own, and waiting for threads costs more than all else of a small request."""
    return services_of(request)


ServicesHere = Annotated[Services, Depends(_services_here)]
