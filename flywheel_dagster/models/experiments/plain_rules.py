"""The plain rules of the product's description: a better score, or better rates. They don't ask whether the difference is chance."""

from math import isfinite

from flywheel_dagster.models.experiments.difference import Difference, arm_means
from flywheel_dagster.models.experiments.policies import Policy
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion


def score_criteria(found: Difference, policy: Policy) -> list[Criterion]:
    """The variant's mean X is better by more than the margin."""
    return [_risen("score", float(found.control), float(found.variant), policy.margin)]


def rates_criteria(totals: Totals, policy: Policy) -> list[Criterion]:
    """Replies and deals better by so much, mean sentiment no lower, cost a meeting no higher. What isn't known isn't passed."""
    reply, deal, meeting, cost, sentiment, sentiments = (
        [float(each) for each in arm_means(totals, sums)]
        for sums in (totals.replied, totals.deal, totals.meeting, totals.cost, totals.sentiment, totals.sentiments)
    )
    return [
        _risen("reply_rate", reply[0], reply[1], policy.better_replies),
        _risen("deal_rate", deal[0], deal[1], policy.better_deals),
        _no_worse("mean_sentiment", sentiment, sentiments, lower_is_worse=True),
        _no_worse("cost_a_meeting_no_higher", cost, meeting, lower_is_worse=False),
    ]


def _risen(name: str, control: float, variant: float, wanted: float) -> Criterion:
    what = name.replace("_", " ")
    if not (isfinite(control) and control > 0):
        return Criterion(name, None, wanted, False, f"no {what} of control to compare with yet")
    risen = variant / control - 1
    return Criterion(name, risen, wanted, risen > wanted, f"{what} {risen:+.1%}, more than {wanted:+.0%} is wanted")


def _no_worse(name: str, parts: list[float], wholes: list[float], *, lower_is_worse: bool) -> Criterion:
    what = name.removesuffix("_no_higher").replace("_", " ")
    if not all(whole > 0 for whole in wholes):
        return Criterion(name, None, None, False, f"{what} is not known of both arms yet")
    control, variant = (part / whole for part, whole in zip(parts, wholes, strict=True))
    passed = variant >= control if lower_is_worse else variant <= control
    return Criterion(name, variant, control, passed, f"{what} {variant:.3g} against {control:.3g}")
