"""The confidence sequence of a comparison by day of the experiment: what a person looks at."""

from math import isfinite
from typing import NamedTuple

from flywheel_dagster.models.experiments.confidence_sequence import path
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.verdict import finite
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.running import Experiment, Units


class Point(NamedTuple):
    """The difference in score a unit, variant minus control, after a day of the experiment; bounds are None while there are too few events."""

    day: float
    estimate: float
    lower: float | None
    upper: float | None


def path_of(units: Units, experiment: Experiment, variant: Arm, policy: Policy) -> list[Point]:
    """A point for each day on which units began to count; days without an estimate are left out."""
    days, totals = units.path(experiment, variant)
    alpha = policy.alpha / len(experiment.variants)
    walked = path(totals, planned_units=policy.planned_units, alpha=alpha, minimum_events=policy.minimum_events)
    points = zip(days, walked.estimate.tolist(), walked.lower.tolist(), walked.upper.tolist(), strict=True)
    return [Point(day, estimate, finite(low), finite(high)) for day, estimate, low, high in points if isfinite(estimate)]
