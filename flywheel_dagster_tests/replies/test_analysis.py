"""An analysis has parts that can't disagree, whatever it is built from."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import WORDS, ClassificationMethod, sentiment_of
from flywheel_dagster.replies.analysis import InterestLevel, Objection, ReplyAnalysis, Sentiment, reply_analysis


def analysed(
    score: float = 0.0, *, level: InterestLevel = InterestLevel.NONE, objection: Objection = Objection.NONE, confidence: float = 1
) -> ReplyAnalysis:
    return reply_analysis(
        sentiment_score=score, interest_level=level, objection_type=objection, reasoning="because", language="en", confidence=confidence,
        method=ClassificationMethod.RULES, version=1,
    )  # fmt: skip


def test_scores_have_labels() -> None:
    assert [sentiment_of(score) for score in (1.0, 0.5, 0.49, 0, -0.2, -0.21, -1)] == ["positive"] * 2 + ["neutral"] * 3 + [
        "negative"
    ] * 2


@given(score=st.floats(-1, 1), level=st.sampled_from(InterestLevel), objection=st.sampled_from(Objection))
def test_label_signal_and_objection_follow_from_score_level_and_type(
    score: float, level: InterestLevel, objection: Objection
) -> None:
    found = analysed(score, level=level, objection=objection)
    assert found["sentiment_label"] == sentiment_of(found["sentiment_score"])
    unhindered = found["objection_type"] == "none" or found["sentiment_label"] == "positive"
    assert found["interest_signal"] == (unhindered and found["interest_level"] in ("high", "medium"))
    assert found["objection_detected"] == (found["objection_type"] != "none")


@pytest.mark.parametrize("value", [1.01, -1.01, math.inf, math.nan])
def test_a_score_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="sentiment_score is"):
        analysed(value)
    with pytest.raises(InputError, match="confidence is"):
        analysed(confidence=value)


def test_the_words_are_those_of_the_ledger() -> None:
    assert tuple(Sentiment) == WORDS["label"]
    assert tuple(InterestLevel) == WORDS["interest_level"]
    assert tuple(Objection) == WORDS["objection_type"]
