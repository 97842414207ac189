"""Whether a strategy's leads are mixed as the others' are, by segment field: where they aren't, raw rates compare leads as much
as strategies."""

from typing import NamedTuple

import numpy as np

from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import FIELDS, Cells
from flywheel_dagster.strategies.estimate.held import apart

NOTICEABLE, LARGE = 0.1, 0.25
"""Standardised differences: above 0.1 groups are held to differ (Austin, Statistics in Medicine 28 (2009)); above 0.25
adjustment by a model isn't trusted to mend it (Rubin, Health Services and Outcomes Research Methodology 2 (2001); Stuart,
Statistical Science 25 (2010))."""
_CHANCE = 3.0
"""Standard errors within which a difference is put down to chance, as there are many values in each field."""


class Imbalance(NamedTuple):
    """The value of a field in which the strategy's leads differ most from those of the others."""

    field: str
    value: str
    share: float
    share_of_others: float
    difference: float
    """In shares, divided by their pooled standard deviation; positive where the strategy has more."""
    large: bool
    text: str


def imbalances(cells: Cells, strategy: Strategy) -> list[Imbalance]:
    """Of each field the value that differs most, worst first; only noticeable ones, beyond chance. Raises InputError for a
    strategy that the cells don't have."""
    one, other = (each[0] for each in apart(cells, strategy))
    if not one.sum() or not other.sum():
        return []
    segments = cells.merged.segments
    found = []
    for position, field in enumerate(FIELDS):
        levels = sorted({segment[position] for segment in segments})
        code = [levels.index(segment[position]) for segment in segments]
        own, others = (np.bincount(code, each, len(levels)) / each.sum() for each in (one, other))
        spread = np.sqrt((own * (1 - own) + others * (1 - others)) / 2)
        difference = np.divide(own - others, spread, out=np.zeros(len(levels)), where=spread > 0)
        difference[(spread == 0) & (own != others)] = np.inf
        worst = int(np.abs(difference).argmax())
        if abs(difference[worst]) > max(NOTICEABLE, _CHANCE * np.sqrt(1 / one.sum() + 1 / other.sum())):
            found.append(
                _imbalance(strategy, field, levels[worst], float(own[worst]), float(others[worst]), float(difference[worst]))
            )
    return sorted(found, key=lambda each: -abs(each.difference))


def _imbalance(strategy: Strategy, field: str, value: str, share: float, others: float, difference: float) -> Imbalance:
    large = abs(difference) > LARGE
    advice = "compare within segments, not the raw rates" if large else "the raw rates compare leads too"
    text = (
        f"{'_'.join(strategy)} went to other leads than the rest: {field.replace('_', ' ')} {value or 'unknown'} is {share:.0%} of its messages "
        f"and {others:.0%} of the others'; {advice}"
    )
    return Imbalance(field, value, share, others, difference, large, text)
