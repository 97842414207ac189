"""A promotion that was made on early outcomes, looked at again when they are older: a deal may close long after the reply.

The units are those randomised before the promotion; nobody is added, they only grow older. So the evidence is bounded, and a proof that the promoted model
is worse may never come. A provisional promotion is taken back when the older outcomes prove it worse (the upper bound is below 0) or make that probable
enough (the policy's `reversal_probability`): the burden of proof is the variant's, and going back to the model before is the cautious choice.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flywheel_dagster.models.experiments.evidence import weigh
from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy
from flywheel_dagster.models.experiments.posterior import Posterior, Prior
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion, finite


class Finding(StrEnum):
    """What became of the promotion."""

    CONFIRMED = "confirmed"
    OPEN = "open"
    REVERSED = "reversed"


@dataclass(frozen=True)
class ReExamination:
    """A finding with what it rests on; the numbers are of the older outcomes."""

    finding: Finding
    reason: str
    criteria: tuple[Criterion, ...]
    estimate: float | None
    lower: float
    upper: float
    relative_improvement: float | None
    posterior: Posterior | None

    def record(self) -> dict[str, Any]:
        """For a stored decision: plain JSON, infinite bounds as None."""
        return {
            **vars(self),
            "finding": self.finding.value,
            "criteria": [each.record() for each in self.criteria],
            "lower": finite(self.lower),
            "upper": finite(self.upper),
            "posterior": self.posterior._asdict() if self.posterior else None,
        }


def re_examine(older: Totals, *, policy: Policy = EVIDENCE, variants: int = 1, prior: Prior | None = None) -> ReExamination:
    """Look again at a promoted variant: `older` are its experiment's totals at the greater age, of the units that have reached it."""
    found = weigh(older, policy, variants=variants, prior=prior)
    enough = found.events >= policy.minimum_events
    probability_worse = None if found.posterior is None else 1 - found.posterior.probability_better
    probable = enough and probability_worse is not None and probability_worse >= policy.reversal_probability
    likely = "no probability yet" if probability_worse is None else f"worse with a probability of {probability_worse:.0%}"
    criteria = (
        Criterion(
            "events", found.events, policy.minimum_events, enough, f"{found.events:,.0f} units with an outcome in the smaller arm"
        ),
        Criterion("lower_bound", found.lower, 0.0, found.lower > 0, f"better by at least {found.lower:+.5f} a unit"),
        Criterion("not_worse", found.upper, 0.0, found.upper >= 0, f"better by at most {found.upper:+.5f} a unit"),
        Criterion("not_probably_worse", probability_worse, policy.reversal_probability, not probable, likely),
    )
    if found.upper < 0:
        finding, reason = Finding.REVERSED, f"older outcomes prove the promoted model worse: {criteria[2].text}"
    elif probable:
        finding, reason = Finding.REVERSED, f"older outcomes make it probable enough that the promoted model is worse: {likely}"
    elif found.lower > 0:
        finding, reason = Finding.CONFIRMED, f"older outcomes still show it: {criteria[1].text}"
    else:
        finding, reason = Finding.OPEN, f"older outcomes neither confirm nor reverse it: {likely}, {criteria[0].text}"
    estimate = finite(float(found.difference.estimate))
    return ReExamination(finding, reason, criteria, estimate, found.lower, found.upper, found.relative, found.posterior)
