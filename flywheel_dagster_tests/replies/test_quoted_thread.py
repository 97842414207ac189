"""The quoted thread is cut off, what somebody wrote is kept, and no text takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.replies.quoted_thread import LIMIT, cut_quoted_thread

LONG = "word " * 300

REPLIES = {
    "Gmail": ("Sounds good!\n\nOn Tue, Jan 6, 2026 at 9:00 AM Sales <\nsales@x.com> wrote:\n\n> Hi Ada\n> buy\n", "Sounds good!"),
    "German": ("Gern!\n\nAm Di., 6. Jan. 2026 um 09:00 Uhr schrieb Sales <s@x.de>:\n\n> Hallo\n", "Gern!"),
    "French, with a hard space": ("Oui\n\nLe mar. 6 janv. 2026, Sales <s@x.fr> a écrit\xa0:\n\n> Bonjour\n", "Oui"),
    "Outlook": ("No.\r\n\r\n-----Original Message-----\r\nFrom: a\r\nSent: b\r\n\r\nHi", "No."),
    "Outlook, headers only": ("Yes please\n\nFrom: a <a@b>\nSent: Tue\nTo: x\nSubject: s\n\nHi", "Yes please"),
    "an answer below": ("On Tue, Sales <sales@x.com> wrote:\n> Hi Ada\n> buy\n\nLet us talk.", "Let us talk."),
    "answers between": ("On Tue, Sales wrote:\n> When?\nTuesday\n> How?\nBy phone", "Tuesday\nBy phone"),
    "a short quotation": ("> When?\nTuesday", "Tuesday"),
    "a long line": (f"{LONG}\n\nOn Tue, Sales wrote:\n> x", LONG.strip()),
    "a long quoted line": (f"> {LONG}\n> b\n> c\n\nanswer {LONG}", f"answer {LONG}".strip()),
    "no thread": ("Call me: 555 0100\n\nAda\n-- \nAda Lovelace", "Call me: 555 0100\n\nAda\n-- \nAda Lovelace"),
    "a number with a sign": (">50 people work here", ">50 people work here"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_only_what_the_person_wrote_is_kept(name: str) -> None:
    text, written = REPLIES[name]
    assert cut_quoted_thread(text) == written


@pytest.mark.parametrize("text", ["> a\n> b\n> c", "---------- Forwarded message ---------\nFrom: a\nTo: b\n\nSee this"])
def test_a_text_that_is_all_thread_is_kept_whole(text: str) -> None:
    assert cut_quoted_thread(text) == text


@given(st.text(st.sampled_from("> \nOn wrote:From1@<-_é")))
def test_any_text_has_an_answer_and_cutting_never_adds_to_it(text: str) -> None:
    cut = cut_quoted_thread(text)
    assert len(cut) <= len(text)
    assert bool(cut) == bool(text.strip())


HOSTILE = {
    "addresses": "2020/1/1 " + "<@" * 80 + "\n",
    "one line of addresses": "2020/1/1 " + " <@" * 80_000,
    "quoted addresses": ">2020/1/1 " + " <@" * 300 + "\n",
    "introductions without an end": "On On On On \n",
    "German introductions": "Am " + " schrieb " * 20 + "\n",
    "headers that aren't": "a: b\n",
    "headers": "From: a\n",
    "quoted headers": "> From: a\n",
    "quotations": "> a\n",
    "empty lines": "\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_other_text(name: str) -> None:
    piece = HOSTILE[name]
    text = (piece * (LIMIT // len(piece) + 1))[:LIMIT]
    begun = time.process_time()
    cut_quoted_thread(text)
    assert time.process_time() - begun < 1.0
    begun = time.process_time()
    cut_quoted_thread(text * 20)
    assert time.process_time() - begun < 1.0, "what is beyond the limit is not looked at"
