"""Starts the server: `python -m flywheel_dagster.sandbox.model_server --state DIR`. Reads the command line, binds, says when ready."""

import argparse
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from flywheel_dagster.errors import SandboxError


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop, 2 when the state directory or the port is taken."""
    arguments = _parse()
    try:
        return _serve(arguments)
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m flywheel_dagster.sandbox.model_server",
        description="A model server with OpenAI's wire format, for development and tests only. It learns from its training files in a "
        "modest way (n-grams and retrieval) and keeps everything in one directory. Point OPENAI_BASE_URL at http://127.0.0.1:PORT/v1 "
        "or TOGETHER_BASE_URL at http://127.0.0.1:PORT/together/v1. Azure's planes are under /azure: openai/v1, management, login.",
    )
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where files, jobs and models are kept")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument("--identity", default="model-server", help="a text that GET /health answers, to tell servers apart")
    parser.add_argument(
        "--ready-file", type=Path, metavar="F", help="JSON with port, pid, identity and url, written once it accepts"
    )
    parser.add_argument(
        "--job-seconds", type=float, default=2.0, help="least duration of a fine-tuning job or a batch (default 2, 0 = at once)"
    )
    parser.add_argument(
        "--adapters", type=Path, metavar="DIR", help="where LoRA adapters are, MODEL/adapter; they take the extra lora"
    )
    arguments = parser.parse_args()
    if arguments.job_seconds < 0:
        parser.error("--job-seconds can't be negative")
    return arguments


def _serve(arguments: argparse.Namespace) -> int:
    import uvicorn

    from flywheel_dagster.sandbox.model_server.app import Settings, create_app
    from flywheel_dagster.sandbox.model_server.connections import Connections
    from flywheel_dagster.sandbox.model_server.store import write_whole

    connections = Connections()
    app = create_app(Settings(arguments.state, arguments.identity, arguments.job_seconds, arguments.adapters), connections)
    listener = _bind(arguments.port)
    port = listener.getsockname()[1]
    ready = {"port": port, "pid": os.getpid(), "identity": arguments.identity, "url": f"http://127.0.0.1:{port}"}

    class Server(uvicorn.Server):
        """uvicorn's server that says when it accepts connections."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if arguments.ready_file:
                write_whole(arguments.ready_file, json.dumps(ready).encode())
            sys.stdout.write(f"Sandbox model server at {ready['url']}/v1, /together/v1 and /azure (state in {arguments.state})\n")
            sys.stdout.flush()

    config = uvicorn.Config(
        app,
        http=connections.protocol_class(),
        loop="asyncio",
        ws="none",
        lifespan="on",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,  # longer than clients keep idle connections, so that they never race its close
        timeout_graceful_shutdown=2,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)  # uvicorn stops on them, then raises them again for whoever stood here before
    Server(config).run(sockets=[listener])
    return 0


def _bind(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise SandboxError(f"Port {port} is taken ({error.strerror}); give another --port, or 0 for a free one.") from error
    return listener


def _ignore(number: int, frame: Any) -> None:
    """Does nothing: the stop itself is uvicorn's."""


if __name__ == "__main__":
    sys.exit(main())
