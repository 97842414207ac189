"""Intervals: of the mean of differences that come in clusters, and of a rate. Pure functions of numbers."""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided interval, in the unit of what was measured; `clusters` are those that it rests on."""

    estimate: float
    low: float
    high: float
    clusters: int


def mean_interval(values: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = CONFIDENCE) -> Interval:
    """The mean of values of which those of a cluster may depend on each other, with Student's t on clusters - 1 degrees of freedom.

    The variance is that of the ratio of sums over clusters, with the factor G / (G - 1) for few of them (Cameron and Miller, A Practitioner's
    Guide to Cluster-Robust Inference, 2015, section II; Miller, Adding Error Bars to Evals, 2024, section 2.2). Infinitely wide for fewer
    than two clusters. The order of the values doesn't matter.
    """
    from scipy.special import stdtrit

    sums: dict[Hashable, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster].append(value)
    groups = len(sums)
    mean = math.fsum(values) / len(values) if values else 0.0
    if groups < 2:
        return Interval(mean, -math.inf, math.inf, groups)
    off = math.fsum((math.fsum(each) - mean * len(each)) ** 2 for each in sums.values())
    error = math.sqrt(off * groups / (groups - 1)) / len(values)
    reach = float(stdtrit(groups - 1, (1 + confidence) / 2)) * error
    return Interval(mean, mean - reach, mean + reach, groups)


def wilson_interval(successes: float, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The rate of successes with Wilson's score interval (Wilson 1927); ties may count as half a success. From 0 to 1 without trials."""
    if not trials:
        return Interval(0.5, 0.0, 1.0, 0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return Interval(rate, max(0.0, middle - reach), min(1.0, middle + reach), trials)
