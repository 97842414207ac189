"""Tables of plain replies: groups headed by "label interest objection" ("-" where conventions leave a field open), one reply a line."""

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules

FIELDS = ("sentiment_label", "interest_level", "objection_type")


def rows(table):
    """Pairs of a reply and what is expected of it, by field."""
    expected, found = {}, []
    for line in filter(None, (each.strip() for each in table.splitlines())):
        if line.startswith("= "):
            expected = dict(zip(FIELDS, line[2:].split(), strict=True))
        else:
            found.append((line, expected))
    return found


def share_right(pairs, field):
    """The share of replies whose field is as expected, and those that aren't."""
    asked = [(text, expected[field]) for text, expected in pairs if expected[field] != "-"]
    wrong = [text for text, right in asked if classify_by_rules(own_words(text))[field] != right]
    return 1 - len(wrong) / len(asked), wrong


def languages(pairs):
    return [classify_by_rules(own_words(text))["language"] for text, _ in pairs]
