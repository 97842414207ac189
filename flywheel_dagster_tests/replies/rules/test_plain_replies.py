"""Plain German, Spanish, French and Portuguese replies that anybody would expect to be read rightly; the tables are in `plain_replies/`."""

from pathlib import Path

import pytest

from flywheel_dagster_tests.replies.rules.plain import languages, rows, share_right

_TABLES = {file.stem: rows(file.read_text("utf-8")) for file in sorted((Path(__file__).parent / "plain_replies").glob("*.txt"))}


def test_four_languages_have_a_table():
    assert list(_TABLES) == ["de", "es", "fr", "pt"]


@pytest.mark.parametrize("language", _TABLES)
def test_every_plain_reply_has_its_label(language):
    _, wrong = share_right(_TABLES[language], "sentiment_label")
    assert wrong == []


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
@pytest.mark.parametrize("language", _TABLES)
def test_interest_and_objection_are_right_nineteen_times_in_twenty(language, field):
    share, wrong = share_right(_TABLES[language], field)
    assert share >= 0.95, wrong


@pytest.mark.parametrize("language", _TABLES)
def test_the_language_is_known(language):
    assert languages(_TABLES[language]).count(language) >= 0.95 * len(_TABLES[language])
