"""The side door with everything behind it: `flywheel dev` starts it, and a training that is asked for by HTTP runs in the real Dagster."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.acceptance
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client with the development key of a running `flywheel dev` on which the demo has run."""
    home = Path("/tmp") / f"fwapi{os.getpid()}"
    home.mkdir(mode=0o755)
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        port, ingester, api = (probe.getsockname()[1] for probe in probes)
    ours = ("FLYWHEEL_", "OPENAI_", "DAGSTER_", "DATABASE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "FLYWHEEL_HOME": str(home / "home"),
        "TRAINING_DATA_DIR": str(home / "data"),
        "FLYWHEEL_LOCAL": "1",
        "FLYWHEEL_INGESTER_PORT": str(ingester),
        "FLYWHEEL_API_PORT": str(api),
        "PYTHONUNBUFFERED": "1",
    }
    command, log = [sys.executable, "-m", "flywheel_dagster.cli"], home / "dev.log"
    dev = None
    try:
        for arguments in (["demo"], ["org", "add", "newcomer"]):
            subprocess.run([*command, *arguments], env=environment, cwd=CHECKOUT, check=True, capture_output=True, timeout=300)
        with log.open("wb") as said:
            dev = subprocess.Popen(
                [*command, "dev", "--port", str(port)],
                env=environment,
                cwd=CHECKOUT,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        _wait(lambda: _healthy(api), dev)
        found = re.search(rf"API: http://127\.0\.0\.1:{api} \(development key, until this ends: (\S+)\)", log.read_text())
        assert found is not None
        with httpx.Client(
            base_url=f"http://127.0.0.1:{api}", headers={"Authorization": f"Bearer {found[1]}"}, timeout=60
        ) as asking:
            yield asking
        assert found[1] not in log.read_text().replace(found[0], "")
    finally:
        if dev is not None:
            _end(dev)
        subprocess.run([*command, "down"], env=environment, cwd=CHECKOUT, check=True, capture_output=True, timeout=60)
        shutil.rmtree(home, ignore_errors=True)


def _end(dev: subprocess.Popen[bytes]) -> None:
    dev.send_signal(signal.SIGINT)
    try:
        dev.wait(40)
    except subprocess.TimeoutExpired:
        os.killpg(dev.pid, signal.SIGKILL)
        dev.wait(10)


def test_a_training_is_launched_in_dagster_and_followed_to_its_version(client: httpx.Client) -> None:
    order = {
        "organization_id": None,
        "min_quality_score": 0.55,
        "model_version": "v7.0.0",
        "deploy_immediately": False,
        "ab_test_percentage": 10.0,
    }
    headers = {"Idempotency-Key": "first"}
    answers = [client.post("/training/run", json=order, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    assert answers[0].json() == answers[1].json()
    status = _ended(client, answers[0].json()["status_url"])
    assert status["status"] == "succeeded", status
    assert status["result"]["status"] == "success"
    assert (status["result"]["model_version"], status["result"]["deployed"]) == ("v7.0.0", False)
    assert status["result"]["training_duration_seconds"] > 0
    assert status["trained_tokens"] > 0
    assert status["finished_at"] > 1.7e9
    job = client.get(f"/training/status/{status['job_id']}").json()
    assert {name: job[name] for name in ("model", "fine_tuned_model", "trained_tokens", "finished_at")} == {
        name: status[name] for name in ("model", "fine_tuned_model", "trained_tokens", "finished_at")
    }
    models = client.get("/training/models").json()["models"]
    assert models[0]["id"] == status["result"]["registry_id"]
    deployed = client.post(f"/training/deploy/{models[0]['id']}", json={"traffic_percentage": 100.0, "ab_test_group": "control"})
    assert deployed.json()["status"] == "deployed"


def test_a_training_without_enough_data_fails_with_the_remedy(client: httpx.Client) -> None:
    answer = client.post("/training/run", json={"organization_id": "newcomer"})
    status = _ended(client, answer.json()["status_url"])
    assert status["status"] == "failed"
    assert "enough_examples" in status["error"]
    assert "FLYWHEEL_MIN_QUALITY" in status["error"]


def _ended(client: httpx.Client, address: str) -> dict[str, Any]:
    status: dict[str, Any] = {}

    def ended() -> bool:
        status.update(client.get(address).raise_for_status().json())
        return status["status"] not in ("queued", "running")

    _wait(ended, seconds=240, pause=2)  # a hundred requests a minute are let in
    return status


def _healthy(port: int) -> bool:
    try:
        return bool(httpx.get(f"http://127.0.0.1:{port}/health", timeout=3).json()["dagster"])
    except (httpx.HTTPError, KeyError):
        return False


def _wait(done: Any, process: subprocess.Popen[bytes] | None = None, *, seconds: float = 120, pause: float = 0.5) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        assert process is None or process.poll() is None, "flywheel dev ended by itself"
        time.sleep(pause)
