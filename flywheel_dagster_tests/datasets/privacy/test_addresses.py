"""E-mail addresses, also hidden ones, and IP addresses."""

import pytest

from flywheel_dagster.datasets.privacy.known import KnownPeople, KnownSenders, Person
from flywheel_dagster.datasets.privacy.redaction import redact

KNOWN = KnownPeople(Person(email="Jane.Doe@harbor.example"), KnownSenders([Person(email="sam@flywheel.io")]))

EMAILS = (
    "a@b.co", "john.smith@example.com", "john+tag@example.co.uk", "o'neil@example.com", "UPPER@EXAMPLE.COM", "x_y-z%1@sub.domain.example.org",
    "info@müller-technik.de", "josé@example.es", "用户@例子.中国", "1234567890@example.com", "a@1.2.3.example", "jan (at) example (dot) com",
    "jan[at]example.com", "jan [at] example [dot] com", "jan(ät)example(punkt)de",
)  # fmt: skip
NO_EMAILS = (
    "@jane",
    "a @ b",
    "5 @ $10",
    "3@once",
    "meet @ 10.30",
    "look at example.com",
    "x@",
    "@@@@",
    "price(at)once",
    "user@localhost",
)
ADDRESSES = ("192.168.178.20", "8.8.8.8", "10.0.0.0/8", "203.0.113.42", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "2001:0db8:0000:0000:0000:ff00:0042:8329")  # fmt: skip
NO_ADDRESSES = (
    "version 10.0.19.1",
    "v1.2.3.4",
    "1.2.3",
    "300.1.2.3",
    "1.2.3.4.5",
    "10:30:45",
    "12:30",
    "std::vector",
    "a::b",
    "1:2:3",
    "::",
    "Chapter 3.1.2.4",
)


@pytest.mark.parametrize("around", ["{}", "Write to {}.", "<{}>", "mailto:{}", "({}), or", "'{}'", "...{}!", "“{}”"])
def test_an_address_goes(around: str) -> None:
    table = EMAILS
    assert [(redact(around.format(each), KNOWN).text, each) for each in table] == [
        (around.format("{{email_address}}"), each) for each in table
    ]


def test_what_is_none_stays() -> None:
    assert tuple(redact(text, KNOWN).text for text in NO_EMAILS) == NO_EMAILS


def test_known_addresses_become_merge_fields_in_any_case() -> None:
    assert redact("JANE.DOE@HARBOR.EXAMPLE, Sam@Flywheel.io", KNOWN).text == "{{email}}, {{sender_email}}"


@pytest.mark.parametrize("around", ["{}", "From {}.", "({})", "ping {}, then", "a\n{}"])
def test_an_ip_address_goes(around: str) -> None:
    table = ADDRESSES
    assert [(redact(around.format(each), KNOWN).text, each) for each in table] == [
        (around.format("{{ip_address}}"), each) for each in table
    ]


def test_versions_and_times_stay() -> None:
    assert tuple(redact(text, KNOWN).text for text in NO_ADDRESSES) == NO_ADDRESSES
