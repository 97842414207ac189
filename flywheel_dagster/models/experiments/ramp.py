"""May the variant get more traffic? From 10 % to 50 %: a matter of safety, not of success."""

from typing import NamedTuple

from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy
from flywheel_dagster.models.experiments.safety import harm, soundness
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion

_DAYS = 7.0  # a whole week: every weekday was seen


class Ramp(NamedTuple):
    """Whether, and why."""

    allowed: bool
    reason: str
    criteria: tuple[Criterion, ...]


def may_ramp(
    exposed: Totals,
    *,
    days: float,
    matured: Totals | None = None,
    policy: Policy = EVIDENCE,
    variants: int = 1,
    feeds_alive: bool = True,
) -> Ramp:
    """Of one variant: both arms exposed, feeds alive, no sample-ratio mismatch, no guardrail breached, a whole week since the start.

    `exposed`: all units exposed so far. `matured` (default: the same): those whose meetings are known. With two variants, ramp when both may.
    """
    criteria = (
        *soundness(exposed, policy, feeds_alive=feeds_alive),
        Criterion("runtime", days, _DAYS, days >= _DAYS, f"it has run for {days:.1f} days of {_DAYS:g}"),
        *harm(exposed, exposed if matured is None else matured, policy, variants=variants),
    )
    failed = [each.text for each in criteria if not each.passed]
    return Ramp(not failed, "; ".join(failed) or "a whole week without a breached guardrail or a mismatch of shares", criteria)
