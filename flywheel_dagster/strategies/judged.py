"""Strategies as people and agents see them: what was counted, beside what it is worth believing."""

from collections.abc import Sequence
from typing import Any

from flywheel_dagster.strategies.counts import Counted, Counts
from flywheel_dagster.strategies.dimensions import PERFORMANCE, RATES, Strategy, name_of
from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.fit import fit
from flywheel_dagster.strategies.estimate.ranking import ranked


def judged(counted: Counted, keys: Sequence[str], metric: str) -> list[dict[str, Any]]:
    """A row a strategy, the one that is believed to be the best by `metric` first: each estimate is drawn towards the others' by as much as it is uncertain, and
    compares strategies as if they had been sent over the same channels."""
    totals = counted.by_strategy()
    channels = {channel: 0.0 for _, channel in counted.by_channel}
    for (_, channel), counts in counted.by_channel.items():
        channels[channel] += counts.sent
    posteriors = {name: fit(_cells(counted, name)) for name in (RATES if metric == PERFORMANCE else (metric,))}
    found = ranked(
        posteriors,
        metric=metric,
        mix={(channel, "", "", ""): sent for channel, sent in channels.items()},
        evidence={strategy: counts.evidence(metric) for strategy, counts in totals.items()},
    )
    return [
        row_of(
            keys, each.strategy, totals[each.strategy], metric=metric, estimate=each.estimate, low=each.lower, high=each.upper,
            probability_best=each.probability_best, enough_data=each.enough_data, reason=each.reason or None,
        )
        for each in found
    ]  # fmt: skip


def row_of(keys: Sequence[str], strategy: Strategy, counts: Counts, *, metric: str, **believed: Any) -> dict[str, Any]:
    """A strategy's row: its decisions by key, its counts and rates, the metric's raw value, and what is believed of it."""
    return {
        "strategy": name_of(strategy),
        **dict(zip(keys, strategy, strict=True)),
        **counts.told(),
        "metric": metric,
        "raw": counts.raw(metric),
        **believed,
    }


def _cells(counted: Counted, metric: str) -> Cells:
    evidence = {cell: counts.evidence(metric) for cell, counts in counted.by_channel.items()}
    return Cells(
        [strategy for strategy, _ in evidence],
        [(channel, "", "", "") for _, channel in evidence],
        [trials for trials, _ in evidence.values()],
        [successes for _, successes in evidence.values()],
    )
