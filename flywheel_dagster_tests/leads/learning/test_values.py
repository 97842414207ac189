import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.leads.learning.values import LARGEST, NUMBER, read_value, read_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@pytest.mark.parametrize("nothing", [None, "", "  \t", math.nan, "NaN", [], [1], {"a": 1}, object()])
def test_what_says_nothing_is_missing(nothing: object) -> None:
    assert read_value(nothing) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (" 3 ", 3.0),
        ("-2.5e1", -25.0),
        (Decimal("1.5"), 1.5),
        (10**400, LARGEST),
        (-(10**400), -LARGEST),
        (math.inf, LARGEST),
        ("1e999", LARGEST),
        (date(1970, 1, 2), 1.0),
        (datetime(1970, 1, 1, 12, tzinfo=UTC), 0.5),
        ("1970-01-03", 2.0),
        ("1970-01-01T18:00:00Z", 0.75),
        ("1970-01-01T01:00:00+01:00", 0.0),
    ],
)
def test_numbers_and_dates_are_numbers_however_they_are_written(value: object, number: float) -> None:
    assert read_value(value) == number


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Cold  Call", "cold call"),
        (" COLD call ", "cold call"),
        (True, "true"),
        ("False", "false"),
        ("01234", "01234"),
        ("+49 30 1234", "+49 30 1234"),
        ("10-50", "10-50"),
        ("2026-02-30", "2026-02-30"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("\ud800", "?"),
        ("٣", "٣"),
    ],
)
def test_other_text_is_a_word_without_regard_to_case_and_spaces(value: object, word: str) -> None:
    assert read_value(value) == word


@given(JSON)
def test_any_value_is_a_bounded_number_a_storable_word_or_nothing(value: object) -> None:
    found = read_value(value)
    if isinstance(found, float):
        assert abs(found) <= LARGEST
    elif found is not None:
        assert found == read_value(found) or isinstance(read_value(found), float)
        assert found.encode()


def test_a_table_of_values_keeps_numbers_and_words_apart() -> None:
    values = read_values([{"a": 1, "b": "x"}, {"a": "one"}], ["a", "b"])

    assert values.words == [[NUMBER, "one"], ["x", None]]
    assert values.numbers[0, 0] == 1
    assert math.isnan(values.numbers[0, 1])
    assert values.of(["b"]).words == [["x", None]]
    assert values.taken([1]).words == [["one"], [None]]
