"""The numbers of one comparison, before any rule: estimate, bounds, posterior."""

from dataclasses import dataclass

import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.experiments.confidence_sequence import bounds, enough_events
from flywheel_dagster.models.experiments.difference import Difference, difference
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.posterior import Posterior, Prior, posterior
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion, Judgement, Verdict, finite


@dataclass(frozen=True)
class Evidence:
    """The numbers of a comparison, before any rule."""

    difference: Difference
    lower: float
    upper: float
    possible: float
    """Upper bound of the variant's mean minus control's mean raised by the margin."""
    events: float
    """Units with a value above 0, of the arm that has fewer."""
    alpha: float
    posterior: Posterior | None

    @property
    def relative(self) -> float | None:
        """The estimate as a share of control's mean."""
        control = float(self.difference.control)
        return float(self.difference.estimate) / control if control > 0 else None

    def judgement(self, verdict: Verdict, reason: str, criteria: tuple[Criterion, ...]) -> Judgement:
        """With a verdict, whatever it is."""
        control, variant, estimate = (
            finite(float(each)) for each in (self.difference.control, self.difference.variant, self.difference.estimate)
        )
        return Judgement(
            verdict, reason, criteria, control, variant, estimate, self.lower, self.upper, self.alpha, self.relative, self.posterior
        )


def weigh(matured: Totals, policy: Policy, *, variants: int = 1, prior: Prior | None = None) -> Evidence:
    """Estimate, bounds and posterior of totals without leading axes."""
    if variants < 1:
        raise InputError(f"an experiment has 1 variant or more, not {variants}")
    alpha = policy.alpha / variants
    raised = np.array([[[1.0, 1.0]], [[1.0 + policy.margin, 1.0]]])  # X as it is, and with control raised by the margin
    both = difference(matured, raised * matured.value, raised**2 * matured.value_squared)
    enough = enough_events(matured, policy.minimum_events)
    lower, upper = bounds(both, planned_units=policy.planned_units, alpha=alpha, enough=enough)
    found = Difference._make([*(each[0] for each in both[:-1]), both.effective_units])
    control_units, variant_units = matured.units.sum(axis=0).tolist()
    return Evidence(
        found,
        float(lower[0]),
        float(upper[0]),
        float(upper[1]),
        float(matured.valued.sum(axis=0).min()),
        alpha,
        posterior(found, units=(control_units, variant_units), prior=prior),
    )
