"""How each field is to be encoded, found from the rows that are learnt from: which numbers, words and absences tell leads apart at all,
and which fields tell none. No outcome is looked at here."""

import re
from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np

from flywheel_dagster.leads.learning.table import Floats
from flywheel_dagster.leads.learning.values import NUMBER, Value, Values

LEAST = 4
"""Rows that a word, an absence or a field's numbers need for a column of their own."""
MOST_KNOTS = 32
MOST_MARKS = 300
"""Columns of words; beyond it the rarest words of all fields are pooled, too."""

_CHANCE_MEETINGS, _FEW = 10.0, 0.1
_NAMED = re.compile(r"(^|[^a-z])(id|uuid|guid|number|nr|no)$")


class FieldCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field. Between `knots` (growing) a number's rank is linear between `ranks` (-1…1, growing)."""

    name: str
    knots: tuple[float, ...]
    ranks: tuple[float, ...]
    words: tuple[str, ...]
    others: bool
    """Other words than these have a column together; without it they count as nothing."""
    missing: bool
    """Absence has a column; without it it counts as nothing."""
    usual: Value
    """The middle number, the most frequent word, or None, whichever most rows have."""


@dataclass(frozen=True)
class Note:
    """What was noticed about a field."""

    field: str
    text: str


def find_codes(values: Values) -> tuple[tuple[FieldCode, ...], list[Note]]:
    """The codes of the fields that tell leads apart, and a note on each of the rest."""
    counts = [Counter(column) for column in values.words]
    kept = _frequent_words(counts)
    found, notes = [], []
    for name, numbers, counted, words in zip(values.names, values.numbers, counts, kept, strict=True):
        given = numbers[~np.isnan(numbers)]
        reason = _useless(name, given, counted, bool(words))
        code = _code(name, np.empty(0) if reason else given, counted, words)
        if code.knots or code.words or code.missing:
            found.append(code)
        if reason:
            notes.append(Note(name, reason + ("; only whether it is given counts" if code.missing else "; dropped")))
    return tuple(found), notes


def _code(name: str, numbers: Floats, counted: Counter[str | None], words: list[str]) -> FieldCode:
    rows = counted.total()
    knots, ranks = _knots(numbers)
    options: list[str | None] = [*words, None]
    frequent = max(options, key=lambda word: (counted[word], word or ""))
    usual: Value = frequent
    if len(numbers) > counted[frequent]:
        usual = float(np.quantile(numbers, 0.5, method="lower"))
    pooled = sum(counted[word] for word in counted if word not in (None, NUMBER)) - sum(counted[word] for word in words)
    return FieldCode(
        name=name,
        knots=knots,
        ranks=ranks,
        words=tuple(words),
        others=bool(words or knots) and pooled >= LEAST,
        missing=LEAST <= counted[None] <= rows - LEAST,
        usual=usual,
    )


def _knots(numbers: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Up to MOST_KNOTS distinct numbers, evenly by rank, each with the middle rank of its repeats."""
    distinct, repeats = np.unique(numbers, return_counts=True)
    if len(distinct) < 2 or len(numbers) - repeats.max() < LEAST:
        return (), ()
    middle = 2 * (np.cumsum(repeats) - repeats / 2) / len(numbers) - 1
    chosen = np.unique(np.searchsorted(middle, np.linspace(middle[0], middle[-1], MOST_KNOTS)))
    return tuple(distinct[chosen].tolist()), tuple(middle[chosen].tolist())


def _frequent_words(counts: list[Counter[str | None]]) -> list[list[str]]:
    """Of each field the words with a column of their own, in order; a field whose every row has the same word has none."""
    candidates = [
        (count, field, word)
        for field, counted in enumerate(counts)
        for word, count in counted.items()
        if word is not None and word != NUMBER and LEAST <= count <= counted.total() - LEAST
    ]
    candidates.sort(key=lambda each: (-each[0], each[1], each[2]))
    found: list[list[str]] = [[] for _ in counts]
    for _, field, word in candidates[:MOST_MARKS]:
        found[field].append(word)
    return [sorted(words) for words in found]


def _useless(name: str, numbers: Floats, counted: Counter[str | None], has_words: bool) -> str | None:
    """Why neither the field's numbers nor its words tell leads apart; None where they do."""
    words = counted.total() - counted[None] - counted[NUMBER]
    different = len(counted) - (None in counted) - (NUMBER in counted)
    if words + len(numbers) == 0:
        return "no value in any row"
    if words == 0 and _names_rows(name, numbers):
        return "whole numbers that hardly ever repeat, as those that name rows"
    if has_words or _knots(numbers)[0]:
        return None
    if different > 1 and different >= 0.9 * words:
        return "nearly as many words as rows, as those that name rows"
    return "nearly the same value in all rows" if different <= 1 else "no value is frequent enough"


def _names_rows(name: str, numbers: Floats) -> bool:
    """Whole numbers that were given out: where n independent ones within a range R would meet about n²/2R times, they (hardly) never do. In a
    range too wide to tell, the field's name must say it, and none may repeat."""
    if np.any(numbers != np.round(numbers)):
        return False
    distinct, rows = len(np.unique(numbers)), len(numbers)
    wide = float(np.ptp(numbers)) + 1
    by_chance = rows + wide * np.expm1(rows * np.log1p(-1 / wide)) if wide > 1 else 0.0
    if by_chance >= _CHANCE_MEETINGS:
        return rows - distinct < _FEW * by_chance
    return distinct == rows > LEAST and _NAMED.search(name.casefold()) is not None
