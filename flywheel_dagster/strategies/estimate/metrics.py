"""Which rates a metric is made of."""

from collections.abc import Collection, Mapping

from flywheel_dagster.errors import InputError
from flywheel_dagster.strategies.dimensions import PERFORMANCE, WEIGHTS, metric_named


def parts(metric: str, known: Collection[str]) -> Mapping[str, float]:
    """The weights of a metric's rates. Raises InputError for an unknown metric, and where a rate's posterior is missing."""
    weights = WEIGHTS if metric_named(metric) == PERFORMANCE else {metric: 1.0}
    missing = [each for each in weights if each not in known]
    if missing:
        raise InputError(f"{metric} needs the posterior of {' and '.join(missing)}; refresh the strategies")
    return weights
