"""What people say of a weighted sample corrects what a machine reports of all."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.replies.correction import ENOUGH, Review, agreement, confusion, corrected_shares
from flywheel_dagster_tests.thoroughness import examples

LABELS = ("positive", "neutral", "negative")


def test_weights_undo_that_disagreements_are_drawn_more_often() -> None:
    # 1,000 replies are called positive; 100 of them, all drawn, are negative in truth; of the 900 others 30 were drawn, all of them right.
    found = [Review("positive", "negative", 1.0)] * 100 + [Review("positive", "positive", 30.0)] * 30
    shares = {share.label: share for share in corrected_shares({"positive": 1_000}, found)}
    assert shares["positive"].reported == 1
    assert shares["positive"].corrected == pytest.approx(0.9)
    assert shares["negative"].corrected == pytest.approx(0.1)
    assert shares["negative"].low < 0.1 < shares["negative"].high
    assert confusion(found) == {("positive", "negative"): 100, ("positive", "positive"): 900}
    assert agreement(found) == pytest.approx(0.9)


def test_few_reviews_correct_nothing() -> None:
    assert corrected_shares({"positive": 9}, [Review("positive", "negative", 1.0)] * (ENOUGH - 1)) == []
    assert corrected_shares({}, [Review("positive", "negative", 1.0)] * ENOUGH) == []


def test_a_label_that_nobody_reviewed_counts_as_right() -> None:
    shares = corrected_shares({"positive": 50, "neutral": 50}, [Review("positive", "negative", 1.0)] * ENOUGH)
    assert [share.corrected for share in shares] == [0, 0.5, 0.5]


@settings(max_examples=examples(25, quick=8), deadline=None)
@given(
    reported=st.dictionaries(st.sampled_from(LABELS), st.integers(1, 10_000), min_size=1),
    found=st.lists(
        st.builds(Review, st.sampled_from(LABELS), st.sampled_from(LABELS), st.floats(1, 1e4)), min_size=ENOUGH, max_size=60
    ),
)
def test_corrected_shares_are_shares(reported: dict[str, int], found: list[Review]) -> None:
    shares = corrected_shares(reported, found)
    assert sum(share.corrected for share in shares) == pytest.approx(1)
    assert all(-1e-9 <= share.low <= share.high <= 1 + 1e-9 for share in shares)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw, held, worlds = random.Random(1), 0, 60
    right = {"positive": (0.8, 0.15, 0.05), "neutral": (0.1, 0.8, 0.1), "negative": (0.05, 0.1, 0.85)}
    reported = {"positive": 3_000, "neutral": 5_000, "negative": 2_000}
    truth = sum(reported[machine] / 10_000 * right[machine][0] for machine in LABELS)
    for _ in range(worlds):
        machines = draw.choices(LABELS, [reported[label] for label in LABELS], k=150)
        sample = [Review(machine, draw.choices(LABELS, right[machine])[0], 1.0) for machine in machines]
        positive = corrected_shares(reported, sample)[0]
        held += positive.low <= truth <= positive.high
    assert held >= 0.85 * worlds
