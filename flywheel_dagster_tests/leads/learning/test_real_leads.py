import pytest

from benchmarks.lead_auc import AFTERWARDS, DATA, SOURCES, measure, read
from flywheel_dagster.leads.learning.leakage import leaking_fields

EDUCATION, SALVIRT = SOURCES

pytestmark = pytest.mark.skipif(not (DATA / EDUCATION.file).is_file(), reason="the real tables of leads are not here")


def test_the_fields_that_staff_fills_in_afterwards_are_named_and_no_others() -> None:
    assert {leak.field for leak in leaking_fields(read(EDUCATION))} == set(AFTERWARDS)
    assert leaking_fields(read(SALVIRT)) == []


@pytest.mark.acceptance
def test_a_small_table_is_ranked_as_well_as_by_plain_pipelines() -> None:
    found = measure(SALVIRT)

    assert found.learnt.report.out_of_fold.auc >= SALVIRT.aim
    assert all(ahead > -2 * error for _, ahead, error in found.plain.values())


@pytest.mark.acceptance
def test_a_large_table_is_ranked_as_well_as_by_plain_pipelines() -> None:
    found = measure(EDUCATION)

    assert found.learnt.report.out_of_fold.auc >= EDUCATION.aim
    assert all(ahead > -2 * error for _, ahead, error in found.plain.values())
    assert not {"Prospect ID", "Lead Number"} & set(found.learnt.model.fields)
