"""How rows are parted into those that are learnt from and those that are tested on."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from flywheel_dagster.leads.learning.table import LEAST_EACH, Bools, Places

_BLOCKS = (0.4, 0.6, 0.8, 1.0)
_LEAST_TESTED = 10


class Split(NamedTuple):
    """Positions of rows."""

    known: Places
    tested: Places


def random_splits(converted: Bools, groups: Sequence[str], *, folds: int) -> list[Split]:
    """Each row is tested once, by a part that has neither it nor another of its group; both outcomes are spread evenly. The parts follow
    from the groups' names alone, not from the rows' order."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    order = sorted(members, key=lambda group: (-len(members[group]), blake2b(group.encode(), digest_size=8).digest()))
    held = np.zeros((folds, 2), dtype=np.int64)  # rows lost and converted in each part
    rarer = int(converted.mean() <= 0.5)
    fold = np.empty(len(groups), dtype=np.intp)
    for group in order:
        rows = members[group]
        of_each = np.bincount(converted[rows], minlength=2)
        kind = rarer if of_each[rarer] else 1 - rarer
        place = min(range(folds), key=lambda part: (held[part, kind], held[part].sum(), part))
        held[place] += of_each
        fold[rows] = place
    return [Split(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(folds)]


def forward_splits(
    converted: Bools, groups: Sequence[str], told_at: Sequence[datetime] | None, *, least: int = _LEAST_TESTED
) -> list[Split]:
    """Learn from what was told before a moment, test on what was told until the next one: three tests with a growing past. A tested row whose
    group was known is left out. Empty where times don't part the rows, or a test would have fewer than `least` of an outcome."""
    if told_at is None:
        return []
    times = np.array([moment.timestamp() for moment in told_at])
    rows = len(times)
    moments = np.sort(times)[[min(int(share * rows), rows - 1) for share in _BLOCKS]]
    found = []
    for begin, end in zip(moments[:-1], [*moments[1:-1], np.inf], strict=True):
        known = np.flatnonzero(times < begin)
        past = {groups[row] for row in known.tolist()}
        tested = [row for row in np.flatnonzero((times >= begin) & (times < end)).tolist() if groups[row] not in past]
        split = Split(known, np.array(tested, dtype=np.intp))
        if _fewest(converted[split.known]) < LEAST_EACH or _fewest(converted[split.tested]) < least:
            return []
        found.append(split)
    return found


def _fewest(converted: Bools) -> int:
    return min(int(converted.sum()), int((~converted).sum()))
