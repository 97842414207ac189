"""The code location loads without warnings of ours, and not much slower than Dagster itself."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

CHECKOUT = Path(__file__).parents[2]


def _seconds(code: str) -> float:
    times = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=CHECKOUT, check=True)
        times.append(time.monotonic() - began)
    return min(times)


def test_loading_the_code_location_costs_little_more_than_importing_dagster() -> None:
    dagster, ours = _seconds("import dagster"), _seconds("import flywheel_dagster.definitions")
    assert ours < 1.6 * dagster, f"{ours:.2f} s against {dagster:.2f} s"


@pytest.mark.parametrize("command", [["dagster", "definitions", "validate"], ["dg", "check", "defs"]])
def test_the_definitions_are_valid_and_nothing_of_ours_warns(command: list[str], short_directory: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {
        "FLYWHEEL_HOME": str(short_directory / "home")
    }
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [str(program), *command[1:]], cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    said = done.stdout + done.stderr
    stopped = subprocess.run(
        [sys.executable, "-m", "flywheel_dagster.cli", "down"], env=environment, capture_output=True, text=True, check=True
    )
    assert done.returncode == 0, said
    assert "flywheel_dagster" not in "".join(line for line in said.splitlines() if "Warning" in line and "dagster/" not in line), (
        said
    )
    assert "database" in stopped.stdout
