"""What is known of a lead and of an organisation's senders, compiled for finding it in texts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from flywheel_dagster.datasets.privacy.phrases import Phrases
from flywheel_dagster.datasets.privacy.values import company_phrases, name_phrases, own_domain, value_phrases

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]+")
SHORTEST_PHONE = 6  # digits
_NATIONAL = 8  # digits of a number with area code, at least
_COMPARED = 6  # last digits of a phone number, by which the numbers are looked up


class Person(NamedTuple):
    """What is known of a lead or a sender; None or "" where nothing is."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass
class _Known:
    phrases: Phrases = field(default_factory=Phrases)
    emails: dict[str, str] = field(default_factory=dict)
    phones: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, person: Person, prefix: str) -> None:
        first, last, company, email, phone = person
        self.phrases.add(name_phrases(first, last, prefix))
        self.phrases.add(company_phrases(company, email, f"{prefix}company"))
        if email:
            self._add_email(email.strip(), f"{prefix}email")
        if phone:
            self._add_phone(phone, f"{prefix}phone")

    def _add_email(self, email: str, name: str) -> None:
        if _EMAIL.fullmatch(email):
            self.emails.setdefault(email.lower(), name)
        else:
            self.phrases.add(value_phrases(email, name))

    def _add_phone(self, phone: str, name: str) -> None:
        digits = phone_digits(phone)
        if len(digits) >= SHORTEST_PHONE and not re.search(r"[^\W\d_]{2}", phone.partition("x")[0]):
            self.phones.setdefault(digits[-_COMPARED:], []).append((digits, name))
        else:
            self.phrases.add(value_phrases(phone, name))


class KnownSenders(_Known):
    """The senders of an organisation: made once, used for each of its messages; the cost of a message doesn't grow with their number."""

    def __init__(self, senders: Iterable[Person] = (), organization_name: str | None = None) -> None:
        super().__init__()
        self.phrases.add(company_phrases(organization_name, None, "sender_company"))
        for sender in senders:
            self.add(sender, "sender_")


_NO_SENDERS = KnownSenders()


class KnownPeople(_Known):
    """The lead of a message, and the senders of its organisation."""

    def __init__(self, lead: Person, senders: KnownSenders = _NO_SENDERS) -> None:
        super().__init__()
        self.senders = senders
        self.add(lead, "")
        self._domain = own_domain(lead.email)
        self.phrases.add(value_phrases(self._domain, "company"))

    def email(self, address: str) -> str | None:
        """The merge field of a known e-mail address."""
        address = address.lower()
        return self.emails.get(address) or self.senders.emails.get(address)

    def owns(self, host: str) -> bool:
        """Whether it is the lead's own domain, or one beneath it."""
        return bool(self._domain) and f".{host}".endswith(f".{self._domain}")

    def names_somebody(self, url: str) -> bool:
        """Whether the lead's name or company stands in a link, where all words are lower-case."""
        return self.phrases.named_in(url)

    def phone(self, written: str) -> str | None:
        """The merge field of a known phone number, in whatever notation."""
        digits = phone_digits(written)
        for known in (self.phones, self.senders.phones):
            for each, name in known.get(digits[-_COMPARED:], ()):
                if _is_same(digits, each):
                    return name
        return None


def phone_digits(written: str) -> str:
    """The digits of a phone number without extension, trunk prefix and the signs of an international call."""
    digits = "".join(character for character in written.replace("(0)", "").partition("x")[0] if character.isdecimal())
    return digits.lstrip("0")


def _is_same(one: str, other: str) -> bool:
    """National or international: one ends in the other, before which stands no more than a country code and a trunk prefix."""
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= _NATIONAL and long.endswith(short) and len(long) - len(short) <= 4)
