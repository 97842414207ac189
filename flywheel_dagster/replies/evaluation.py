"""How well replies were read: accuracy and macro-F1 against labels, with what chance could have made of them. Pure functions of labels."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from flywheel_dagster.errors import InputError

FIELDS = ("sentiment_label", "interest_level", "objection_type")
_Z = 1.959963984540054  # 95 % of a normal distribution
_RESAMPLES = 1_000
_SEED = 20_261_121


class Interval(NamedTuple):
    """A share between 0 and 1 with its 95 % confidence interval."""

    value: float
    low: float
    high: float


class FieldEvaluation(NamedTuple):
    """One field: accuracy (Wilson's interval), macro-F1 over the labels that occur in truth (bootstrap), and where it goes wrong.

    `confusion` counts replies by (true label, given label); `f1` is by true label; `worst` names labels, lowest F1 first.
    """

    accuracy: Interval
    macro_f1: Interval
    f1: Mapping[str, float]
    confusion: Mapping[tuple[str, str], int]
    worst: tuple[str, ...]


class Evaluation(NamedTuple):
    """A count of replies and the evaluation of each of FIELDS."""

    replies: int
    fields: Mapping[str, FieldEvaluation]


def evaluate(truth: Sequence[Mapping[str, Any]], analyses: Sequence[Mapping[str, Any]]) -> Evaluation:
    """Compares analyses with labels of the same replies in the same order. Raises InputError for none, or for different lengths."""
    if not truth or len(truth) != len(analyses):
        raise InputError(
            f"{len(truth)} labelled replies and {len(analyses)} analyses; give one analysis for each of at least one labelled reply"
        )
    return Evaluation(
        len(truth), {name: _field([each[name] for each in truth], [each[name] for each in analyses]) for name in FIELDS}
    )


def wilson(right: int, of: int) -> Interval:
    """A share and Wilson's score interval at 95 % (Wilson 1927)."""
    if not of:
        return Interval(0.0, 0.0, 1.0)
    share = right / of
    middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2)) / (1 + _Z**2 / of)
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach))


def _field(true: Sequence[str], given: Sequence[str]) -> FieldEvaluation:
    pairs = list(zip(true, given, strict=True))
    confusion = Counter(pairs)
    f1 = _f1(confusion)
    return FieldEvaluation(
        accuracy=wilson(sum(one == other for one, other in pairs), len(pairs)),
        macro_f1=_bootstrap(pairs, _mean(f1)),
        f1=f1,
        confusion=dict(confusion),
        worst=tuple(sorted(f1, key=lambda label: f1[label])),
    )


def _f1(confusion: Mapping[tuple[str, str], int]) -> dict[str, float]:
    true: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for (one, other), count in confusion.items():
        true[one] += count
        given[other] += count
    return {label: 2 * confusion.get((label, label), 0) / (count + given[label]) for label, count in sorted(true.items())}


def _mean(f1: Mapping[str, float]) -> float:
    return sum(f1.values()) / len(f1)


def _bootstrap(pairs: Sequence[tuple[str, str]], value: float) -> Interval:
    chance = random.Random(_SEED)  # noqa: S311 - resampling, no secret
    means = sorted(_mean(_f1(Counter(chance.choices(pairs, k=len(pairs))))) for _ in range(_RESAMPLES))
    return Interval(value, means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES)])
