"""Words that make no phrase lean the way of the phrases that they stand in."""

import pytest

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules, signals
from flywheel_dagster.replies.rules.leaning import FAMILIES, Leanings

_USES = {"invoice": {"price": 4}, "board": {"authority": 3, "meeting": 1}, "the": {"price": 5, "authority": 5, "meeting": 5}}


def test_a_word_leans_to_the_family_of_its_phrases():
    shares = Leanings(_USES).shares({"the", "board"})
    assert max(shares, key=shares.__getitem__) == "others"
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares) == list(FAMILIES)


def test_words_of_no_phrase_say_nothing():
    assert Leanings(_USES).shares({"heron", "*", "$"}) == {}
    assert Leanings({}).shares({"board"}) == {}


def test_a_reply_without_a_phrase_is_judged_by_its_words_and_says_so():
    found = classify_by_rules(own_words("Management and procurement in our headquarters, then the trustees"))
    assert found["sentiment_label"] == "neutral"
    assert "words that lean to others" in found["reasoning"]
    assert found["confidence"] <= 0.3


def test_a_reply_whose_phrases_were_all_read_leans_nowhere():
    found = signals(own_words("Not interested, thanks."))
    assert not any(found[f"leans_{family}"] for family in FAMILIES)
