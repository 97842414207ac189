"""The replies of the simulated world, in five languages: each is read as it was meant, and strength shows in the score."""

import pytest

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster.sandbox.simulator.replies import AWAY, KINDS

_TEXTS = [(text, sentiment) for sentiment, kinds in KINDS.items() for kind in kinds for text in kind.texts]


@pytest.mark.parametrize(("text", "sentiment"), _TEXTS)
def test_a_simulated_reply_is_read_as_it_was_meant(text, sentiment):
    found = classify_by_rules(own_words(text))
    assert found["sentiment_label"] == sentiment, found["reasoning"]


@pytest.mark.parametrize("text", AWAY)
def test_a_simulated_absence_is_an_automatic_reply(text):
    assert classify_by_rules(own_words(text))["is_auto_reply"]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("I love this! Amazing work, let's schedule a demo.", "Thursday works."),
        ("Thursday works.", "How many people use it?"),
        ("How many people use it?", "Thanks, noted."),
        ("Thanks, noted.", "Thanks so much, but we'll pass."),
        ("Thanks so much, but we'll pass.", "Not interested."),
        ("Not interested.", "Unsubscribe"),
        ("Not interested.", "This is spam. Get lost."),
    ],
)
def test_the_score_falls_with_the_strength(stronger, weaker):
    assert _score(stronger) > _score(weaker)


def _score(text):
    return classify_by_rules(own_words(text))["sentiment_score"]
