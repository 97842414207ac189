"""All trainers pass the same suite, each where it trains on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.trainers.conformance import Conformance, Place
from flywheel_dagster_tests.training.trainers.places import PLACES

SLOW = {"lora"}  # importing torch alone takes seconds


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.acceptance) if name in SLOW else name for name in sorted(PLACES)])
def place(request: pytest.FixtureRequest, model_server: Served, tmp_path: Path) -> Iterator[Place]:
    """Each trainer in turn; datasets are where the fixture `dataset` writes them."""
    place = PLACES[request.param](model_server, tmp_path / "home", tmp_path / "training_data")
    yield place
    place.close()


class TestConformance(Conformance):
    """The suite."""
