"""From the values of fields to a matrix of numbers that are near 0 and never missing. What the columns mean is settled by `codes`."""

import numpy as np

from flywheel_dagster.leads.learning.codes import FieldCode
from flywheel_dagster.leads.learning.table import Floats
from flywheel_dagster.leads.learning.values import NUMBER, Values, read_values

_TOGETHER = 512
"""Rows whose numbers are looked up at once: (rows, fields, knots) fits into a processor's cache."""


class Encoder:
    """Encodes by the given codes, the same whether a row comes alone or among others.

    Columns (P): first the R fields with numbers, each by its rank -1…1 among the rows learnt from (0 where there is none); then marks, 0 or 1:
    for each field its words, its rare words together, its absence.
    """

    def __init__(self, codes: tuple[FieldCode, ...]) -> None:
        self.codes = codes
        self.names = tuple(code.name for code in codes)
        ranked = [place for place, code in enumerate(codes) if code.knots]
        self.ranks = len(ranked)
        self._ranked = np.array(ranked, dtype=np.intp)
        self._knots, self._heights = _padded([codes[place] for place in ranked])
        self._marks: list[dict[str | None, int]] = []
        self._others: list[int] = []
        owners, marks = list(ranked), 0
        for place, code in enumerate(codes):
            names: list[str | None] = [*code.words, *([None] if code.missing else [])]
            found = {name: marks + offset for offset, name in enumerate(names)}
            marks += len(names)
            self._others.append(marks if code.others else -1)
            marks += code.others
            self._marks.append({None: -1, NUMBER: -1, **found})
            owners += [place] * (len(names) + code.others)
        self._width = marks
        self.owners = np.array(owners, dtype=np.intp)
        """(P): the field that each column belongs to."""
        self.usual = self.encode(read_values([{code.name: code.usual for code in codes}], self.names))[0]
        """(P): a lead with the usual value in each field."""

    def encode(self, values: Values) -> Floats:
        """(n, P), of values with this encoder's fields in its order."""
        rows = values.numbers.shape[1]
        marks = np.zeros((rows, self._width + 1))  # the last column takes what has no mark
        if self._width:
            places = [
                [known.get(word, other) for word in column]
                for column, known, other in zip(values.words, self._marks, self._others, strict=True)
            ]
            marks[np.arange(rows), np.array(places, dtype=np.intp)] = 1.0
        return np.hstack([self._ranks_of(values.numbers[self._ranked].T), marks[:, :-1]])

    def _ranks_of(self, numbers: Floats) -> Floats:
        """(n, R): linear between knots, level beyond them."""
        found = np.empty(numbers.shape)
        fields = np.arange(self.ranks)
        for start in range(0, len(numbers), _TOGETHER):
            part = numbers[start : start + _TOGETHER]
            below = np.maximum((self._knots <= part[:, :, None]).sum(axis=2) - 1, 0)
            left, right = self._knots[fields, below], self._knots[fields, below + 1]
            low, high = self._heights[fields, below], self._heights[fields, below + 1]
            share = np.clip((part - left) / (right - left), 0.0, 1.0)
            found[start : start + _TOGETHER] = np.nan_to_num(low + share * (high - low), nan=0.0)
        return found


def _padded(codes: list[FieldCode]) -> tuple[Floats, Floats]:
    """(R, K) each: knots, after the last one infinity, and their ranks, after the last one the same."""
    longest = max((len(code.knots) for code in codes), default=0) + 1
    knots, heights = np.full((len(codes), longest), np.inf), np.zeros((len(codes), longest))
    for place, code in enumerate(codes):
        knots[place, : len(code.knots)] = code.knots
        heights[place] = [*code.ranks, *[code.ranks[-1]] * (longest - len(code.ranks))]
    return knots, heights
