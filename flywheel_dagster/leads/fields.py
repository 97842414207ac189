"""What may be said of a lead: the standard fields with their ranges, and any attributes. How a request or a table says it is read elsewhere."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str
Features: TypeAlias = dict[str, Value]
"""All that is known of a lead, standard fields and attributes side by side; what is absent is missing."""


class LeadSource(StrEnum):
    """Where a lead came from."""

    WEBINAR = "Webinar"
    REFERRAL = "Referral"
    COLD_CALL = "Cold Call"
    EMAIL_CAMPAIGN = "Email Campaign"
    ORGANIC = "Organic"
    TRADE_SHOW = "Trade Show"
    ADVERTISEMENT = "Advertisement"


MOST_OF = {
    "age": 150, "email_opens": 1_000_000, "website_visits": 1_000_000, "content_downloads": 1_000_000, "days_since_contact": 36_525
}  # fmt: skip
"""Fields that are whole numbers from 0, with the largest that can be meant."""
WORDS = ("location", "industry", "lead_source")
STANDARD = (
    "age",
    "location",
    "industry",
    "email_opens",
    "website_visits",
    "content_downloads",
    "days_since_contact",
    "lead_source",
)
TAKEN = frozenset({*STANDARD, "lead_id", "organization_id", "actual_outcome", "attributes"})
"""Names that no attribute may have."""

MOST_ATTRIBUTES = 200
LONGEST_NAME = 100
LONGEST_WORD = 500
LARGEST_NUMBER = 1e15
"""Up to here a float tells whole numbers apart."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,10}(\.0+)?", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def attribute_name(name: str) -> str:
    """The name, if an attribute may have it. Raises ValueError saying why not."""
    if not 1 <= len(name) <= LONGEST_NAME or _UNSTORABLE.search(name):
        raise ValueError(f"an attribute's name should have 1 to {LONGEST_NAME} characters")
    if name in TAKEN:
        raise ValueError(f"{name} is a field of its own, and should not be among the attributes")
    return name


def attribute(value: object) -> Value | None:
    """An attribute's value, a number, word, boolean or None. Raises ValueError for anything else."""
    match value:
        case None | bool():
            return value
        case int() | float():
            if not abs(value) <= LARGEST_NUMBER:  # nor NaN
                raise ValueError(f"should be a number between -{LARGEST_NUMBER:.0e} and {LARGEST_NUMBER:.0e}")
            return value
        case str():
            return word(value)
    raise ValueError("should be a number, a word, true, false or null")


def word(text: str) -> str | None:
    """A text that can be stored; blank is None. Raises ValueError."""
    if len(text) > LONGEST_WORD:
        raise ValueError(f"should have at most {LONGEST_WORD} characters")
    if _UNSTORABLE.search(text):
        raise ValueError("should hold no NUL and no half of a surrogate pair")
    return text.strip() or None


def read_attribute(text: str) -> Value | None:
    """An attribute from a form or a table, which have texts only: true and false in any case, and numbers, are recognised.

    What begins with 0 or + is a word, as postal codes and telephone numbers may. Raises ValueError.
    """
    stripped = text.strip()
    if stripped.lower() in ("true", "false"):
        return stripped.lower() == "true"
    if _NUMBER.fullmatch(stripped):
        number = float(stripped)
        if abs(number) <= LARGEST_NUMBER:
            return int(stripped) if stripped.lstrip("-").isdigit() else number
    return word(stripped)


def read_standard(name: str, text: str) -> Value | None:
    """A standard field from a table. Raises ValueError for a number that is none or out of range, and an unknown lead_source."""
    if (given := word(text)) is None:
        return None
    if name == "lead_source":
        return _source(given)
    if name in WORDS:
        return given
    if not _WHOLE.fullmatch(given):
        raise ValueError(f"{name} should be a whole number")
    if not 0 <= (number := int(given.partition(".")[0])) <= MOST_OF[name]:
        raise ValueError(f"{name} should lie between 0 and {MOST_OF[name]:,}")
    return number


def as_columns(features: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Features apart: standard fields, and attributes."""
    return {
        "standard": {name: features[name] for name in STANDARD if name in features},
        "attributes": {name: value for name, value in features.items() if name not in STANDARD},
    }


def _source(given: str) -> str:
    for source in LeadSource:
        if source.value.casefold() == given.casefold():
            return source.value
    raise ValueError(f"lead_source should be one of {', '.join(LeadSource)}")
