"""A provider to train at (the local model server over real HTTP) and a dataset worth training on, in the test's own database."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import Dataset, Selection, assemble
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import score_good_outcomes


@pytest.fixture(scope="session")
def _provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("provider") / "state")
    yield served
    assert served.stop() == 0


@pytest.fixture
def provider(_provider: Served) -> Iterator[Served]:
    """The shared model server, with no faults left over from another test; its jobs run at once."""
    _provider.http.delete("/sandbox/faults")
    yield _provider
    _provider.http.delete("/sandbox/faults")


@pytest.fixture
def directory(database: Database) -> Path:
    """Where datasets are written."""
    return database.settings.training_data_dir


@pytest.fixture
def dataset(connection: psycopg.Connection[TupleRow], directory: Path) -> Dataset:
    """The dataset of scope acme: 60 good outcomes of as many leads."""
    score_good_outcomes(connection)
    return assemble(connection, "acme", directory, Selection())
