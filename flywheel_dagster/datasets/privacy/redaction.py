"""Puts placeholders in the place of personal data in a message's text."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.addresses import replace_emails, replace_ip_addresses
from flywheel_dagster.datasets.privacy.known import KnownPeople
from flywheel_dagster.datasets.privacy.links import replace_links
from flywheel_dagster.datasets.privacy.numbers import replace_fiscal_codes, replace_numbers
from flywheel_dagster.datasets.privacy.phones import replace_phones
from flywheel_dagster.datasets.privacy.phrases import replace_phrases

_DIGITS = re.compile(r"\d(?:[^\w\n]{0,3}\d){5}")
_FEW_DIGITS = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d|[0-9a-fA-F]:[0-9a-fA-F]{0,4}:")


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
    if _DIGITS.search(text):
        text = replace_numbers(text, counts)
        text = replace_ip_addresses(text, counts)
        text = replace_phones(text, known, counts)
    elif _FEW_DIGITS.search(text):
        text = replace_ip_addresses(text, counts)
    text = replace_fiscal_codes(text, counts)
    text = replace_phrases(text, known.phrases, known.senders.phrases, counts)
    return Redacted(text, counts)
