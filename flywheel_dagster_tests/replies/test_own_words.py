"""Of any reply a readable, storable text is left that is never empty, in linear time; or the error says what to do."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.quoted_thread import LIMIT


def test_a_reply_is_divided() -> None:
    mail = (
        "No budget this year.\r\n\r\nBest,\r\nAda\r\n\r\nOn Mon, Jan 5, 2026, Sales <s@x.com> wrote:\r\n\r\n> Hi Ada,\r\n> buy\r\n"
    )
    assert own_words(mail) == ("No budget this year.", "Best,\nAda", mail.replace("\r\n", "\n").strip())


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("a\x00b\x07c", "abc"),
        ("zero\u200b-\u200dwidth\ufeff, \u202ebidi\u2066, soft\xad", "zero-width, bidi, soft"),
        ("tags \U000e0041\U000e0042", "tags"),
        ("a lone \ud83d surrogate", "a lone  surrogate"),
        ("e\u0301te\u0301", "été"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("hard\xa0space", "hard space"),
        ("Mojibake: schÃ¶n", "Mojibake: schÃ¶n"),
        ("Unknown: sch\ufffdn", "Unknown: sch\ufffdn"),
        ("👍🏽", "👍🏽"),
        ("<p>Yes,&nbsp;please&#8203;.</p>", "Yes, please."),
        ("<!DOCTYPE html><html><body>Yes</body></html>", "Yes"),
        ("Sounds good<br>Call me<br>", "Sounds good\nCall me"),
        ("<div>Yes</div><div>On Mon, Sales &lt;s@x.com&gt; wrote:<blockquote>Hi</blockquote></div>", "Yes"),
        ("<style>" + "p {} " * 40_000 + "</style><p>Yes</p>", "Yes"),
        ("a <b", "a <b"),
        ("is 1 < 2 and 3 > 2?", "is 1 < 2 and 3 > 2?"),
        ("write to <ada@x.com>", "write to <ada@x.com>"),
    ],
)
def test_whatever_came_becomes_readable_text(reply: str, text: str) -> None:
    assert own_words(reply).text == text


@pytest.mark.parametrize(
    "reply", ["Thanks, Bob", "Bob", "Sent from my iPhone", "Best regards", "-- \nBob", "> a\n> b\n> c", "On Mon, x@y.z wrote:\n> a"]
)
def test_a_reply_that_is_only_signature_or_thread_is_its_own_words(reply: str) -> None:
    assert own_words(reply) == (reply, "", reply)


def test_a_signature_above_a_thread_is_its_own_words() -> None:
    assert own_words("Sent from my iPhone\n\nOn Mon, Jan 5, 2026, S <s@x.com> wrote:\n> Hi").text == "Sent from my iPhone"


@pytest.mark.parametrize(
    "reply", ["", " \n\t", "\u200b\u2060\ufeff", "\x00\x01", "<p>&nbsp;</p><br>", "<img src=x>", "\u2800 \u3164", "\ud83d"]
)
def test_an_empty_reply_is_an_error_that_says_what_to_do(reply: str) -> None:
    with pytest.raises(InputError, match=r"the reply is empty.*leave out"):
        own_words(reply)


@given(st.text() | st.text(st.sampled_from("> \nOn wrote:From<br>/p1@-_é\u0301\u200b\ud800Best,Ada")))
def test_any_text_has_storable_words_or_an_error(reply: str) -> None:
    try:
        text, signature, whole = own_words(reply)
    except InputError:
        return
    assert text.strip()
    for part in (text, signature, whole):
        assert part == unicodedata.normalize("NFC", part)
        assert "\x00" not in part
        part.encode()


HOSTILE = {
    "introductions": "On On On ",
    "introductions, a line each": "On On On On\n",
    "verbs": "wrote: ",
    "verbs, a line each": "wrote:\n",
    "quotations": "> > > > ",
    "quotations, a line each": "> > > >\n",
    "empty lines": "\n",
    "carriage returns": "\r",
    "rules": "-----\n",
    "delimiters": "-- \n",
    "brackets": "<<<<",
    "brackets, a line each": "<<<<\n",
    "tags": "<b>x</b>",
    "open tags": "<a ",
    "headers": "From: a@b 10:00\n",
    "a long header": "Subject: " + "x" * 10_000 + "\n",
    "names": "Ada Lovelace\n\n",
    "sign-offs": "Thanks,\nAda\n",
    "wishes": "with very kind best " * 12 + "\n",
    "numbers": "555 (",
    "devices": "Sent from my iPhone\n\n",
    "law": "confidential ",
    "addresses": "a@" * 118 + ":\n",
    "marks": "a\u0300\u0316",
    "towers of marks": "\u0300\u0316",
    "nothing to see": "\u200b",
    "entities": "&#8203;",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_hostile_text_takes_less_than_half_a_second(name: str) -> None:
    text = "Yes\n" + HOSTILE[name] * (1_000_000 // len(HOSTILE[name]))
    taken = min(_seconds(text) for _ in range(3))
    assert taken < 0.5
    half = min(_seconds(text[: LIMIT // 2]) for _ in range(3))
    whole = min(_seconds(text[:LIMIT]) for _ in range(3))
    assert whole < 3 * half + 0.02, "the time grows with the length, no faster"


def _seconds(text: str) -> float:
    begun = time.process_time()
    own_words(text)
    return time.process_time() - begun
