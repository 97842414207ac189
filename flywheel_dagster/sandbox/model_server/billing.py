"""How often each request was answered, and so billed: for tests that nothing is paid for twice. Not part of OpenAI's API.

A request of a batch is known by its custom_id, an online one by the SHA-256 of its last user message (hexadecimal).
"""

import hashlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.tokens import message_text
from flywheel_dagster.sandbox.model_server.wire import ApiError

KINDS = ("batch", "chat")
_SHOWN = 100
_KEPT_BODIES = 20


class Billing:
    """The bill, kept in the state directory, and the newest chat requests as they came, kept in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bodies: deque[bytes] = deque(maxlen=_KEPT_BODIES)

    def note_body(self, body: bytes) -> None:
        """Keep a chat request's own bytes, answered or not."""
        self._bodies.append(body)

    def bill_chat(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """An online request was answered."""
        last = next((message_text(message) for message in reversed(messages) if message.get("role") == "user"), "")
        with self._store.transaction() as database:
            bill(database, "chat", [hashlib.sha256(last.encode("utf-8", "surrogatepass")).hexdigest()])

    def routes(self) -> list[Route]:
        """GET and DELETE /sandbox/billed, GET /sandbox/billed/{batch or chat}, GET /sandbox/chats."""

        async def show(request: Request) -> Response:
            return JSONResponse({kind: self._summary(kind) for kind in KINDS})

        async def show_all(request: Request) -> Response:
            kind = request.path_params["kind"]
            if kind not in KINDS:
                raise ApiError(404, f"Nothing is billed as {kind!r}: one of {', '.join(KINDS)}.")
            rows = self._store.database.execute("SELECT key, times FROM billed WHERE kind = ? ORDER BY key", (kind,))
            return Response(orjson.dumps({row["key"]: row["times"] for row in rows}), media_type="application/json")

        async def forget(request: Request) -> Response:
            self._store.database.execute("DELETE FROM billed")
            self._bodies.clear()
            return await show(request)

        async def show_chats(request: Request) -> Response:
            return JSONResponse({"chats": [body.decode("utf-8", "backslashreplace") for body in self._bodies]})

        return [
            Route("/sandbox/billed", show, methods=["GET"]),
            Route("/sandbox/billed", forget, methods=["DELETE"]),
            Route("/sandbox/billed/{kind}", show_all, methods=["GET"]),
            Route("/sandbox/chats", show_chats, methods=["GET"]),
        ]

    def _summary(self, kind: str) -> dict[str, Any]:
        """How many different requests, how many answers, and the requests that were answered most, if more than once."""
        counts = "SELECT count(*) AS requests, ifnull(sum(times), 0) AS answers FROM billed WHERE kind = ?"
        row = self._store.database.execute(counts, (kind,)).fetchone()
        often = "SELECT key, times FROM billed WHERE kind = ? AND times > 1 ORDER BY times DESC, key LIMIT ?"
        repeated = dict(self._store.database.execute(often, (kind, _SHOWN)).fetchall())
        return {"requests": row["requests"], "answers": row["answers"], "repeated": repeated}


def bill(database: sqlite3.Connection, kind: str, keys: Iterable[str]) -> None:
    """Count answers within the caller's transaction."""
    upsert = "INSERT INTO billed (kind, key, times) VALUES (?, ?, 1) ON CONFLICT (kind, key) DO UPDATE SET times = times + 1"
    database.executemany(upsert, [(kind, key) for key in keys])
