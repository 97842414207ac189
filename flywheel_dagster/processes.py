"""Starts Dagster as a child process: the command line and the doors never import it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flywheel_dagster.errors import InputError, SettingsError
from flywheel_dagster.settings import Settings


def dagster_environment(settings: Settings, *, own_home: bool = False) -> dict[str, str]:
    """The environment for Dagster's processes. DAGSTER_HOME is kept when set, else it is FLYWHEEL_HOME/dagster with our `dagster.yaml`."""
    environment = dict(os.environ) | {
        "FLYWHEEL_HOME": str(settings.home),
        "TRAINING_DATA_DIR": str(settings.training_data_dir),
        "FLYWHEEL_LOCAL": "1" if settings.local else "",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        # Dagster's own warnings about interfaces that it has called beta for years
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore"),
    }
    if own_home or not environment.get("DAGSTER_HOME"):
        home = settings.home / "dagster"
        try:
            home.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_packaged("dagster.yaml"), home / "dagster.yaml")
        except OSError as error:
            raise SettingsError(
                f"{home} can't be written: {error.strerror}; set FLYWHEEL_HOME to a folder that you may write"
            ) from error
        environment["DAGSTER_HOME"] = str(home)
    return environment


def run_module(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one of our modules with this Python and wait; returns its exit code."""
    return subprocess.run([sys.executable, "-m", module, *arguments], env=dict(environment), check=False).returncode  # noqa: S603


def require_free_port(port: int, variable: str) -> None:
    """Raise InputError when another program listens there; `variable` is the setting that changes the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} is in use by another program; choose another one by {variable}") from error


def dagster_dev(port: int) -> list[str]:
    """The command of Dagster's web server and daemon."""
    return [sys.executable, "-m", "dagster", "dev", "-w", str(_packaged("workspace.yaml")), "-h", "127.0.0.1", "-p", str(port)]


def ingester(port: int) -> list[str]:
    """The command of the front door."""
    return [sys.executable, "-m", "flywheel_dagster.cli", "ingester", "--port", str(port)]


def api(port: int) -> list[str]:
    """The command of the side door."""
    return [sys.executable, "-m", "flywheel_dagster.cli", "api", "--port", str(port)]


def run_together(commands: Sequence[list[str]], environment: Mapping[str, str]) -> int:
    """Run programs until one of them ends or a signal comes, then end all; returns the exit code of the first that ended."""
    ending: list[int] = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, _: ending.append(number))
    children = [subprocess.Popen(command, env=dict(environment)) for command in commands]  # noqa: S603  our own programs
    while not ending and all(child.poll() is None for child in children):
        with suppress(subprocess.TimeoutExpired):
            children[0].wait(timeout=0.3)
    codes = [child.poll() for child in children]
    if signal.SIGINT in ending:  # a terminal sends it to all
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=3)
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=25)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return next((code for code in codes if code is not None), 0)


def _packaged(name: str) -> Path:
    inside = Path(__file__).parent / "deployment" / name
    return inside if inside.is_file() else Path(__file__).parents[1] / name
