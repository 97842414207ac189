"""What must hold before any number is believed or any traffic is added: both arms exposed, feeds alive, the right shares, no guardrail breached."""

from flywheel_dagster.models.experiments.guardrails import COST, Guardrail, guardrails
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.sample_ratio import sample_ratio
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion

_NAMES = {
    "bounced": "bounces",
    "spam_reported": "spam reports",
    "unsubscribed": "unsubscribes",
    "negative_reply": "negative replies",
    COST: "cost a meeting",
}


def soundness(exposed: Totals, policy: Policy, *, feeds_alive: bool) -> list[Criterion]:
    """Can the comparison be believed? `both_arms`, `feeds`, `sample_ratio`."""
    control, variant = exposed.units.sum(axis=0).tolist()
    ratio = sample_ratio(exposed)
    matched = ratio.p_value >= policy.sample_ratio_level
    shares = f"the variant has {ratio.variant_units:,.0f} units where {ratio.expected:,.0f} were expected (p = {ratio.p_value:.2g})"
    return [
        Criterion(
            "both_arms",
            min(control, variant),
            1,
            min(control, variant) >= 1,
            f"exposed: {control:,.0f} control, {variant:,.0f} variant",
        ),
        Criterion(
            "feeds",
            float(feeds_alive),
            1,
            feeds_alive,
            "outcome feeds are alive" if feeds_alive else "an outcome feed is silent: repair it, then look again",
        ),
        Criterion(
            "sample_ratio",
            ratio.p_value,
            policy.sample_ratio_level,
            matched,
            shares if matched else f"sample-ratio mismatch: {shares}",
        ),
    ]


def harm(exposed: Totals, matured: Totals, policy: Policy, *, variants: int) -> list[Criterion]:
    """The guardrails as criteria: passed means not breached."""
    return [
        Criterion(each.name, each.evidence, each.threshold, not each.breached, _text(each))
        for each in guardrails(exposed, matured, policy, variants=variants)
    ]


def _text(found: Guardrail) -> str:
    if found.control is None or found.variant is None:
        return f"{_NAMES[found.name]}: nothing to compare yet"
    worse = "worse than control" if found.breached else "not shown to be worse than control"
    if found.name == COST:
        return f"{_NAMES[found.name]}: ${found.variant:,.4g} against ${found.control:,.4g}, {worse}"
    return f"{_NAMES[found.name]}: {found.variant:.2%} against {found.control:.2%}, {worse} (evidence {found.evidence:.3g} of {found.threshold:.0f})"
