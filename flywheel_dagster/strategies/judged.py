"""Strategies as people and agents see them: what was counted, beside what it is worth believing."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_dagster.strategies.counts import Counted, Counts
from flywheel_dagster.strategies.dimensions import PERFORMANCE, RATES, Strategy, name_of
from flywheel_dagster.strategies.estimate.cells import Cells, Segment
from flywheel_dagster.strategies.estimate.fit import fit_rates
from flywheel_dagster.strategies.estimate.ranking import ranked

_ESTIMATED = 25  # strategies: an agent waits for the answer


def judged(counted: Counted, keys: Sequence[str], metric: str) -> list[dict[str, Any]]:
    """A row a strategy, the one that is believed to be the best by `metric` first: each estimate is drawn towards the others' by as much as it is uncertain, and
    compares strategies as if they had been sent over the same channels. Beyond the twenty-five that were used most, rows have counts and no estimate."""
    totals = counted.by_strategy()
    compared = set(list(totals)[:_ESTIMATED])
    cells = {cell: counts for cell, counts in counted.by_channel.items() if cell[0] in compared}
    mix: dict[Segment, float] = {}
    for (_, channel), counts in cells.items():
        mix[channel, "", "", ""] = mix.get((channel, "", "", ""), 0.0) + counts.sent
    needed = RATES if metric == PERFORMANCE else RATES[: RATES.index(metric) + 1]
    found = ranked(
        fit_rates({name: _cells(cells, name) for name in needed}),
        metric=metric,
        mix=mix,
        evidence={strategy: totals[strategy].evidence(metric) for strategy in compared},
    )
    rows = [
        row_of(
            keys, each.strategy, totals[each.strategy], metric=metric, estimate=each.estimate, low=each.lower, high=each.upper,
            probability_best=each.probability_best, enough_data=each.enough_data, reason=each.reason or None,
        )
        for each in found
    ]  # fmt: skip
    rest = {
        "estimate": None,
        "low": None,
        "high": None,
        "probability_best": None,
        "enough_data": False,
        "reason": f"not among the {_ESTIMATED} used most",
    }
    return rows + [
        row_of(keys, strategy, counts, metric=metric, **rest) for strategy, counts in totals.items() if strategy not in compared
    ]


def row_of(keys: Sequence[str], strategy: Strategy, counts: Counts, *, metric: str, **believed: Any) -> dict[str, Any]:
    """A strategy's row: its decisions by key, its counts and rates, the metric's raw value, and what is believed of it."""
    return {
        **dict(zip(keys, strategy, strict=True)),
        "strategy": name_of(strategy),
        **counts.told(),
        "metric": metric,
        "raw": counts.raw(metric),
        **believed,
    }


def _cells(cells: Mapping[tuple[Strategy, str], Counts], metric: str) -> Cells:
    evidence = [counts.evidence(metric) for counts in cells.values()]
    return Cells(
        [strategy for strategy, _ in cells],
        [(channel, "", "", "") for _, channel in cells],
        [trials for trials, _ in evidence],
        [successes for _, successes in evidence],
    )
