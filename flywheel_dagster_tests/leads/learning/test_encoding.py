import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.leads.learning.codes import MOST_MARKS, find_codes
from flywheel_dagster.leads.learning.encoding import Encoder
from flywheel_dagster.leads.learning.values import read_values
from flywheel_dagster_tests.leads.learning.test_values import JSON
from flywheel_dagster_tests.thoroughness import examples


def _encoder(rows: list[dict[str, object]]) -> tuple[Encoder, dict[str, str]]:
    codes, notes = find_codes(read_values(rows, sorted({name for row in rows for name in row})))
    return Encoder(codes), {note.field: note.text for note in notes}


def _column(values: list[object]) -> tuple[Encoder, dict[str, str]]:
    return _encoder([{"field": value} for value in values])


def _encode(encoder: Encoder, *values: object) -> list[list[float]]:
    found: list[list[float]] = encoder.encode(read_values([{"field": value} for value in values], encoder.names)).tolist()
    return found


def test_a_number_is_its_rank_and_beyond_the_known_ones_the_outermost() -> None:
    encoder, _ = _column(list(range(10)))

    low, middle, high, beyond, huge = _encode(encoder, 0, 4.5, 9, 1e9, 10**400)

    assert low == pytest.approx([-0.9])
    assert middle == pytest.approx([0.0])
    assert high == beyond == huge == pytest.approx([0.9])


def test_heavy_tails_take_no_room_from_the_rest() -> None:
    encoder, _ = _column([0.0] * 50 + [float(10**power) for power in range(50)])

    ranks = np.ravel(_encode(encoder, 0, 1, 10**10, 10**40))

    assert np.all(np.diff(ranks) > 0.1)


def test_a_missing_value_a_rare_word_and_an_unknown_word_have_their_columns() -> None:
    encoder, _ = _column(["a"] * 10 + ["b"] * 10 + ["c", "d", "e", "f"] + [None] * 10)

    a, b, rare, unknown, missing, blank = _encode(encoder, "A", "b", "c", "never seen", None, " ")

    assert (a, b) == ([1, 0, 0, 0], [0, 1, 0, 0])
    assert missing == blank == [0, 0, 1, 0]
    assert rare == unknown == [0, 0, 0, 1]


def test_a_field_may_have_numbers_and_words() -> None:
    encoder, _ = _column([*range(1, 21), *["unlimited"] * 10])

    assert _encode(encoder, 20, "unlimited") == [[pytest.approx(0.95), 0], [0, 1]]


def test_constants_and_names_of_rows_are_dropped_with_a_note() -> None:
    random = np.random.default_rng(0)
    rows: list[dict[str, object]] = [
        {
            "constant": "x",
            "uuid": f"{row:032x}".replace("0", "x"),
            "row": 50_000 + 3 * row,
            "account_id": int(random.integers(10**12)),
            "nested": [row],
            "salary": int(random.normal(50_000, 5_000)),
            "revenue": float(random.lognormal(10, 2)),
            "plan": "free" if row % 3 else "paid",
        }
        for row in range(400)
    ]

    encoder, notes = _encoder(rows)

    assert encoder.names == ("plan", "revenue", "salary")
    assert notes["constant"] == "nearly the same value in all rows; dropped"
    assert notes["uuid"] == "nearly as many words as rows, as those that name rows; dropped"
    assert notes["row"] == notes["account_id"] == "whole numbers that hardly ever repeat, as those that name rows; dropped"
    assert notes["nested"] == "no value in any row; dropped"


def test_whether_an_identifier_is_given_counts() -> None:
    encoder, notes = _column([f"person{row}@example.com" for row in range(20)] + [None] * 20)

    assert notes["field"].endswith("only whether it is given counts")
    assert _encode(encoder, "person1@example.com", "new@example.com", None) == [[0], [0], [1]]


def test_thousands_of_words_are_pooled() -> None:
    random = np.random.default_rng(0)
    rows: list[dict[str, object]] = [{f"f{field}": f"w{random.zipf(1.3)}" for field in range(20)} for _ in range(3_000)]

    encoder, _ = _encoder(rows)

    assert len(encoder.owners) <= MOST_MARKS + 2 * 20


_ROW = st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON, max_size=3)


@settings(max_examples=examples(200, quick=20))
@given(st.lists(_ROW, min_size=1, max_size=30), st.lists(_ROW, min_size=1, max_size=4))
def test_any_row_is_encoded_in_small_finite_numbers_alike_alone_and_among_others(
    known: list[dict[str, object]], rows: list[dict[str, object]]
) -> None:
    encoder, _ = _encoder([*known, *known, *known, {"a": 1}])

    together = encoder.encode(read_values(rows, encoder.names))

    assert np.all(np.abs(together) <= 1)
    for row, encoded in zip(rows, together, strict=True):
        reordered = dict(reversed(row.items()))
        assert np.array_equal(encoder.encode(read_values([reordered], encoder.names))[0], encoded)
