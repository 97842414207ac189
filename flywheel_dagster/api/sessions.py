"""People who are signed in: a key traded for a cookie. The cookie names a row, signed; whose key it is, and whether that is in force, is looked up each time."""

import hashlib
import hmac
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, Signer
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from flywheel_dagster.database import statement

HOURS = 12


class Sessions:
    """Begins, finds and ends sessions. The secret that cookies are signed with is the database's, so that any process of the service knows them."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> None:
        self._pool = pool
        self._signer: Signer | None = None

    async def begin(self, key_hash: str) -> str:
        """The cookie of a new session, which ends by itself after HOURS."""
        row = await self._row("begin_session", key_hash=key_hash, hours=HOURS)
        assert row is not None
        return (await self._signing()).sign(row["id"].hex).decode()

    async def key_hash(self, cookie: str) -> str | None:
        """The hash of the key that a running session was begun with. What isn't signed by us doesn't reach the database."""
        session = await self._named(cookie)
        row = None if session is None else await self._row("session_key", id=session)
        return None if row is None else str(row["key_hash"])

    async def end(self, cookie: str) -> None:
        """End the session, if there is one: a copy of the cookie is worth nothing from now on."""
        if (session := await self._named(cookie)) is not None:
            await self._row("end_session", id=session)

    async def form_token(self, cookie: str) -> str | None:
        """What the session's forms carry: only our own pages know it. None for a cookie that isn't ours."""
        session = await self._named(cookie)
        return None if session is None else (await self._signing()).get_signature(f"form {session.hex}".encode()).decode()

    async def is_form_token(self, cookie: str, token: str) -> bool:
        """Whether a form was made for this session."""
        known = await self.form_token(cookie)
        return known is not None and hmac.compare_digest(known.encode(), token.encode())

    async def _named(self, cookie: str) -> UUID | None:
        try:
            return UUID(hex=(await self._signing()).unsign(cookie).decode())
        except BadSignature:
            return None

    async def _signing(self) -> Signer:
        if self._signer is None:
            row = await self._row("session_secret")
            assert row is not None
            self._signer = Signer(row["secret"], salt="flywheel session", key_derivation="hmac", digest_method=hashlib.sha256)
        return self._signer

    async def _row(self, query: str, **values: Any) -> DictRow | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement(query), values)
            return await cursor.fetchone() if cursor.description else None
