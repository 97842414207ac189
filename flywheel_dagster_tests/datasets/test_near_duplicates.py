"""What texts are compared by, and which of them share a band."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.datasets.near_duplicates import BANDS, fingerprint, words

TEMPLATE = (
    "Hi {{first_name}}, teams like yours tell us that reporting eats two days of every month. We helped a company of your size cut "
    "that to an afternoon, without a migration. The whole thing runs beside what you have today, so there is nothing to rip out. "
    "Most of our customers start with one team, see the numbers, and grow from there. Would you be open to a short call next week?"
)


def share_a_band(one: str, other: str) -> bool:
    return bool(set(fingerprint(one).bands) & set(fingerprint(other).bands))


def test_the_hashes_are_the_same_for_ever_as_stored_ones_are_compared_with_new_ones() -> None:
    known = fingerprint("Shall we talk about {{company}} next week?")
    assert known.key == KEY
    assert (len(known.bands), known.bands[0], known.bands[-1]) == (BANDS, FIRST_BAND, LAST_BAND)


KEY, FIRST_BAND, LAST_BAND = -752139867915050562, -3979662435690599582, 4046071728994823843


def test_case_punctuation_and_spacing_do_not_tell_texts_apart() -> None:
    assert fingerprint("Shall we talk?").key == fingerprint("  shall WE\n\ttalk!! ").key
    assert fingerprint("Shall we talk?").key != fingerprint("Shall we walk?").key


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
    assert share_a_band(TEMPLATE, changed)


def test_other_messages_are_none() -> None:
    assert not share_a_band(
        TEMPLATE, "Hello, our new catalogue is out. It has 400 pages on valves, pumps and seals for the food industry."
    )
    assert not share_a_band("Shall we talk?", "Are you the right person?")


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("お世話になります。") == list("お世話になります")
    long = "貴社の営業チームは毎月の報告にどれくらいの時間を使っていますか。私たちは同じ規模の会社でそれを半日に減らしました。"
    assert share_a_band(long, long.replace("半日", "一日"))


def test_the_share_of_texts_that_are_found_is_that_of_the_formula() -> None:
    """1 - (1 - s**8)**16, for a Jaccard similarity s of about 0.8: between 0.85 and 1 of 300 random pairs."""
    draw = random.Random(7)
    found = similar = 0.0
    for _ in range(300):
        text = [f"w{draw.randrange(10**6)}" for _ in range(120)]
        other = list(text)
        for place in draw.sample(range(120), 4):
            other[place] = f"x{place}"
        one, two = (set(zip(each, each[1:], each[2:], strict=False)) for each in (text, other))
        similar += len(one & two) / len(one | two)
        found += share_a_band(" ".join(text), " ".join(other))
    assert 0.78 < similar / 300 < 0.86
    assert 0.85 < found / 300 <= 1


@given(st.text())
def test_every_text_has_a_fingerprint(text: str) -> None:
    found = fingerprint(text)
    assert found == fingerprint(text)
    assert all(-(2**63) <= number < 2**63 for number in (found.key, *found.bands))
