"""The server's processes: launching them as nobody's children, waiting for an answer, ending them, and what their log says. What they
serve is not known here."""

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flywheel_dagster.errors import SandboxError
from flywheel_dagster.sandbox.postgres.accounts import OWN_DATABASE, Account, launch, run
from flywheel_dagster.sandbox.postgres.binaries import Binaries
from flywheel_dagster.sandbox.postgres.roles import answers
from flywheel_dagster.sandbox.postgres.state import HOST, State, life_lock, lives, open_private, write_state

START_TIMEOUT = 120.0  # seconds; recovery after a crash is part of a start
STOP_TIMEOUT = 60.0
LOG_LIMIT = 16 * 2**20  # bytes
# Below the range from which systems take the ports of outgoing connections, so that ours stays free while the server is down.
PORTS = range(15_000, 32_000)
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def serve(state: State, binaries: Binaries, account: Account | None, settings: Mapping[str, str]) -> State:
    """Waits for a living server to answer; launches one whenever none lives, on another port if the recorded one is taken.

    Gives the state with the port in use. Raises SandboxError with the server's last words.
    """
    deadline = time.monotonic() + START_TIMEOUT
    log_start: int | None = None
    while True:
        with life_lock(state) as lock:
            if lock is not None:
                if log_start is not None:
                    _judge_failure(state, log_start)
                if not _is_free(state.port):
                    state = replace(state, port=_choose_port())
                    write_state(state)
                log_start = _launch(state, binaries, account, SETTINGS | dict(settings), lock)
        if answers(state.server):
            return state
        if time.monotonic() > deadline:
            words = last_words(_read_log(state, log_start or 0))
            message = f"PostgreSQL lives but hasn't answered for {START_TIMEOUT:.0f} s ({words})"
            raise SandboxError(f"{message}: wait and start again, or see {state.server.log_file}")
        time.sleep(0.02)


def end(state: State) -> bool:
    """Asks a living server for a fast shutdown and waits for the end of its last process; True if there was one.

    Raises SandboxError after STOP_TIMEOUT seconds, or when it is another user's.
    """
    deadline = time.monotonic() + STOP_TIMEOUT
    asked: int | None = None
    while lives(state):
        number = _postmaster(state)
        if number is not None and number != asked:
            try:
                os.kill(number, signal.SIGINT)  # PostgreSQL's signal for a fast shutdown
            except ProcessLookupError:
                pass
            except PermissionError as error:
                raise SandboxError(f"the database server (process {number}) is another user's: stop it as that user") from error
            asked = number
        if time.monotonic() > deadline:
            message = f"the database server (process {asked}) hasn't stopped within {STOP_TIMEOUT:.0f} s"
            raise SandboxError(f"{message}: see {state.server.log_file}, then stop again")
        time.sleep(0.01)
    return asked is not None


def last_words(output: str) -> str:
    """The line that says why, of what one of PostgreSQL's programs wrote before it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "the database system is starting up" not in line]
    for line in reversed(lines):
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                return line[line.index(mark) + len(mark) :].strip()
    return (lines or ["it wrote nothing"])[-1]


def _judge_failure(state: State, log_start: int) -> None:
    """Raises SandboxError with what the server said, unless its port was taken in between: another one will do."""
    reason = last_words(_read_log(state, log_start))
    if _is_free(state.port):
        raise SandboxError(f"PostgreSQL doesn't start ({reason}): mend that (its log: {state.server.log_file}), or {OWN_DATABASE}")


def _launch(state: State, binaries: Binaries, account: Account | None, settings: Mapping[str, str], lock: int) -> int:
    """Launches the server with the life lock in its hands; returns where in the log it begins to write."""
    # Nothing of ours lives. What the last server left must not pass for one, when its number is now another process's.
    if _postmaster(state) is None:
        (state.data / "postmaster.pid").unlink(missing_ok=True)
    log_file = state.server.log_file
    if log_file.exists() and log_file.stat().st_size > LOG_LIMIT:
        log_file.replace(log_file.with_suffix(".log.1"))
    ours = {"listen_addresses": HOST, "port": str(state.port), "unix_socket_directories": ""}
    options = [part for name, value in {**settings, **ours}.items() for part in ("-c", f"{name}={value}")]
    with open_private(log_file, os.O_WRONLY | os.O_APPEND) as log:
        log_start = os.fstat(log).st_size
        # The shell leaves the server to init and ends, so it can't become a zombie of ours; no path needs quoting as an argument.
        command: list[str | Path] = ["/bin/sh", "-c", '"$@" &', "sh", binaries.postgres, "-D", state.data, *options]
        with launch(command, account, log=log, kept_open=[lock]) as shell:
            shell.wait()
    return log_start


def _postmaster(state: State) -> int | None:
    """The process that postmaster.pid names, if it lives and is a server on the folder that the file names."""
    try:
        number, folder = (state.data / "postmaster.pid").read_text().splitlines()[:2]
        process = int(number)
        if Path("/proc/self/cmdline").exists():
            words = [os.fsdecode(word) for word in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")]
            return process if Path(words[0]).name == "postgres" and folder in words else None
        _, listing = run(["/bin/ps", "-ww", "-o", "command=", "-p", str(process)], None)
        return process if "/postgres " in listing and folder in listing else None
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def _is_free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _choose_port() -> int:
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise SandboxError(f"no free port on {HOST} from {PORTS.start} to {PORTS.stop - 1}: end what listens there, or {OWN_DATABASE}")


def _read_log(state: State, offset: int) -> str:
    with contextlib.suppress(FileNotFoundError), state.server.log_file.open(errors="replace") as log:
        log.seek(offset)
        return log.read()
    return ""
