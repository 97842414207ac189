"""The labelled sentences in five languages: those that the rules were made with are redacted just so; the others are only counted."""

from flywheel_dagster_tests.datasets.privacy.corpus import found_in, sentences


def test_the_sentences_lose_what_is_marked_and_nothing_else() -> None:
    assert [sentence.text for sentence in sentences("dev") if found_in(sentence) != sentence.marked] == []


def test_of_sentences_that_no_rule_was_made_with_few_are_redacted_wrongly() -> None:
    unseen = [*sentences("test")]
    assert sum(found_in(each) != each.marked for each in unseen) <= 0.1 * len(unseen)


def test_there_are_sentences_enough_in_five_languages() -> None:
    for part in ("dev", "test"):
        found = [*sentences(part)]
        assert len(found) > 100
        assert len({each.language for each in found}) == 5
        assert sum(not each.marked for each in found) > len(found) / 3
