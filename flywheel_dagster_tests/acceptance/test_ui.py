"""The Dagster UI as a person sees it: started by `flywheel dev`, looked at in headless Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

pytestmark = pytest.mark.acceptance

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running UI on which the demo has run."""
    home = Path("/tmp") / f"fwui{os.getpid()}"
    home.mkdir(mode=0o755)
    with socket.socket() as probe, socket.socket() as other, socket.socket() as third:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        third.bind(("127.0.0.1", 0))
        api_port = third.getsockname()[1]
        port, ingester_port = probe.getsockname()[1], other.getsockname()[1]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FLYWHEEL_", "OPENAI_", "DAGSTER_", "DATABASE_"))
    }
    environment |= {"FLYWHEEL_HOME": str(home / "home"), "TRAINING_DATA_DIR": str(home / "data"), "FLYWHEEL_LOCAL": "1"}
    environment |= {"FLYWHEEL_INGESTER_PORT": str(ingester_port), "FLYWHEEL_API_PORT": str(api_port)}
    command = [sys.executable, "-m", "flywheel_dagster.cli"]
    checkout = Path(__file__).parents[2]
    subprocess.run([*command, "demo"], env=environment, cwd=checkout, check=True, capture_output=True, timeout=180)
    with (home / "dev.log").open("wb") as log:
        dev = subprocess.Popen(
            [*command, "dev", "--port", str(port)], env=environment, cwd=checkout, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(f"http://127.0.0.1:{port}/server_info", dev)
        yield f"http://127.0.0.1:{port}"
    finally:
        dev.send_signal(signal.SIGINT)
        try:
            dev.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(dev.pid, signal.SIGKILL)
            dev.wait(10)
        subprocess.run([*command, "down"], env=environment, cwd=checkout, check=True, capture_output=True, timeout=60)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def page(ui: str) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_page(viewport={"width": 2400, "height": 700})
        browser.close()


def _wait(url: str, process: subprocess.Popen[bytes], *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert process.poll() is None, "flywheel dev ended by itself"
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {seconds} s")


def test_the_graph_shows_every_asset_in_its_group_with_its_state(ui: str, page: Page) -> None:
    expanded = "%2C".join(f"global%40global%3A{group}" for group in ("models", "outcomes", "training"))
    page.goto(f"{ui}/asset-groups?expanded={expanded}")
    for asset in (
        "outcome_labels",
        "held_meetings",
        "unmatched_events",
        "reply_sentiment",
        "scored_training_rows",
        "training_jsonl",
        "preference_pairs",
        "warehouse_outcomes",
        "fine_tuned_model",
        "model_evaluation",
        "model_registry_entry",
        "model_performance",
        "experiment_verdict",
    ):
        page.get_by_text(asset, exact=True).first.wait_for(timeout=30_000)
    page.get_by_text("7 / 7 Passed").wait_for(timeout=30_000)
    assert page.get_by_text("Join the Dagster community").count() == 0


def test_the_dataset_shows_what_was_kept_and_dropped_and_a_plot(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/training_jsonl?view=events")
    page.get_by_text("below the quality threshold").first.wait_for(timeout=30_000)
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator("img[alt='Candidates']")
    picture.wait_for(timeout=10_000)
    assert picture.evaluate("image => image.naturalWidth") > 300


def test_replies_show_what_they_say_week_by_week(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/reply_sentiment?view=events")
    page.get_by_text("replies_judged_now").first.wait_for(timeout=30_000)
    page.get_by_text("[Show Markdown]").last.wait_for(timeout=10_000)
    assert page.get_by_text("labels_by_week").count()


def test_schedules_and_sensors_wait_to_be_switched_on(ui: str, page: Page) -> None:
    page.goto(f"{ui}/automation")
    for name in (
        "breached_guardrails",
        "changed_outcomes",
        "enough_lead_feedback",
        "daily_base_watch",
        "daily_lead_watch",
        "daily_performance",
        "daily_playbooks",
        "daily_verdicts",
        "hourly_meetings",
        "hourly_strategies",
        "nightly_exports",
        "nightly_links",
        "nightly_replies",
        "late_trainings",
        "new_replies",
        "weekly_scoring",
        "weekly_training",
        "organization_scopes",
    ):
        page.get_by_text(name, exact=True).first.wait_for(timeout=30_000)
    asked = "{repositoriesOrError{... on RepositoryConnection{nodes{schedules{name scheduleState{status}} sensors{name sensorState{status}}}}}}"
    answer = page.request.post(f"{ui}/graphql", data={"query": asked}).json()["data"]["repositoriesOrError"]["nodes"][0]
    states = {
        found["name"]: (found.get("scheduleState") or found.get("sensorState"))["status"]
        for found in answer["schedules"] + answer["sensors"]
    }
    assert states == {
        "breached_guardrails": "STOPPED",
        "changed_outcomes": "STOPPED",
        "daily_base_watch": "STOPPED",
        "daily_lead_watch": "STOPPED",
        "daily_performance": "STOPPED",
        "daily_playbooks": "STOPPED",
        "daily_verdicts": "STOPPED",
        "hourly_meetings": "STOPPED",
        "hourly_strategies": "STOPPED",
        "nightly_exports": "STOPPED",
        "nightly_links": "STOPPED",
        "nightly_replies": "STOPPED",
        "late_trainings": "STOPPED",
        "new_replies": "STOPPED",
        "weekly_scoring": "STOPPED",
        "weekly_training": "STOPPED",
        "enough_lead_feedback": "RUNNING",
        "organization_scopes": "RUNNING",
    }
