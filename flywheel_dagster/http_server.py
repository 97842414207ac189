"""Runs one of the doors as a process: its socket, limits on headers, logs, and an end that finishes what was accepted."""

import json
import logging
import signal
import socket
import sys
from datetime import UTC, datetime

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flywheel_dagster.errors import InputError

_LOG = logging.getLogger(__name__)
HEADER_LIMIT = 320 * 2**10  # bytes; a read of the socket brings up to 256 KB, the end of an earlier body among them


def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serve until a signal says to end. Raises InputError for an address that can't be had."""
    log_as_json()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when it has ended in peace
    listening = listen(host, port)
    config = uvicorn.Config(
        app,
        http=BoundedHeaders,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=20,
        timeout_keep_alive=75,
    )
    _LOG.info("listening", extra={"facts": {"address": f"http://{host}:{listening.getsockname()[1]}"}})
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or small answers wait 40 ms (Nagle)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host}:{port} can't be listened on ({error.strerror}); end the program that has it, or choose another port by --port"
        ) from error
    listening.set_inheritable(True)
    return listening


class BoundedHeaders(HttpToolsProtocol):
    """Ends a connection whose request line and headers go on beyond HEADER_LIMIT, before the application sees them."""

    _in_head = False
    _head = 0

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > HEADER_LIMIT:
                self.transport.close()


class _Json(logging.Formatter):
    """A line of JSON a record; `extra={"facts": {…}}` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__  # the text might quote what was sent
        return json.dumps(line, default=str)


def log_as_json() -> None:
    """Send every log record to stderr as a line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
