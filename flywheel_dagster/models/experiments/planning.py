"""What an experiment can find, before it starts: the smallest difference that it would show after each week, and the weeks until a given one shows.

By the formula of one look: (bound's standard errors + z of the power)·standard error. Looking more often only adds power. Both arms are taken to vary as
control did.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.confidence_sequence import standard_errors
from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy


@dataclass(frozen=True)
class Design:
    """A planned experiment. Raises InputError for what can't be."""

    units_a_week: float
    """Units of all arms together: leads that get their first message."""
    value_mean: float
    """Control's mean X and variance of X at the age that is analysed, from the past."""
    value_variance: float
    event_share: float
    """Units of control with a value above 0, as a share: 0…1."""
    maturity_weeks: float = 2.0
    """Until a unit counts."""
    start_share: float = 0.1
    """Each variant's share of all units in the first weeks; afterwards the variants have `full_share` together."""
    start_weeks: int = 1
    full_share: float = 0.5
    weeks: int = 12
    variants: int = 1
    power: float = 0.8

    def __post_init__(self) -> None:
        if self.units_a_week <= 0 or not 0 < self.value_mean <= 1 or self.value_variance <= 0 or not 0 < self.event_share <= 1:
            raise InputError(
                "a plan needs units a week, a mean X, a variance and a share of events above 0: take them from control's past"
            )
        if not 0 < self.start_share * self.variants < 1 or not 0 < self.full_share < 1 or not 0 < self.power < 1:
            raise InputError("shares and power lie between 0 and 1, all variants together")


class Week(NamedTuple):
    """What can be found at the end of a week. `detectable` in X a unit, `relative` to control's mean; inf where nothing can."""

    week: int
    matured_units: float
    """Of control and one variant."""
    variant_units: float
    detectable: float
    relative: float


def plan(design: Design, policy: Policy = EVIDENCE) -> list[Week]:
    """A row for each week."""
    return [_week(design, policy, week) for week in range(1, design.weeks + 1)]


def weeks_to_decision(design: Design, effect: float, policy: Policy = EVIDENCE) -> int | None:
    """The first week in which a variant that is better by `effect` (0.3: 30 % of control's mean) is promoted with the design's power; None: in none.

    A variant within the policy's margin isn't promoted, however long it runs.
    """
    found = (each.week for each in plan(design, policy) if each.relative <= effect and effect > policy.margin)
    return next((week for week in found if week >= policy.minimum_weeks), None)


def planned_units(design: Design) -> int:
    """For `Policy.planned_units`: the effective units of one comparison halfway through the weeks in which units count, where the sequence serves all weeks well."""
    middle = design.maturity_weeks + (design.weeks - design.maturity_weeks) / 2
    return max(1, round(_effective(design, middle)[0]))


def _week(design: Design, policy: Policy, week: int) -> Week:
    effective, both, variant = _effective(design, week)
    detectable = inf
    if variant * design.event_share >= policy.minimum_events:
        alpha = policy.alpha / design.variants
        away = float(standard_errors(np.array(effective), planned_units=policy.planned_units, alpha=alpha))
        detectable = (away + float(ndtri(design.power))) * sqrt(4 * design.value_variance / effective)
    return Week(week, both, variant, detectable, detectable / design.value_mean)


def _effective(design: Design, week: float) -> tuple[float, float, float]:
    """Effective units of one comparison that have matured by a week, the units of both arms, and the variant's."""
    matured = max(0.0, week - design.maturity_weeks)
    early = min(matured, design.start_weeks)
    first = design.start_share, 1 - design.variants * design.start_share
    later = design.full_share / design.variants, 1 - design.full_share
    effective = both = variant = 0.0
    for weeks, (of_variant, of_control) in ((early, first), (matured - early, later)):
        units = weeks * design.units_a_week
        effective += 4 * units * of_variant * of_control / (of_variant + of_control)
        both += units * (of_variant + of_control)
        variant += units * of_variant
    return effective, both, variant
