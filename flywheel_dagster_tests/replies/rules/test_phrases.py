"""The language of the lists: patterns, gaps, fillers, and what can't be read."""

import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.rules.lexicon import EVERYWHERE, LANGUAGES, Lexicon, lexicon
from flywheel_dagster.replies.rules.wording import sentences

_LISTS = """
[define]
thing = tool|new tool
[spelling]
dont = do not
[filler]
really ,
[reject]
(no|not) [at all] interested
send .. brochure
[price]
cost* a lot
use (@thing|@name) $
"""


def _found(text):
    lists = Lexicon("en", _LISTS)
    return [(match.category, match.end - match.start) for sentence in sentences(text) for match in lists.find(lists.read(sentence))]


def _categories(text, reply):
    lists = Lexicon("en", text)
    return [match.category for sentence in sentences(reply) for match in lists.find(lists.read(sentence))]


def test_alternatives_options_and_fillers():
    assert _found("Not interested") == [("reject", 2)]
    assert _found("not at all interested") == [("reject", 4)]
    assert _found("not, really, interested") == [("reject", 5)]
    assert _found("not ever interested") == []


def test_a_gap_stands_for_up_to_three_words():
    assert _found("send brochure") == [("reject", 2)]
    assert _found("send me your big brochure") == [("reject", 5)]
    assert _found("send me your very big brochure") == []


def test_a_gap_never_stands_for_a_denial_but_where_phrases_say_no():
    lists = "[not]\nno\n[interest]\nhave .. interest\n[reject]\nhave .. doubt\n"
    assert _categories(lists, "we have much interest") == ["interest"]
    assert _categories(lists, "we have no interest") == []
    assert _categories(lists, "we have no small doubt") == ["reject"]


def test_a_number_is_a_number_though_a_phrase_spells_it():
    assert _categories("[meeting]\nat # works\n[reject]\n10 points\n", "at 10 works") == ["meeting"]


def test_stems_macros_names_and_the_end_of_a_sentence():
    assert _found("It costs a lot") == [("price", 3)]
    assert _found("we use new tool") == [("price", 4)]
    assert _found("we use Frobnix.") == [("price", 3)]
    assert _found("we use Frobnix today") == []


def test_a_bad_line_is_an_error_that_shows_it():
    for line in ("(no|not", "[all] [optional]", "no)"):
        with pytest.raises(InputError, match=r"can't be read|lacks"):
            Lexicon("en", f"[reject]\n{line}\n")
    with pytest.raises(InputError, match=r"\[rejekt\]"):
        Lexicon("en", "[rejekt]\nno\n")


@pytest.mark.parametrize("language", [*LANGUAGES, EVERYWHERE])
def test_every_list_can_be_read(language):
    assert lexicon(language).vocabulary


def test_a_phrase_file_has_what_tells_its_language():
    for language in LANGUAGES:
        assert len(lexicon(language).common) > 60


def test_a_stem_of_fewer_than_three_letters_is_refused():
    with pytest.raises(InputError, match="3 letters or more"):
        Lexicon("en", "[price]\nit co* a lot\n")


def test_names_of_definitions_have_neither_capitals_nor_accents():
    assert _categories("[define]\nMês = janeiro|abril\n[when]\nem @mês\n", "em abril") == ["when"]


def test_an_e_mail_and_a_quarter_are_one_word_each():
    assert sentences("Your E-Mail of Q3") == [["your", "email", "of", "q3"]]
    assert _categories("[defer]\nask in q3\n", "Ask in Q3") == ["defer"]
