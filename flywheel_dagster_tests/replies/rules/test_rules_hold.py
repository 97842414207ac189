"""What holds for every reply: a valid analysis, linear time, and a verdict that thread, signature and capitals leave alone."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import sentiment_of
from flywheel_dagster.replies.analysis import InterestLevel, Objection
from flywheel_dagster.replies.evaluation import evaluate
from flywheel_dagster.replies.own_words import OwnWords, own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster_tests.replies.corpus import load
from flywheel_dagster_tests.thoroughness import examples

_PIECES = st.sampled_from(
    [
        "not ",
        "no ",
        "interested ",
        "but ",
        "unsubscribe ",
        "?",
        ".",
        ", ",
        "\n",
        "we ",
        "already ",
        "use ",
        "@",
        "a@b.c ",
        "🙄",
        "'",
        "ß",
        "nicht ",
        "(",
        "#1 ",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(_PIECES, max_size=60).map("".join)))
@settings(max_examples=examples(300, quick=100), deadline=None)
def test_any_text_gives_a_valid_analysis_or_a_clear_error(text):
    try:
        words = own_words(text)
    except InputError:
        return
    found = classify_by_rules(words)
    assert found["sentiment_label"] == sentiment_of(found["sentiment_score"])
    assert found["interest_level"] in set(InterestLevel)
    assert found["objection_type"] in set(Objection)
    assert found["method"] == "rules"
    assert 0 <= found["confidence"] <= 1


@pytest.mark.parametrize(
    "piece",
    [
        "not interested, but ",
        "On On On ",
        "not ",
        "really ",
        "a@",
        "é",
        "no we already use ",
        "? ",
        "a ",
        "x",
        "'",
        "1.",
        "p.m",
        "ue",
    ],
)
def test_the_time_is_bounded_for_any_length(piece):
    text = (piece * 100_000)[:100_000]
    begin = time.process_time()
    classify_by_rules(OwnWords(text, "", text))
    assert time.process_time() - begin < 1


def test_a_quoted_thread_and_a_signature_do_not_change_the_verdict():
    thread = "\n\nOn Tue, 3 Nov 2026 at 10:12, Sam Seller <sam@example.com> wrote:\n> Are you interested in a demo? Unsubscribe here.\n> Too busy?"
    for reply in load("train")[::7]:
        if reply["reply_text"].isascii() and ">" not in reply["reply_text"]:
            plain = classify_by_rules(own_words(reply["reply_text"]))
            longer = classify_by_rules(own_words(reply["reply_text"] + thread))
            assert longer["sentiment_label"] == plain["sentiment_label"], reply["id"]


@pytest.mark.parametrize(
    "signature",
    [
        "\n\nBest regards,\nAnna Smith",
        "\n\nThanks,\nTom",
        "\n\nCheers",
        "\n\nKind regards,\nMaria Lopez\nHead of Operations | Acme Ltd\nTel. +1 555 0100\nwww.acme.example",
        "\n\nSent from my iPhone",
        "\n\n-- \nPeter Brown\nDirector, Acme Inc.\nDo not print this email unless you need to.",
    ],
)
def test_a_common_signature_does_not_change_the_verdict(signature):
    for reply in load("train")[::5]:
        text = reply["reply_text"]
        if reply["language"] == "en" and "\n" not in text:
            signed = classify_by_rules(own_words(text + signature))
            assert signed["sentiment_label"] == classify_by_rules(own_words(text))["sentiment_label"], reply["id"]


def test_capitals_and_missing_accents_rarely_change_the_verdict():
    replies = [reply["reply_text"] for reply in load("train")]
    plain = [_sentiment(text) for text in replies]
    shouted = [_sentiment(text.upper()) for text in replies]
    bare = [
        _sentiment("".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)))
        for text in replies
    ]
    assert _share_of_equal(plain, shouted) >= 0.98
    assert _share_of_equal(plain, bare) >= 0.99


def test_rules_are_right_on_replies_that_nobody_tuned_to():
    truth = load("test")
    found = evaluate(truth, [classify_by_rules(own_words(reply["reply_text"])) for reply in truth]).fields
    assert found["sentiment_label"].accuracy.value >= 0.80
    assert found["interest_level"].accuracy.value >= 0.73
    assert found["objection_type"].accuracy.value >= 0.72


def _sentiment(text):
    return classify_by_rules(OwnWords(text, "", text))["sentiment_label"]


def _share_of_equal(one, other):
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
