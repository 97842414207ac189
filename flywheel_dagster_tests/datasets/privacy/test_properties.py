"""What holds of redaction for any text and any people."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.redaction import redact
from flywheel_dagster.datasets.privacy.words import folded_words

_PIECES = st.sampled_from(
    (
        "jane", "Jane", "JANE", "O'Brien", "Acme", "acme.com", "jane@acme.com", "x@y.example", "+49 30 1234567", "030 1234567", "415-867-5309",
        "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "12345678Z", "536-90-4399", "8.8.8.8", "https://example.com/a", "https://e.com/?q=1",
        "{{first_name}}", "{{ x | y }}", "{{", "}}", "{", "}", "Will", "you", "é", "e\u0301", "张伟", "🎉", "\u200d", "\x00", "שלום", "12", "7", "2024",
        "tel", "SSN", "order", "(at)", "www.", "http://",
    )
)  # fmt: skip
_SEPARATORS = st.sampled_from(
    (" ", "", "\n", "-", ".", ",", "@", ":", "/", "(", ")", "'", "+", "  ", "\t", "\xa0", "_", "#", "?", "=")
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.one_of(_PIECES, _SEPARATORS, st.text(max_size=6)), max_size=30).map("".join),
)
_NAMES = st.one_of(
    st.none(), st.text(max_size=20), st.sampled_from(("Jane", "José", "O'Brien", "Mary Ann", "张", "X Æ A-12", "D'Ángelo-Ruiz"))
)
_PHONES = st.one_of(st.none(), st.text(alphabet="+0123456789 ()-/.x", max_size=20))
_EMAILS = st.one_of(st.none(), st.sampled_from(("jane@acme.com", "J.D+x@mail.example.org", "a@gmail.com")), st.text(max_size=15))
PEOPLE = st.builds(Person, _NAMES, _NAMES, _NAMES, _EMAILS, _PHONES)
KNOWN = st.builds(lambda lead, senders: KnownPeople(lead, KnownSenders(senders, "Flywheel")), PEOPLE, st.lists(PEOPLE, max_size=3))
_PLACED = re.compile(r"\{\{\w+\}\}")


@given(TEXTS, KNOWN)
def test_redacting_twice_changes_nothing_more(text: str, known: KnownPeople) -> None:
    once = redact(text, known)
    twice = redact(once.text, known)
    assert twice.text == once.text
    assert not twice.counts


@given(TEXTS, KNOWN)
def test_only_spans_are_replaced(text: str, known: KnownPeople) -> None:
    redacted = redact(text, known)
    kept = re.split("|".join(f"\\{{\\{{{name}\\}}\\}}" for name in redacted.counts) or r"(?!)", redacted.text)
    at = 0
    for piece in kept:
        at = text.index(piece, at) + len(piece)
    if not redacted.counts:
        assert redacted.text == text


@given(TEXTS, KNOWN)
def test_the_counts_are_those_of_the_placeholders_put_in(text: str, known: KnownPeople) -> None:
    redacted = redact(text, known)
    for name, count in redacted.counts.items():
        placeholder = f"{{{{{name}}}}}"
        assert redacted.text.count(placeholder) == text.count(placeholder) + count


@given(
    st.lists(st.sampled_from(("first_name", "company", "custom.field_1", "sender_email", "FirstName")), max_size=5), TEXTS, KNOWN
)
def test_placeholders_survive(names: list[str], text: str, known: KnownPeople) -> None:
    text = text.replace("{", "(").replace("}", ")")
    placed = "".join(f"{text} {{{{{name}}}}} " for name in names)
    redacted = redact(placed, known).text
    assert all(redacted.count(f"{{{{{name}}}}}") >= names.count(name) for name in names)


_VALUES = st.text(alphabet="ABCDEFabcdefÄÖéß0123456789 '-&.*#/()!ŁøЖ張", min_size=2, max_size=20).filter(
    lambda value: sum(map(str.isalpha, value)) > 2 and any(len(word) > 2 for word in folded_words(value)) and not value.islower()
)


@given(
    _VALUES, _VALUES, _VALUES, st.lists(st.sampled_from(("and", "of", "\n", ",", "—", "🎉", "then", "x")), min_size=1, max_size=6)
)
def test_no_known_value_is_left_as_words(first: str, last: str, company: str, between: list[str]) -> None:
    known = KnownPeople(Person(first, last, company))
    text = "".join(f" {value} {word} {value.upper()} " for value in (first, last, company) for word in between)
    left = f" {' '.join(folded_words(_PLACED.sub(' | ', redact(text, known).text)))} "
    for value in (first, last, company):
        assert f" {' '.join(folded_words(value))} " not in left


@given(st.sampled_from(("jane@acme.com", "J.D+x@mail.example.org", "o'neil@x.example")), TEXTS)
def test_no_known_address_is_left(email: str, text: str) -> None:
    known = KnownPeople(Person(email=email))
    assert email.lower() not in redact(f"{text} {email} {email.upper()} {text}", known).text.lower()


HOSTILE = (
    "1", "1 ", "0 1 ", "030 ", "+1", "((1", "415-867-5309 ", "4111 ", "DE89 3704 ", "12345678Z ", "1.1.1.1 ", "::1", "1:", "@", "a@", "a@a", "a.", "..a",
    "http://", "http://a.b/", "http://a.b/(", "www.", "a.b/", "(", "[", "{", "}", "{{a", "{{a|", "}}{{", " ", "\n", "\r\n", "a", "A", "Jane ", "é", "e\u0301", "張",
    "a (at) a (dot) ", "a[at]", "ssn: 1 ", "tel 1 ", "order no nr ", "RSSMRA85", ">", "> \n", "--\n", "Best,\nSam\n",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_time_is_linear_in_a_hostile_text(unit: str) -> None:
    known = KnownPeople(Person("Jane", "Doe", "Acme", "a@a.example", "+49 30 1234567"))
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    redact(text, known)
    assert time.process_time() - begin < 2


def test_a_long_text_with_odd_characters_is_left_as_it_is() -> None:
    text = "“Quotes”, back\\slashes, \x00\x07\x1b controls, שלום עליכם, مرحبا, 🎉👩‍👩‍👧, \ud800 \r\n\t" * 1500
    assert len(text) > 100_000
    assert redact(text, KnownPeople(Person("Jane", "Doe", "Acme"))) == (text, {})
