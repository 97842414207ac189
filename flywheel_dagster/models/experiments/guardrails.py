"""Is the variant worse on what must not get worse? Sequential tests, valid at every look, whose alarm is false with a stated probability.

Rare events (bounce, spam report, unsubscribe, negative reply): given that a unit has the event, it is the variant's with probability p·r/(1-p+p·r), where p
is the variant's known share and r the ratio of the two risks. So each event is a Bernoulli trial, and the likelihood ratio of r > 1 against r = 1, averaged
over r, is an e-process for r ≤ 1: exact however rare the events and however the share changes between epochs. By Ville's inequality it reaches 1/α with
probability ≤ α. (Wald 1945 and Robbins 1970 for the mixture; Lindon and Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022, for
conditioning on counts.)

Cost a meeting: a ratio, linearised to cost - R·meeting with R of control (Budylin et al., "Consistent transformation of ratio metrics", WSDM 2018), and a
one-sided asymptotic confidence sequence of its difference.
"""

from typing import NamedTuple

import numpy as np

from flywheel_dagster.models.experiments.cohort import Floats
from flywheel_dagster.models.experiments.confidence_sequence import bounds
from flywheel_dagster.models.experiments.difference import arm_means, difference
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import finite

EVENTS = ("bounced", "spam_reported", "unsubscribed", "negative_reply")
COST = "cost_a_meeting"
NAMES = (*EVENTS, COST)
TESTS = len(NAMES)
_RATIOS = np.geomspace(1.2, 10.0, 12)


class Guardrail(NamedTuple):
    """One test. `breached` when `evidence` reaches `threshold`."""

    name: str
    control: float | None
    """Rate of each arm, or USD a meeting; None where it can't be told."""
    variant: float | None
    evidence: float
    """The e-value of an event; the lower bound of the linearised difference of cost a meeting, in USD a unit."""
    threshold: float
    breached: bool


def guardrails(exposed: Totals, matured: Totals, policy: Policy, *, variants: int = 1) -> tuple[Guardrail, ...]:
    """All five tests of one comparison: events among everybody exposed so far, cost a meeting among the matured. Each has `guardrail_alpha`/5/variants."""
    alpha = policy.guardrail_alpha / TESTS / variants
    counts = np.stack([getattr(exposed, name) for name in EVENTS])
    rates = arm_means(exposed, counts).tolist()
    values = e_values(counts, exposed.share).tolist()
    events = [
        Guardrail(name, finite(rate[0]), finite(rate[1]), value, 1 / alpha, value >= 1 / alpha)
        for name, rate, value in zip(EVENTS, rates, values, strict=True)
    ]
    return *events, cost_a_meeting(matured, alpha=alpha, policy=policy)


def e_values(counts: Floats, share: Floats) -> Floats:
    """Evidence that the variant's risk is higher, 0…∞. `counts`: units with the event, (…, epochs, 2); `share`: (epochs,)."""
    happened = counts.sum(axis=-1)
    chances = np.log1p(share[..., None, :] * (_RATIOS[:, None] - 1))
    logs = counts[..., 1].sum(axis=-1)[..., None] * np.log(_RATIOS) - (happened[..., None, :] * chances).sum(axis=-1)
    top = logs.max(axis=-1)
    values: Floats = np.exp(np.minimum(top, 700.0)) * np.exp(logs - top[..., None]).mean(axis=-1)
    return values


def cost_a_meeting(totals: Totals, *, alpha: float, policy: Policy) -> Guardrail:
    """The test of USD a meeting. Without `minimum_events` meetings in both arms it says nothing and isn't breached."""
    control, variant = (finite(float(each)) for each in _ratios(totals)[0])
    lower = float(cost_bound(totals, alpha=alpha, policy=policy))
    return Guardrail(COST, control, variant, lower, 0.0, lower > 0)


def cost_bound(totals: Totals, *, alpha: float, policy: Policy) -> Floats:
    """(…): the lower bound of the variant's cost - R·meeting a unit, where control's is 0; -inf while there are too few meetings."""
    ratios, meeting = _ratios(totals)
    ratio = np.where(np.isfinite(ratios[..., 0]), ratios[..., 0], 0.0)[..., None, None]
    # Control's part is scaled, so that the variance is that of the ratios' difference by the delta method, with an uncertain R.
    scale = np.stack(
        [meeting[..., 1] / np.where(meeting[..., 0] > 0, meeting[..., 0], np.nan), np.ones_like(meeting[..., 1])], axis=-1
    )[..., None, :]
    sums = scale * (totals.cost - ratio * totals.meeting)
    squares = scale**2 * (totals.cost_squared - 2 * ratio * totals.cost_of_met + ratio**2 * totals.meeting)
    enough = totals.meeting.sum(axis=-2).min(axis=-1) >= policy.minimum_events
    return bounds(difference(totals, sums, squares), planned_units=policy.planned_units, alpha=alpha, enough=enough).lower


def _ratios(totals: Totals) -> tuple[Floats, Floats]:
    """(…, 2) each: USD a meeting (nan without one), and meetings a unit."""
    meeting = arm_means(totals, totals.meeting)
    return arm_means(totals, totals.cost) / np.where(meeting > 0, meeting, np.nan), meeting
