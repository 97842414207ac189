"""A dataset with a test side that is worth examining on."""

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.training.examination.making import build, write_outcomes


@pytest.fixture
def dataset(connection: psycopg.Connection[TupleRow], database: Database) -> Dataset:
    """Of acme: 120 messages with success, half of them to test with."""
    write_outcomes(connection, 120)
    return build(connection, database.settings.training_data_dir)
