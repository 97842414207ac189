"""Starts and stops the local model server as a background process that outlives its starter. PostgreSQL has its own launcher."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from flywheel_dagster.errors import SandboxError

_START_SECONDS = 20


def model_server_url(home: Path, *, adapters: Path | None = None) -> str:
    """The base URL (ending in /v1) of the local model server; starts it when it does not answer. Safe under concurrent callers.

    `adapters` is the folder of trained adapters that it serves from now on, also if it runs already.
    """
    folder = _folder(home)
    with _locked(folder):
        if adapters is not None:
            _serve(adapters, folder / "adapters")
        known = _answering(folder)
        if known is None:
            known = _start(folder)
    return f"{known['url'].removesuffix('/v1')}/v1"


def stop_model_server(home: Path) -> bool:
    """Stop the server of this home; True if one was running. The process that answers with our identity is the one that is stopped."""
    folder = home / "model-server"
    if not folder.is_dir():
        return False
    with _locked(folder):
        known = _answering(folder)
        if known is None:
            return False
        os.kill(known["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 10
        while _answering(folder) is not None:
            if time.monotonic() > deadline:
                raise SandboxError(f"the model server (process {known['pid']}) does not stop; end it with: kill -9 {known['pid']}")
            time.sleep(0.05)
        (folder / "server.json").unlink(missing_ok=True)
    return True


def model_server_answers(home: Path) -> str | None:
    """The base URL if the server of this home answers right now."""
    folder = home / "model-server"
    known = _answering(folder) if folder.is_dir() else None
    return None if known is None else str(known["url"])


def _serve(adapters: Path, link: Path) -> None:
    if not link.is_symlink() or link.readlink() != adapters:
        link.unlink(missing_ok=True)
        link.symlink_to(adapters)


def _folder(home: Path) -> Path:
    folder = home / "model-server"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"{home} can't be used: {error.strerror}; set FLYWHEEL_HOME to a folder that you may write") from error
    return folder


def _start(folder: Path) -> dict[str, Any]:
    identity, ready = uuid4().hex, folder / "server.json"
    ready.unlink(missing_ok=True)
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", "flywheel_dagster.sandbox.model_server", "--state", str(folder / "state"), "--port", "0",
             "--identity", identity, "--ready-file", str(ready), "--adapters", str(folder / "adapters")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if (known := _answering(folder)) is not None:
            threading.Thread(target=process.wait, daemon=True).start()  # or its process id would stay taken while we live
            return known
        if process.poll() is not None:
            break
        time.sleep(0.05)
    last = (folder / "server.log").read_text(errors="replace").strip().splitlines()[-1:]
    raise SandboxError(f"the local model server did not start: {last[0] if last else 'no message'}; see {folder / 'server.log'}")


def _answering(folder: Path) -> dict[str, Any] | None:
    """What the ready file says, if that very server answers with its identity."""
    try:
        known: dict[str, Any] = json.loads((folder / "server.json").read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{known['port']}/health", timeout=2) as answer:
            said = json.load(answer)
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None
    return known if said.get("identity") == known.get("identity") else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
