"""Cards, IBANs and national numbers, each by its check digits."""

from collections.abc import Iterable

import pytest

from flywheel_dagster.datasets.privacy.known import KnownPeople, Person
from flywheel_dagster.datasets.privacy.redaction import redact

NOBODY = KnownPeople(Person())

CARDS = (
    "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5500 0055 5555 5559", "5555555555554444", "2223003122003222",
    "3782 822463 10005", "378282246310005", "6011 1111 1111 1117", "3056 930902 5904", "4222222222222", "4000056655665556",
)  # fmt: skip
IBANS = (
    "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "FR14 2004 1010 0505 0001 3M02 606",
    "ES9121000418450200051332", "PT50000201231234567890154", "NL91 ABNA 0417 1643 00", "BR1800360305000010009795493C1", "CH9300762011623852957",
    "IT60X0542811101000000123456", "AT611904300234573201", "BE68539007547034", "de89 3704 0044 0532 0130 00",
)  # fmt: skip
NATIONAL = (
    ("", "536-90-4399", "US SSN"),
    ("SSN: ", "536904399", "US SSN, called so"),
    ("", "AB 12 34 56 C", "UK National Insurance"),
    ("", "AB123456C", "UK National Insurance, together"),
    ("", "12345678Z", "Spanish DNI"),
    ("", "12.345.678-Z", "Spanish DNI, with signs"),
    ("", "X1234567L", "Spanish NIE"),
    ("", "1 84 12 76 451 089 46", "French NIR"),
    ("", "184127645108946", "French NIR, together"),
    ("", "86 095 742 719", "German Steuer-ID, grouped"),
    ("Steuer-ID: ", "86095742719", "German Steuer-ID, called so"),
    ("", "RCCMNL83S18D969H", "Italian codice fiscale"),
    ("", "529.982.247-25", "Brazilian CPF"),
    ("CPF ", "52998224725", "Brazilian CPF, called so"),
    ("NIF ", "123456789", "Portuguese NIF"),
    ("PESEL ", "44051401359", "Polish PESEL"),
    ("BSN ", "111222333", "Dutch BSN"),
    ("", "756.9217.0769.85", "Swiss AHV"),
    ("", "811228-9874", "Swedish personnummer"),
    ("", "85.07.30-033.28", "Belgian national number"),
    ("passport number ", "C01X00T47", "a passport"),
)
OTHERS = (
    "4111 1111 1111 1112", "1234 5678 9012 3456", "DE89 3704 0044 0532 0130 01", "GB82 WEST", "536-00-4399", "000-12-3456", "12345678A",
    "X1234567A", "529.982.247-26", "1 84 12 76 451 089 47", "Order 86095742718", "NIF 123456780", "RCCMNL83S18D969A", "AB 12 cd", "sin 30",
    "Aktenzeichen 12 345 678", "1Z999AA10123456784", "SIRET 732 829 320 00074", "DE811907980", "QR123456Z9", "EU-2024-00123", "BIC COBADEFFXXX",
)  # fmt: skip


AROUND = pytest.mark.parametrize("around", ["{}", "It is {}.", "({})", "a\n{}\nb", "{}, please", "mit {} BITTE"])


def _redacted(around: str, texts: Iterable[str]) -> list[str]:
    return [redact(around.format(text), NOBODY).text for text in texts]


@AROUND
def test_a_card_goes(around: str) -> None:
    assert _redacted(around, CARDS) == [around.format("{{card_number}}") for _ in CARDS]


@AROUND
def test_an_iban_goes(around: str) -> None:
    assert _redacted(around, IBANS) == [around.format("{{iban}}") for _ in IBANS]


@AROUND
def test_a_national_number_goes(around: str) -> None:
    wanted = [(around.format(f"{called}{{{{national_number}}}}"), what) for called, _, what in NATIONAL]
    assert [(redact(around.format(called + number), NOBODY).text, what) for called, number, what in NATIONAL] == wanted


def test_a_number_with_a_wrong_check_digit_stays() -> None:
    counts = {text: redact(f"It is {text} here", NOBODY).counts.keys() for text in OTHERS}
    assert not [text for text, names in counts.items() if names & {"card_number", "iban", "national_number"}]
