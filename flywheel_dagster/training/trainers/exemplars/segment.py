"""The fields of a request (industry, role, channel …), and which messages were sent to the nearest segment. Pure functions of plain values."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from flywheel_dagster.datasets.prompts import ASKED

# How much it counts that a field is equal; any other counts 1.
_WEIGHTS = {"channel": 3.0, "industry": 3.0, "role": 3.0, "framework": 2.0, "tone": 2.0}

Fields = Mapping[str, str]


def request_fields(text: str) -> Fields:
    """The lines "Role: VP Sales" of a request in the words of `prompts.py`, in lower case: {"role": "vp sales"}. Empty for any other text."""
    first, *lines = text.strip().splitlines() or [""]
    if first != ASKED:
        return {}
    named = (line.partition(":") for line in lines)
    return {_plain(name): _plain(value) for name, colon, value in named if colon and value.strip()}


class SegmentIndex:
    """Finds which of many items have the most, and the rarest, fields in common with a request."""

    def __init__(self, items: Sequence[Fields]) -> None:
        self._size = len(items)
        self._having: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, fields in enumerate(items):
            for field in fields.items():
                self._having[field].append(number)

    def ranked(self, request: Fields) -> list[int]:
        """The numbers of all items, the most similar first, and equally similar ones in their own order.

        The similarity of an item is the weighted share of the request's fields that are equal: Σ w·r over the equal ones, by Σ w·r over all,
        which is the same for all items and left out. w is how much a field counts; r = ln((N + 1) / (n + 0.5)), where n of N items have the
        request's value, so that a value that nearly all share says nearly nothing (the idea of inverse document frequency, Spärck Jones, 1972).
        """
        similarity = [0.0] * self._size
        for field in request.items():
            having = self._having.get(field, ())
            gain = _WEIGHTS.get(field[0], 1.0) * math.log((self._size + 1) / (len(having) + 0.5))
            for number in having:
                similarity[number] += gain
        return sorted(range(self._size), key=similarity.__getitem__, reverse=True)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
