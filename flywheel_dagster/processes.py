"""Starts Dagster as a child process: the command line and the doors never import it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
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


def require_free_port(port: int) -> None:
    """Raise InputError when another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"port {port} is in use by another program; choose another one with --port or FLYWHEEL_DAGSTER_PORT"
            ) from error


def replace_by_dagster_dev(port: int, environment: Mapping[str, str]) -> None:
    """Become `dagster dev`: web server and daemon. Does not return."""
    workspace = str(_packaged("workspace.yaml"))
    arguments = [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    os.execve(sys.executable, arguments, dict(environment))  # noqa: S606  this very Python


def _packaged(name: str) -> Path:
    inside = Path(__file__).parent / "deployment" / name
    return inside if inside.is_file() else Path(__file__).parents[1] / name
