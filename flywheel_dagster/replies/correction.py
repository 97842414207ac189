"""Rates as they would be if people had read every reply: what a machine reported, corrected by what people said of a weighted sample."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flywheel_dagster.replies.analysis import Sentiment

ENOUGH = 30  # reviews below which no rate is corrected
_RESAMPLES, _SEED = 500, 4


class Review(NamedTuple):
    """A reply that a machine and then a person judged; it was drawn to stand for `weight` replies."""

    machine: str
    human: str
    weight: float
    machine_objection: str | None = None
    human_objection: str | None = None


@dataclass(frozen=True)
class CorrectedShare:
    """A label's share of replies, 0..1: as reported, corrected, and the corrected share's 95 % interval (percentile bootstrap)."""

    label: str
    reported: float
    corrected: float
    low: float
    high: float


def confusion(reviews: Sequence[Review]) -> dict[tuple[str, str], float]:
    """Estimated replies by (machine's label, person's label)."""
    counts: Counter[tuple[str, str]] = Counter()
    for review in reviews:
        counts[review.machine, review.human] += review.weight  # type: ignore[assignment]  # a Counter adds any number
    return dict(counts)


def agreement(reviews: Sequence[Review]) -> float:
    """The estimated share of replies, 0..1, on whose label machine and people agree; 0 without reviews."""
    matrix = confusion(reviews)
    return sum(count for (machine, human), count in matrix.items() if machine == human) / (sum(matrix.values()) or 1)


def corrected_shares(reported: Mapping[str, int], reviews: Sequence[Review]) -> list[CorrectedShare]:
    """Each label's corrected share: what people say of the replies with a machine's label, weighted, times how often it gave that label.

    A label of the machine's that nobody reviewed counts as right. Empty where there are fewer than ENOUGH reviews, or nothing is reported.
    """
    if len(reviews) < ENOUGH or not sum(reported.values()):
        return []
    draw = random.Random(_SEED)  # noqa: S311  no secret
    resampled = [_shares(reported, draw.choices(reviews, k=len(reviews))) for _ in range(_RESAMPLES)]
    total, corrected = sum(reported.values()), _shares(reported, reviews)
    found = []
    for label in Sentiment:
        values = sorted(shares[label] for shares in resampled)
        low, high = values[int(0.025 * _RESAMPLES)], values[int(0.975 * _RESAMPLES) - 1]
        found.append(CorrectedShare(label.value, reported.get(label, 0) / total, corrected[label], low, high))
    return found


def _shares(reported: Mapping[str, int], reviews: Sequence[Review]) -> dict[str, float]:
    matrix, total = confusion(reviews), sum(reported.values())
    shares = dict.fromkeys([label.value for label in Sentiment], 0.0)
    for machine, count in reported.items():
        weights = {human: matrix.get((machine, human), 0.0) for human in shares}
        known = sum(weights.values())
        for human in shares:
            right = float(human == machine) if not known else weights[human] / known
            shares[human] += count / total * right
    return shares
