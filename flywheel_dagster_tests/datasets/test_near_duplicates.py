"""What texts are compared by, and which of them share a band."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.near_duplicates import BANDS, sketch, text_key, words

TEMPLATE = (
    "Hi {{first_name}}, teams like yours tell us that reporting eats two days of every month. We helped a company of your size cut "
    "that to an afternoon, without a migration. The whole thing runs beside what you have today, so there is nothing to rip out. "
    "Most of our customers start with one team, see the numbers, and grow from there. Would you be open to a short call next week?"
)


def are_near_duplicates(one: str, other: str) -> bool:
    """As `are_near_duplicates` and its callers in SQL have it."""
    first, second = sketch(words(one)), sketch(words(other))
    unequal = sum(here != there for here, there in zip(first.signature, second.signature, strict=True))
    return bool(set(first.bands) & set(second.bands)) and unequal <= 19


def test_the_hashes_are_the_same_for_ever_as_stored_ones_are_compared_with_new_ones() -> None:
    compared = words("Shall we talk about {{company}} next week?")
    found = sketch(compared)
    assert text_key(compared) == KEY
    assert (len(found.bands), found.bands[0], found.bands[-1]) == (BANDS, FIRST_BAND, LAST_BAND)
    assert hex(int(found.signature, 2)) == SIGNATURE


KEY, FIRST_BAND, LAST_BAND = -752139867915050562, -3979662435690599582, 4046071728994823843
SIGNATURE = "0x48378593767e8c43eaf8fbc4a94a7f24"


def test_case_punctuation_and_spacing_do_not_tell_texts_apart() -> None:
    assert text_key(words("Shall we talk?")) == text_key(words("  shall WE\n\ttalk!! "))
    assert text_key(words("Shall we talk?")) != text_key(words("Shall we walk?"))


@pytest.mark.parametrize(
    "changed",
    [
        TEMPLATE.replace("{{first_name}}", "there"),
        TEMPLATE.replace("a short call", "a quick call"),
        TEMPLATE + " Best regards",
        "I saw your new plant. " + TEMPLATE,
    ],
)
def test_a_template_with_a_few_other_words_is_a_near_duplicate(changed: str) -> None:
    assert are_near_duplicates(TEMPLATE, changed)


def test_other_messages_are_none() -> None:
    assert not are_near_duplicates(
        TEMPLATE, "Hello, our new catalogue is out. It has 400 pages on valves, pumps and seals for the food industry."
    )
    assert not are_near_duplicates("Shall we talk?", "Are you the right person?")


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("お世話になります。") == list("お世話になります")
    long = "貴社の営業チームは毎月の報告にどれくらいの時間を使っていますか。私たちは同じ規模の会社でそれを半日に減らしました。"
    assert are_near_duplicates(long, long.replace("半日", "一日"))


def test_the_share_of_texts_that_are_found_is_that_of_the_formula() -> None:
    """1 - (1 - s**8)**16, for a Jaccard similarity s of about 0.8, and the bits don't take it back: between 0.85 and 1 of 300 random pairs."""
    draw = random.Random(7)
    found = similar = 0.0
    for _ in range(300):
        text = [f"w{draw.randrange(10**6)}" for _ in range(120)]
        other = list(text)
        for place in draw.sample(range(120), 4):
            other[place] = f"x{place}"
        one, two = (set(zip(each, each[1:], each[2:], strict=False)) for each in (text, other))
        similar += len(one & two) / len(one | two)
        found += are_near_duplicates(" ".join(text), " ".join(other))
    assert 0.78 < similar / 300 < 0.86
    assert 0.85 < found / 300 <= 1


@given(st.text())
def test_every_text_has_a_key_and_a_sketch(text: str) -> None:
    compared = words(text)
    found = sketch(compared)
    assert found == sketch(compared)
    assert all(-(2**63) <= number < 2**63 for number in (text_key(compared), *found.bands))
    assert len(found.signature) == 128
