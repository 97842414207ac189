"""A bound on what a request's body may be, held while it is read."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuses with 413, in the shape of all errors, as soon as it is clear that a body exceeds `limit` bytes, or those of its path in `larger`."""

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int]) -> None:
        self._app, self._limit, self._larger = app, limit, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        limit = self._larger.get(scope["path"], self._limit)
        size = int(announced) if announced.isdecimal() and len(announced) < 20 else 0

        async def bounded() -> Message:
            nonlocal size
            if size > limit:
                raise _too_large(limit)
            message = await receive()
            if not announced:
                size += len(message.get("body", b""))
                if size > limit:
                    raise _too_large(limit)
            return message

        await self._app(scope, bounded, send)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"the body exceeds {limit // 2**10} kB; send less")
