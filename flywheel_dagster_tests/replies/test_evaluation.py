"""Accuracy, macro-F1 and their intervals, against figures worked out by hand."""

import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.evaluation import evaluate, wilson


def _labels(sentiments):
    return [{"sentiment_label": each, "interest_level": "none", "objection_type": "none"} for each in sentiments]


def test_accuracy_and_macro_f1_of_a_small_table():
    field = evaluate(_labels("aaab"), _labels("aabb")).fields["sentiment_label"]
    assert field.accuracy.value == 0.75
    assert field.f1 == {"a": pytest.approx(0.8), "b": pytest.approx(2 / 3)}
    assert field.macro_f1.value == pytest.approx((0.8 + 2 / 3) / 2)
    assert field.confusion == {("a", "a"): 2, ("a", "b"): 1, ("b", "b"): 1}
    assert field.worst == ("b", "a")


def test_all_right_is_one():
    evaluation = evaluate(_labels("abc" * 20), _labels("abc" * 20))
    assert evaluation.replies == 60
    assert evaluation.fields["sentiment_label"].macro_f1 == (1.0, 1.0, 1.0)


def test_wilsons_interval_as_published():
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, table I, method 3)."""
    share, low, high = wilson(81, 263)
    assert (round(share, 4), round(low, 4), round(high, 4)) == (0.3080, 0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 0.0, 1.0)


def test_the_bootstrap_is_the_same_every_time():
    truth, given = _labels("ab" * 30), _labels("aab" * 20)
    assert evaluate(truth, given) == evaluate(truth, given)


def test_nothing_to_compare_is_an_error():
    for truth, given in (([], []), (_labels("a"), _labels("ab"))):
        with pytest.raises(InputError, match="one analysis for each"):
            evaluate(truth, given)
