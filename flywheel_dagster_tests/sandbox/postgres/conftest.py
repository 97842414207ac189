"""Homes for servers that a test may start, stopped and removed whatever the test did."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flywheel_dagster.sandbox import postgres
from flywheel_dagster.sandbox.postgres.state import read_state
from flywheel_dagster_tests.conftest import room

SETTINGS = {"fsync": "off", "shared_buffers": "16MB"}
START = f"from pathlib import Path; from flywheel_dagster.sandbox import postgres; server = postgres.start(Path(HOME), settings={SETTINGS!r})"

Starter = Callable[..., "subprocess.Popen[str]"]


@contextmanager
def cared_for(home: Path) -> Iterator[Path]:
    """Stops the home's server in the end, and removes what it keeps elsewhere."""
    try:
        yield home
    finally:
        state = read_state(home.resolve() / "postgres")
        postgres.stop(home)
        if state and not state.data.is_relative_to(state.folder):
            shutil.rmtree(state.data.parent)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any account can pass through, unlike pytest's own when root runs it."""
    folder = Path(tempfile.mkdtemp(prefix="flywheel-test-", dir=room()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(open_folder: Path) -> Iterator[Path]:
    with cared_for(open_folder / "home") as path:
        yield path


@pytest.fixture(scope="session")
def finished_home() -> Iterator[Path]:
    """A home whose first start is over, with its server stopped; only to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="flywheel-test-", dir=room()))
    folder.chmod(0o755)
    with cared_for(folder / "home") as path:
        postgres.start(path, settings=SETTINGS)
        postgres.stop(path)
        yield path
    shutil.rmtree(folder)


@pytest.fixture
def made_home(home: Path, finished_home: Path) -> Path:
    """A home of one's own in which the next start has nothing to make."""
    subprocess.run(["cp", "-a", str(finished_home), str(home)], check=True)
    return home


@pytest.fixture
def begin(home: Path) -> Iterator[Starter]:
    """Begins a start of the home's server in a process of its own; `before` and `after` are Python lines around it."""
    begun: list[subprocess.Popen[str]] = []

    def begin_start(*, before: str = "", after: str = "") -> "subprocess.Popen[str]":
        program = "\n".join(["import os, signal", f"HOME = {str(home)!r}", before, START, after])
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        begun.append(process)
        return process

    yield begin_start
    for process in begun:
        process.kill()
        process.communicate()
