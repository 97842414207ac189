"""A bound on what a request's body may be, held while it is read."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuses with 413, in the shape of all errors, as soon as it is clear that a body exceeds `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        size = int(announced) if announced.isdecimal() and len(announced) < 20 else 0

        async def bounded() -> Message:
            nonlocal size
            if size > self._limit:
                raise self._too_large()
            message = await receive()
            if not announced:
                size += len(message.get("body", b""))
                if size > self._limit:
                    raise self._too_large()
            return message

        await self._app(scope, bounded, send)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body exceeds {self._limit // 2**10} kB; send less")
