"""Telephone numbers in the notations of many countries, and figures that look like them."""

import pytest

from flywheel_dagster.datasets.privacy.known import KnownPeople, Person
from flywheel_dagster.datasets.privacy.redaction import redact

NOBODY = KnownPeople(Person())

NUMBERS = (
    ("+1 (415) 867-5309", "international, US"),
    ("+ 49 30 901820", "with a blank behind the plus sign"),
    ("+1.415.867.5309", "with full stops"),
    ("+44 20 7946 0958", "London"),
    ("+44 (0)20 7946 0958", "with the trunk zero in brackets"),
    ("+49 30 901820", "Berlin"),
    ("+49 (0)171 2345678", "German mobile"),
    ("+33 6 12 34 56 78", "French mobile"),
    ("+34 612 345 678", "Spanish mobile"),
    ("+55 11 91234-5678", "São Paulo"),
    ("+351 912 345 678", "Portugal"),
    ("+41 44 668 18 00", "Zürich"),
    ("+919876543210", "India, without spaces"),
    ("0049 30 901820", "international by zeros"),
    ("(415) 867-5309", "US with brackets"),
    ("415-867-5309", "US with hyphens"),
    ("415.867.5309", "US with full stops"),
    ("1-800-275-2273", "toll-free"),
    ("030 901820", "Berlin, national"),
    ("030/901820", "with a slash"),
    ("089-1234567", "with a hyphen"),
    ("0171 2345678", "German mobile, national"),
    ("01 42 68 53 00", "Paris, national"),
    ("06.12.34.56.78", "French mobile with full stops"),
    ("0612345678", "French mobile, together"),
    ("020 7946 0958", "London, national"),
    ("07911 123456", "British mobile"),
    ("612 345 678", "Spanish mobile, national"),
    ("91 787 65 43", "Madrid"),
    ("(11) 91234-5678", "Brazilian mobile"),
    ("(21) 3295-8000", "Brazilian landline"),
    ("912 345 678", "Portuguese mobile, national"),
    ("040 808074-0", "with an extension"),
)
FIGURES = (
    ("on 12/05/2024 at 10:30", "a date and a time"),
    ("on 2024-05-12T10:30:00", "ISO 8601"),
    ("am 31.12.2024 um 18:00", "a German date"),
    ("between 2019-2023", "years"),
    ("in 2021, 2022, 2023 and 2024", "a list of years"),
    ("for $1,250,000", "a price in dollars"),
    ("für 1.250.000,00 EUR", "a price in euros"),
    ("1 250 000 000 €", "a price with spaces"),
    ("saves 12.5% to 37.25%", "percentages"),
    ("order 4155552671", "an order"),
    ("Bestellnummer 0171234567", "a German order"),
    ("commande n° 0612345678", "a French order"),
    ("pedido 612345678", "a Spanish order"),
    ("ticket #4158675309", "a ticket"),
    ("invoice 2024-118273", "an invoice"),
    ("version 10.15.7.1023", "a version"),
    ("v4.18.0-20240512", "a version with a date"),
    ("ISBN 978-3-16-148410-0", "a book"),
    ("12345678 rows", "a count"),
    ("100 000 000 users", "a count with spaces"),
    ("ISO 27001:2022", "a standard"),
    ("1:1000000", "a scale"),
    ("52.5200, 13.4050", "coordinates"),
    ("10115 Berlin", "a postcode"),
    ("24/7, 5-10 days, 3 x 40", "small figures"),
    ("1,204,339 tickets", "a count with commas"),
    ("20240512103000", "a timestamp"),
)


@pytest.mark.parametrize("around", ["{}", "Reach us at {}.", "Bis bald ({})", "a line\n{}\nanother", "{}, or later"])
def test_a_telephone_number_goes(around: str) -> None:
    left = [(redact(around.format(number), NOBODY).text, notation) for number, notation in NUMBERS]
    assert left == [(around.format("{{phone_number}}"), notation) for _, notation in NUMBERS]


@pytest.mark.parametrize("around", ["{}", "That was {}.", "We said {} and meant it"])
def test_what_only_looks_like_one_stays(around: str) -> None:
    left = [(redact(around.format(figures), NOBODY).text, what) for figures, what in FIGURES]
    assert left == [(around.format(figures), what) for figures, what in FIGURES]


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("+49 30 1234567", "030 1234567"),
        ("+49 30 1234567", "+49 (0)30 123 45 67"),
        ("+49 30 1234567", "0049301234567"),
        ("030/1234567", "+49 30 1234567"),
        ("+1 415 555 0134", "(415) 555-0134"),
        ("(415) 555-0134", "+1 415.555.0134"),
        ("4155550134", "415-555-0134"),
        ("+1 415 555 0134 x22", "415 555 0134"),
        ("+33142685300", "01 42 68 53 00"),
        ("612345678", "+34 612 34 56 78"),
    ],
)
def test_the_stored_number_is_found_in_any_notation(stored: str, written: str) -> None:
    known = KnownPeople(Person(phone=stored))
    assert redact(f"Call {written}!", known).text == "Call {{phone}}!"
    assert redact(f"{written} is it", known).text == "{{phone}} is it"


def test_several_numbers_on_a_line_all_go() -> None:
    text = "030 901820 / 0171 2345678, 415-867-5309 - (21) 3295-8000"
    assert redact(text, NOBODY).text == "{{phone_number}} / {{phone_number}}, {{phone_number}} - {{phone_number}}"


def test_a_number_after_a_date_goes_and_the_date_stays() -> None:
    assert redact("12.05.2024 030 901820", NOBODY).text == "12.05.2024 {{phone_number}}"
