"""Puts placeholders in the place of personal data in a message's text."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.addresses import replace_emails, replace_ip_addresses
from flywheel_dagster.datasets.privacy.known import KnownPeople
from flywheel_dagster.datasets.privacy.links import replace_links
from flywheel_dagster.datasets.privacy.numbers import replace_lettered_numbers, replace_numbers
from flywheel_dagster.datasets.privacy.phones import NumberingPlans, replace_phones
from flywheel_dagster.datasets.privacy.phrases import replace_phrases

_NO_DIGITS = bytes(code for code in range(256) if not 48 <= code <= 57)
_OTHER_DIGITS = re.compile("[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff10-\uff19]")
_LONG_NUMBER = re.compile(r"\d(?:[^\w\n]{0,3}\d){5}")
_FEWEST_DIGITS = 4  # of an IP address
_COLONS = 7  # of an IPv6 address without "::"


class Redacted(NamedTuple):
    """A text with placeholders, and how many of each name ("first_name", "email_address") were put in."""

    text: str
    counts: Mapping[str, int]


def redact(text: str, known: KnownPeople) -> Redacted:
    """The text with merge fields for what is known of the lead and the senders, and typed placeholders for other personal data.

    Merge fields: {{first_name}}, {{last_name}}, {{company}}, {{email}}, {{phone}}, and the same with "sender_" before. Others: {{email_address}},
    {{phone_number}}, {{link}}, {{card_number}}, {{iban}}, {{national_number}}, {{ip_address}}. What isn't replaced stays as it is, placeholders too;
    redacting twice changes nothing more. The time is linear in the text's length and doesn't depend on the number of senders.
    """
    counts: Counter[str] = Counter()
    text = replace_links(text, known, counts)
    text = replace_emails(text, known, counts)
    text = _replace_figures(text, known, counts)
    text = replace_phrases(text, known.phrases, known.senders.phrases, counts)
    return Redacted(text, counts)


def _replace_figures(text: str, known: KnownPeople, counts: Counter[str]) -> str:
    """Line by line, for most lines have no more than a year or a price."""
    data = text.encode("utf-8", "surrogatepass")
    anywhere = "::" in text or (not text.isascii() and _OTHER_DIGITS.search(text) is not None)
    if not anywhere and len(data.translate(None, _NO_DIGITS)) < _FEWEST_DIGITS:
        return text
    lines = text.split("\n")
    digits = [len(line.translate(None, _NO_DIGITS)) for line in data.split(b"\n")]
    plans = NumberingPlans(len(text))
    for number, count in enumerate(digits):
        if anywhere or count >= _FEWEST_DIGITS:
            lines[number] = _replace_in_line(lines[number], known, plans, counts)
    return "\n".join(lines)


def _replace_in_line(line: str, known: KnownPeople, plans: NumberingPlans, counts: Counter[str]) -> str:
    if _LONG_NUMBER.search(line):
        line = replace_numbers(line, counts)
        line = replace_ip_addresses(line, counts)
        return replace_phones(line, known, plans, counts)
    line = replace_lettered_numbers(line, counts)
    if line.count(".") > 2 or "::" in line or line.count(":") >= _COLONS:
        line = replace_ip_addresses(line, counts)
    return line
