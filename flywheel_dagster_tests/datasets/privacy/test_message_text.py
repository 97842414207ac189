"""A message's own text: signature blocks and quoted threads go, all else stays byte for byte."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.privacy.message_text import message_text_only

MESSAGE = (
    "Hi Ana,\r\n\r\nI saw that you are hiring.\xa0 Two things:\r\n- price\r\n- time\r\n\r\nWould a call next week help you decide?"
)


@pytest.mark.parametrize(
    "end",
    [
        "\n\nBest,\nSam",
        "\n\nBest,\nSam\n",
        "\r\n\r\nBest regards,\r\nSam Fox\r\nHead of Sales, Flywheel\r\n+1 415 867 5309\r\nwww.flywheel.example",
        "\n\nViele Grüße\nLena Vogt",
        "\n\nCordialement,\nChloé Renaud\n06 12 34 56 78",
        "\n\n-- \nSam Fox\nFlywheel",
        "\n\nSent from my iPhone",
        "\n\nOn Mon, Jan 6, 2025 at 10:00 AM Ana <ana@acme.example> wrote:\n> no thanks\n> bye",
        "\n\nBest,\nSam\n\n-----Original Message-----\nFrom: Ana <ana@acme.example>\nSent: Monday\nTo: Sam\nSubject: x\n\nno",
        "\n\n> quoted\n> lines\n> only",
    ],
)
def test_signatures_and_threads_go(end: str) -> None:
    assert message_text_only(MESSAGE + end) == MESSAGE


@pytest.mark.parametrize(
    "message",
    [
        "",
        " ",
        MESSAGE,
        "  leading blanks and trailing ones \n\n",
        "One line",
        "Is >50 people a team?\n\nWe think so:\nyes.",
        "Problem: time.\nSolution: us.\nWould that help?",
        "Best,\nSam",
        "> only\n> quoted\n> lines",
        "a\x00b\x07\u202eשלום\u2028🎉\r",
        "He wrote a book about it. **Bold** claims -- and __more__.",
    ],
)
def test_a_message_without_them_stays_byte_for_byte(message: str) -> None:
    assert message_text_only(message) == message


def test_a_sign_off_within_a_message_is_no_end() -> None:
    text = "Best,\nyou said, and I agree.\n\nShall we talk on Tuesday?"
    assert message_text_only(text) == text


def test_a_long_message_is_not_cut_short() -> None:
    long = "A sentence of some length, which goes on.\n" * 5_000
    assert message_text_only(long) == long
    assert message_text_only(long + "\nBest,\nSam") == long.rstrip()
    asked = "\n\nOn Mon, Jan 6, 2025 at 10:00 AM Ana <ana@acme.example> wrote:\n" + "> no\n" * 50_000
    assert message_text_only("Yes, gladly.\n" + asked) == "Yes, gladly."


@given(st.text(alphabet=st.sampled_from("ab \n\r>:-.,@BS|\xa0"), max_size=120))
def test_only_whole_lines_go(text: str) -> None:
    left = iter(message_text_only(text).splitlines())
    wanted = next(left, None)
    for line in text.splitlines():
        if wanted is not None and line.strip() == wanted.strip():
            wanted = next(left, None)
    assert wanted is None


@pytest.mark.parametrize(
    "unit", ["a", " ", "\n", "\r\n", ">", "> \n", ":", "a:\n", "--\n", "Best,\nSam\n", "On wrote:\n", "From: a\n", "(", "1", "é"]
)
def test_the_time_is_linear_in_a_hostile_text(unit: str) -> None:
    begin = time.process_time()
    message_text_only(unit * (200_000 // len(unit)))
    assert time.process_time() - begin < 2
