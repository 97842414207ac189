"""Real tables, imported and learnt from as a user does it."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from benchmarks.lead_auc import DATA, SOURCES, measure

EDUCATION, SALVIRT = SOURCES
Connection = psycopg.Connection[TupleRow]

pytestmark = pytest.mark.skipif(not (DATA / EDUCATION.file).is_file(), reason="the real tables of leads are not here")


@pytest.mark.acceptance
def test_a_small_table_is_ranked_as_well_as_by_plain_pipelines(connection: Connection, tmp_path: Path) -> None:
    found = measure(connection, SALVIRT, tmp_path)

    assert found.version.metrics["out_of_fold"]["auc"] >= SALVIRT.aim
    assert all(ahead > -2 * error for _, ahead, error in found.plain.values())


@pytest.mark.acceptance
def test_a_large_table_is_ranked_as_well_as_by_plain_pipelines(connection: Connection, tmp_path: Path) -> None:
    found = measure(connection, EDUCATION, tmp_path)

    assert found.version.metrics["out_of_fold"]["auc"] >= EDUCATION.aim
    assert all(ahead > -2 * error for _, ahead, error in found.plain.values())
    assert "Lead Number" not in found.version.card["fields"]
