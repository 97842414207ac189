"""The front door as a process: it starts fast, stays small, and says nothing of anybody in its log."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from flywheel_dagster_tests.conftest import Database

pytestmark = pytest.mark.acceptance
CURL = b'{"event":"deal.closed_won","deal_id":"123","deal_value":15000,"email":"ada@example.com","outcome_id":"your-outcome-uuid"}'


def test_it_starts_fast_and_stays_small(database: Database) -> None:
    assert database.settings.database_url
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "DATABASE_URL": database.settings.database_url.get_secret_value(),
        "FLYWHEEL_INSECURE_WEBHOOKS": "1",
    }
    seconds, memory, said = [], 0, ""
    for _ in range(3):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "flywheel_dagster.cli", "ingester", "--port", str(port)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            while not _answers(port):
                assert process.poll() is None
                assert time.monotonic() - begun < 30
            seconds.append(time.monotonic() - begun)
            for body in (CURL, b"not json about ada@example.com"):
                _post(port, body)
            memory = max(memory, int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        finally:
            process.terminate()
            said += process.communicate(timeout=30)[1]
        assert process.returncode == 0
    assert min(seconds) < 1.5
    assert memory < 120 * 2**20
    assert "INSECURE" in said
    assert "ada" not in said
    assert not re.search("Traceback", said)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        time.sleep(0.01)
        return False


def _post(port: int, body: bytes) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/webhooks/crm", data=body, method="POST")
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=10).close()
