"""A provider to train at (the local model server over real HTTP) and a dataset worth training on, in the test's own database."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.making import score_good_outcomes


@pytest.fixture
def provider(model_server: Served) -> Served:
    """Where is trained."""
    return model_server


@pytest.fixture
def directory(database: Database) -> Path:
    """Where datasets are written."""
    return database.settings.training_data_dir


@pytest.fixture
def dataset(connection: psycopg.Connection[TupleRow], directory: Path) -> Dataset:
    """The dataset of scope acme: 60 good outcomes of as many leads."""
    score_good_outcomes(connection)
    return assemble(connection, "acme", directory, Selection())
