"""What a field's value says: a number, a word, or nothing. Not what is made of it."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import numpy as np

from flywheel_dagster.leads.learning.table import Floats

Value: TypeAlias = float | str | None

NUMBER = ""
"""Stands among words where there is a number; no word is empty."""
LARGEST = 1e300
"""Numbers beyond it count as it, so that differences stay finite."""
LONGEST_WORD = 100
"""Characters that tell words apart."""

_TRUTHS, _NUMBERS = (bool, np.bool_), (float, int, Decimal, np.number)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?", re.ASCII)


class Values(NamedTuple):
    """The values of n rows in F fields."""

    names: tuple[str, ...]
    """(F)"""
    numbers: Floats
    """(F, n): NaN where there is none."""
    words: list[list[str | None]]
    """F lists of n: the word; NUMBER where there is a number; None where nothing is."""

    def taken(self, rows: Sequence[int]) -> "Values":
        """These rows, in this order."""
        return self._replace(numbers=self.numbers[:, rows], words=[[column[row] for row in rows] for column in self.words])

    def of(self, names: Sequence[str]) -> "Values":
        """These fields, which are among its own."""
        place = {name: index for index, name in enumerate(self.names)}
        chosen = [place[name] for name in names]
        return Values(tuple(names), self.numbers[chosen], [self.words[index] for index in chosen])


def read_values(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> Values:
    """The values of the named fields; other fields don't count."""
    numbers = np.full((len(names), len(rows)), np.nan)
    words: list[list[str | None]] = []
    texts = _Texts()
    for place, name in enumerate(names):
        column = [texts[value] if value.__class__ is str else read_value(value) for value in (row.get(name) for row in rows)]
        given = [index for index, value in enumerate(column) if value.__class__ is float]
        if given:
            numbers[place, given] = [column[index] for index in given]
        words.append([NUMBER if value.__class__ is float else value for value in column])  # type: ignore[misc]
    return Values(tuple(names), numbers, words)


def read_value(value: object) -> Value:
    """A number within ±LARGEST (a date in days since 1970), a word without regard to case and spaces, or None for what is absent, blank,
    NaN or nested. Digits in text are a number unless they begin with 0 or +, as postal codes and telephone numbers may."""
    if value is None:
        return None
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, _TRUTHS):
        return "true" if value else "false"
    if isinstance(value, _NUMBERS):
        return _bounded(value)
    if isinstance(value, date):  # and datetime
        return _days(value)
    return None


class _Texts(dict[str, Value]):
    """Reads each text once, as most come in many rows."""

    def __missing__(self, text: str) -> Value:
        found = self[text] = _read_text(text)
        return found


def _read_text(text: str) -> Value:
    stripped = text.strip()
    if not stripped or stripped in {"NaN", "nan"}:
        return None
    if stripped[0] in "-0123456789":
        if _NUMBER.fullmatch(stripped):
            return _bounded(float(stripped))
        if _DATE.fullmatch(stripped):
            try:
                return _days(datetime.fromisoformat(stripped))
            except ValueError:
                pass  # the 30th of February is a word
    word = " ".join(stripped[:LONGEST_WORD].split()).casefold()
    return word if word.isascii() else word.encode(errors="replace").decode()  # half a surrogate pair can't be stored


def _bounded(number: int | float | Decimal | np.number) -> float | None:
    try:
        found = float(number)
    except OverflowError:
        return LARGEST if number > 0 else -LARGEST
    return None if math.isnan(found) else min(max(found, -LARGEST), LARGEST)


def _days(when: date) -> float:
    moment = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, tzinfo=UTC)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() / 86400
