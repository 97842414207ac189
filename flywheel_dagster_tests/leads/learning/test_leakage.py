import numpy as np
import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.learning.leakage import leaking_fields
from flywheel_dagster.leads.learning.table import Bools
from flywheel_dagster_tests.leads.learning.making import leads, made, table

_ROWS = 800


def _found(added: dict[str, list[object]], converted: Bools) -> dict[str, str]:
    features, _ = leads(_ROWS)
    rows = [{**row, **{name: values[place] for name, values in added.items()}} for place, row in enumerate(features)]
    return {leak.field: leak.why for leak in leaking_fields(table(rows, converted))}


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def converted() -> Bools:
    return made(_ROWS).converted


def test_what_tells_nearly_everything_by_itself(random: np.random.Generator, converted: Bools) -> None:
    probability = np.where(converted, 0.97, 0.05)

    found = _found({"segment": ["A" if each else "B" for each in random.random(_ROWS) < probability]}, converted)

    assert list(found) == ["segment"]
    assert "predicts too well by itself" in found["segment"]


def test_what_is_filled_in_for_some_and_all_that_is_filled_in_with_it(random: np.random.Generator, converted: Bools) -> None:
    worked_on = random.random(_ROWS) < 0.5
    opinion = random.random(_ROWS) < np.where(converted, 0.9, 0.15)
    words: list[object] = [("good" if good else "bad") if on else "Select" for on, good in zip(worked_on, opinion, strict=True)]
    noise: list[object] = [float(each) if on else None for on, each in zip(worked_on, random.normal(size=_ROWS), strict=True)]
    employees: list[object] = [int(each) if random.random() < 0.5 else None for each in random.lognormal(4, 1, _ROWS)]

    found = _found({"opinion": words, "index": noise, "employees": employees}, converted)

    assert list(found) == ["index", "opinion"]
    assert "AUC 0.8" in found["opinion"]
    assert "exactly the leads that have opinion" in found["index"]


def test_a_value_that_settles_the_outcome_of_many(random: np.random.Generator, converted: Bools) -> None:
    signed = converted & (random.random(_ROWS) < 0.4)

    found = _found({"paper": [f"C-{place}" if each else None for place, each in enumerate(signed)]}, converted)

    assert list(found) == ["paper"]
    assert "leads with a value converted" in found["paper"]


def test_a_name_is_a_sign_only_where_the_field_tells_the_outcome(random: np.random.Generator, converted: Bools) -> None:
    told: list[object] = ["x" if each else "y" for each in random.random(_ROWS) < np.where(converted, 0.85, 0.2)]
    untold: list[object] = ["x" if each else "y" for each in random.random(_ROWS) < 0.5]

    found = _found({"Deal_Stage": told, "marital status": untold, "plan": told}, converted)

    assert list(found) == ["Deal_Stage"]


@pytest.mark.parametrize("seed", range(10))
def test_honest_fields_are_not_named(seed: int) -> None:
    assert leaking_fields(made(300, seed=seed)) == []


def test_too_small_a_table_is_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        leaking_fields(made(10))
