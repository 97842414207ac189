"""What replies say by rules and head together."""

import math
import threading
import time

import numpy as np
import pytest

from benchmarks.reply_head import unseen_replies
from benchmarks.reply_head_training import trained, training_replies
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import sentiment_of
from flywheel_dagster.replies.evaluation import FIELDS, evaluate
from flywheel_dagster.replies.head.classify import classify_by_head, classify_many_by_head
from flywheel_dagster.replies.head.training import fit
from flywheel_dagster.replies.head.weights import TASKS, shipped_weights
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules
from flywheel_dagster_tests.replies.head.making import needs_extra

pytestmark = needs_extra


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("Could you come by our depot on Wednesday and show us how it works?", "positive"),
        ("¿Podríamos verlo funcionando en nuestra nave la semana que viene?", "positive"),
        ("Wir haben uns für einen anderen Anbieter entschieden, danke für Ihre Mühe.", "negative"),
        ("Nous ne donnerons pas suite, merci de votre compréhension.", "negative"),
        ("Recebido, obrigado.", "neutral"),
        ("I'll have to ask my manager first.", "neutral"),
    ],
)
def test_the_head_reads_all_five_languages(text: str, sentiment: str) -> None:
    analysis = classify_by_head(own_words(text))
    assert analysis["sentiment_label"] == sentiment
    assert analysis["model"] == shipped_weights().name
    assert analysis["method"] == "rules"
    assert analysis["reasoning"].startswith(f"head: {sentiment}")


def test_plain_answers_stay_plain() -> None:
    expected = {
        "positive": "We'd be very interested.|Estamos interesados.|Cela nous intéresse.|Das klingt interessant für uns.|Temos muito interesse.|"
        "Let's talk tomorrow.|Hablemos mañana.|What does it cost?|Was kostet es?|Nothing against a chat on Monday.",
        "neutral": "I'll ask my boss.|Noted, thanks.|Nicht jetzt, vielleicht im Herbst.|Je ne travaille plus ici.|Talvez.|Recibido, gracias.",
        "negative": "We're not interested.|No nos interesa nada.|Nous avons déjà un prestataire.|Wir haben bereits einen Anbieter.|Não preciso.|"
        "Too expensive for us.|Who gave you my address?|I'll report you.",
    }
    said = [(text, sentiment) for sentiment, texts in expected.items() for text in texts.split("|")]
    found = classify_many_by_head([(own_words(text), False, False) for text, _ in said])
    wrong = [text for (text, sentiment), analysis in zip(said, found, strict=True) if analysis["sentiment_label"] != sentiment]
    assert len(wrong) <= 0.05 * len(said), wrong


def test_headers_and_explicit_unsubscribes_are_not_the_heads_to_decide() -> None:
    friendly = own_words("Sounds great, let's talk on Tuesday!")
    assert classify_by_head(friendly, automatic=True) == classify_by_rules(friendly, automatic=True)
    assert classify_by_head(friendly, unsubscribe=True) == classify_by_rules(friendly, unsubscribe=True)
    asked = own_words("Please unsubscribe me from this list.")
    assert classify_by_head(asked) == classify_by_rules(asked)
    assert classify_by_head(asked)["model"] is None


def test_many_at_a_time_say_the_same_as_one_by_one() -> None:
    replies = [own_words(reply["reply_text"]) for reply in training_replies()[::40]]
    many = classify_many_by_head([(words, False, False) for words in replies])
    for words, analysis in zip(replies, many, strict=True):
        alone = classify_by_head(words)
        assert alone["sentiment_label"] == analysis["sentiment_label"]
        assert math.isclose(alone["confidence"], analysis["confidence"], abs_tol=0.002)
    assert classify_many_by_head([]) == []


def test_label_score_interest_and_objection_never_disagree() -> None:
    possible = {tuple(values[place] for (_, values), place in zip(TASKS, row, strict=True)) for row in shipped_weights().possible}
    texts = [reply["reply_text"] for reply in training_replies()[::15]] + [
        "?",
        "👍",
        "x",
        "Привет, интересно",
        "…",
        "1",
        "\u4f60\u597d",
    ]
    for analysis in classify_many_by_head([(own_words(text), False, False) for text in texts]):
        assert sentiment_of(analysis["sentiment_score"]) == analysis["sentiment_label"]
        assert 0 <= analysis["confidence"] <= 1
        if analysis["model"]:
            assert tuple(analysis[name] for name in FIELDS) in possible  # type: ignore[literal-required]


def test_on_replies_that_nobody_tuned_to_the_head_beats_the_rules() -> None:
    truth = unseen_replies()
    words = [own_words(reply["reply_text"]) for reply in truth]
    head = evaluate(truth, classify_many_by_head([(each, False, False) for each in words]))
    rules = evaluate(truth, [classify_by_rules(each) for each in words])
    assert head.replies >= 290
    assert head.fields["sentiment_label"].accuracy.value >= 0.84
    for name in FIELDS:
        assert head.fields[name].accuracy.value > rules.fields[name].accuracy.value


def test_a_surer_head_is_more_often_right() -> None:
    truth = unseen_replies()
    found = classify_many_by_head([(own_words(reply["reply_text"]), False, False) for reply in truth])
    right = [
        (analysis["confidence"], analysis["sentiment_label"] == reply["sentiment_label"])
        for analysis, reply in zip(found, truth, strict=True)
    ]
    sure, unsure = ([ok for confidence, ok in right if (confidence >= 0.8) is wanted] for wanted in (True, False))
    assert np.mean(sure) > np.mean(unsure) + 0.1
    assert abs(np.mean([confidence for confidence, _ in right]) - np.mean([ok for _, ok in right])) < 0.1


@pytest.mark.acceptance
def test_training_gives_the_weights_that_are_shipped() -> None:
    shipped = shipped_weights()
    again = trained(training_replies()).weights
    assert again.origin == shipped.origin, "train the head again: python -m benchmarks.reply_head_training"
    np.testing.assert_allclose(again.matrix, shipped.matrix, atol=1e-4)
    np.testing.assert_allclose(again.intercept, shipped.intercept, atol=1e-4)
    assert (again.possible == shipped.possible).all() and (again.sharpness == shipped.sharpness).all()


def test_too_few_replies_train_no_head() -> None:
    replies = training_replies()[:4]
    with pytest.raises(InputError, match="too few to train the reply head"):
        fit(replies, [reply["id"] for reply in replies], [True] * 4)


@pytest.mark.parametrize(
    "text", ["On " * 60_000, "a" * 200_000, "? " * 100_000, "no. " * 50_000, "\U0001f468\u200d" * 50_000 + "x", "ß" * 100_000]
)
def test_hostile_texts_are_read_in_time(text: str) -> None:
    words = own_words(text)
    classify_by_head(own_words("warm up"))
    begin = time.process_time()
    classify_by_head(words)
    assert time.process_time() - begin < 1.0


def test_threads_get_the_same_answers() -> None:
    replies = [(own_words(reply["reply_text"]), False, False) for reply in training_replies()[:24]]
    expected = classify_many_by_head(replies)
    found: dict[int, list[object]] = {}
    threads = [
        threading.Thread(target=lambda place=place: found.__setitem__(place, list(classify_many_by_head(replies))))
        for place in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[place] == expected for place in range(4))
