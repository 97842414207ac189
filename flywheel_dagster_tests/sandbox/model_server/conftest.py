"""Servers for the tests: one shared, on which jobs run at once, and a factory for those that have to die."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flywheel_dagster_tests.sandbox.model_server.served import Served

StartServer = Callable[..., Served]


@pytest.fixture
def server(model_server: Served) -> Served:
    """The shared server, with no faults left over from another test."""
    return model_server


@pytest.fixture(scope="session")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A shared server whose jobs take half a second, so that their states can be seen."""
    served = Served(tmp_path_factory.mktemp("slow_model_server") / "state", job_seconds=0.5)
    yield served
    served.stop()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers of a test's own, by default on the test's own state directory, and ends what is left of them."""
    started: list[Served] = []

    def start(**options: object) -> Served:
        started.append(Served(tmp_path / "state", **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for served in started:
        served.stop()
