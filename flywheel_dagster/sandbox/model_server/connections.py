"""Closing a client's connection without an answer, which ASGI has no message for. Which call is cut off is `faults`'s."""

import asyncio
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """The open connections by the client's address, as the ASGI scope names it."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol_class(self) -> type[asyncio.Protocol]:
        """The HTTP protocol for uvicorn that keeps this register."""
        transports = self._transports

        class RegisteredProtocol(H11Protocol):
            """uvicorn's protocol over h11, known by its peer while it is open."""

            def connection_made(self, transport: Any) -> None:
                self._peer = tuple(transport.get_extra_info("peername")[:2])
                transports[self._peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self._peer, None)
                super().connection_lost(exc)

        return RegisteredProtocol

    def cut(self, scope: Scope) -> None:
        """Close the connection that a request came over, now, with nothing more sent."""
        transport = self._transports.get(tuple(scope["client"]))
        if transport:
            transport.abort()
