from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.learning.choosing import Rows, fit
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster.leads.learning.storage import MOST_BYTES, dump, load
from flywheel_dagster_tests.leads.learning.making import leads, made


@pytest.fixture(scope="module")
def models() -> dict[str, LeadModel]:
    return {name: each.model for name, each in fit(Rows.of(made(2_000))).candidates.items()}


@pytest.mark.parametrize("name", ["logistic", "trees"])
def test_a_model_comes_back_as_it_was(models: dict[str, LeadModel], name: str) -> None:
    data = dump(models[name])
    features, _ = leads(200, seed=9)

    again = load(data)

    assert dump(again) == data
    assert np.array_equal(again.score(features), models[name].score(features))
    assert again.reasons(features[0]) == models[name].reasons(features[0])


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("logistic", ["format"], 2),
        ("logistic", ["more"], 1),
        ("logistic", ["estimator", "name"], "os.system"),
        ("logistic", ["estimator", "weights"], [0.5]),
        ("logistic", ["estimator", "weights"], ["0.5"]),
        ("logistic", ["estimator", "intercept"], None),
        ("logistic", ["line"], [0.0, -1.0]),
        ("logistic", ["line"], [0.0]),
        ("logistic", ["fields", 0, "ranks"], [0.5]),
        ("logistic", ["fields", 0, "knots"], [2.0, 1.0]),
        ("logistic", ["fields", 1, "name"], "age"),
        ("logistic", ["fields", 1, "words"], ["webinar", "webinar"]),
        ("trees", ["estimator", "left", 0], 0),
        ("trees", ["estimator", "left", 0], 10**6),
        ("trees", ["estimator", "columns", 0], 99),
        ("trees", ["estimator", "columns", 0], -1),
        ("trees", ["estimator", "roots", 3], -5),
        ("trees", ["estimator", "thresholds"], []),
    ],
)
def test_a_changed_model_is_refused(models: dict[str, LeadModel], name: str, path: list[Any], value: object) -> None:
    stored = msgspec.json.decode(dump(models[name]))
    inside = stored
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value

    with pytest.raises(InputError, match="lead model"):
        load(msgspec.json.encode(stored))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\x80\x04\x95.", b"PK\x03\x04", b"[" * 10_000, b'{"format":1e999}', b" " * (MOST_BYTES + 1), b"\xff\xfe"]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="lead model"):
        load(data)


@given(place=st.integers(0), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(models: dict[str, LeadModel], place: int, byte: int) -> None:
    data = bytearray(dump(models["logistic"]))
    data[place % len(data)] = byte

    try:
        found = load(bytes(data))
    except InputError:
        return
    assert np.isfinite(found.score([{"website_visits": 3}])).all()
