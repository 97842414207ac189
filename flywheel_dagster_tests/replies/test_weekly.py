"""Weeks in numbers, and whether they differ by more than chance."""

from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.replies.weekly import ENOUGH, shift, weeks_of_replies
from flywheel_dagster_tests.outcomes.making import MONDAY, event
from flywheel_dagster_tests.replies.making import TEXTS, read_all, write_replies

COUNTS = st.fixed_dictionaries({label: st.integers(0, 400) for label in ("positive", "neutral", "negative")})


def test_the_chi_square_test_is_the_textbooks() -> None:
    # scipy.stats.chi2_contingency([[50, 30, 20], [30, 40, 30]], correction=False): p = 0.015…, statistic 8.4286
    found = shift({"positive": 50, "neutral": 30, "negative": 20}, {"positive": 30, "neutral": 40, "negative": 30})
    assert found.distance == pytest.approx(0.2)
    assert found.p_value == pytest.approx(0.014783, abs=1e-5)
    # with two labels there is one degree of freedom: chi2_contingency([[50, 50], [30, 70]], correction=False): p = 0.003892
    found = shift({"positive": 50, "neutral": 50}, {"positive": 30, "neutral": 70})
    assert found.p_value == pytest.approx(0.003892, abs=1e-5)


def test_few_replies_are_not_compared() -> None:
    assert shift({"positive": ENOUGH - 1}, {"positive": 500}).distance is None
    assert not shift({}, {}).is_notable


@given(before=COUNTS, after=COUNTS)
def test_a_shift_lies_between_nothing_and_everything_and_has_no_direction(before: dict[str, int], after: dict[str, int]) -> None:
    found, back = shift(before, after), shift(after, before)
    assert found.distance == pytest.approx(back.distance) if found.distance is not None else back.distance is None
    if found.distance is not None and found.p_value is not None:
        assert -1e-9 <= found.distance <= 1 + 1e-9
        assert 0 <= found.p_value <= 1
    same = shift(before, before)
    assert same.distance is None or (same.distance == pytest.approx(0) and not same.is_notable)


def test_a_week_counts_its_replies_and_those_whose_label_and_score_disagree(connection: psycopg.Connection[TupleRow]) -> None:
    outcomes = write_replies(connection)
    read_all(connection)
    record(connection, [event(outcomes[0], "reply_classified", 3, method="human", label="negative", score=0.9)])
    week = weeks_of_replies(connection, MONDAY, MONDAY + timedelta(weeks=1))[MONDAY.date()]
    assert (week.replies, week.judged, week.disagreeing) == (len(TEXTS), len(TEXTS), 1)
    assert week.methods == {"rules": len(TEXTS) - 1, "human": 1}
