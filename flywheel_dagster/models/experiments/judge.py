"""The verdict about one variant, by the experiment's policy."""

from math import inf

from flywheel_dagster.models.experiments.evidence import Evidence, weigh
from flywheel_dagster.models.experiments.plain_rules import rates_criteria, score_criteria
from flywheel_dagster.models.experiments.policies import EVIDENCE, Policy, Rule
from flywheel_dagster.models.experiments.posterior import Prior
from flywheel_dagster.models.experiments.safety import harm, soundness
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Criterion, Judgement, Verdict


def judge(
    matured: Totals,
    *,
    days: float,
    exposed: Totals | None = None,
    policy: Policy = EVIDENCE,
    variants: int = 1,
    feeds_alive: bool = True,
    prior: Prior | None = None,
) -> Judgement:
    """Judge one variant against control.

    `matured`: the units exposed long enough ago, with X at that age. `exposed`: all units exposed so far, with the events known today, for guardrails and
    shares (default: the matured). `days`: since the experiment began. `variants`: how many are compared with the same control; the probabilities of error are
    split between them. A breached guardrail rolls back and a sample-ratio mismatch leaves open under every policy.
    """
    exposed = matured if exposed is None else exposed
    evidence = weigh(matured, policy, variants=variants, prior=prior)
    sound = soundness(exposed, policy, feeds_alive=feeds_alive)
    sound.append(Criterion("runtime", days, 7.0 * policy.minimum_weeks, days >= 7 * policy.minimum_weeks, _runtime(days, policy)))
    if policy.rule is not Rule.EVIDENCE:
        fewest = float(matured.units.sum(axis=0).min())
        enough = fewest >= policy.minimum_units
        sound.append(
            Criterion(
                "units", fewest, policy.minimum_units, enough, f"{fewest:,.0f} units in the smaller arm of {policy.minimum_units}"
            )
        )
    guards = harm(exposed, matured, policy, variants=variants)
    match policy.rule:
        case Rule.EVIDENCE:
            rule = _evidence_criteria(evidence, policy)
            verdict, reason = _by_evidence(sound, guards, {each.name: each for each in rule})
        case Rule.SCORE:
            rule = score_criteria(evidence.difference, policy)
            verdict, reason = _by_plain_rule(sound, guards, rule)
        case Rule.RATES:
            rule = rates_criteria(matured, policy)
            verdict, reason = _by_plain_rule(sound, guards, rule)
    return evidence.judgement(verdict, reason, (*sound, *guards, *rule))


def _evidence_criteria(found: Evidence, policy: Policy) -> list[Criterion]:
    relative, percent = found.relative, 100 * (1 - found.alpha)
    better = relative is not None and relative > policy.margin
    enough = found.events >= policy.minimum_events
    worse, hopeless = found.upper < 0, found.possible < 0
    return [
        Criterion(
            "events",
            found.events,
            policy.minimum_events,
            enough,
            f"{found.events:,.0f} units with a reply, meeting or deal in the smaller arm",
        ),
        Criterion("improvement", relative, policy.margin, better, _improvement(relative, policy)),
        Criterion(
            "lower_bound",
            found.lower,
            0.0,
            found.lower > 0,
            f"better by at least {_signed(found.lower)} a unit (one-sided, {percent:g} %, at any look)",
        ),
        Criterion(
            "not_worse",
            found.upper,
            0.0,
            not worse,
            "shown to be worse" if worse else f"better by at most {_signed(found.upper)} a unit",
        ),
        Criterion(
            "can_win",
            found.possible,
            0.0,
            not hopeless,
            f"can {'no longer' if hopeless else 'still'} be better by more than {policy.margin:.0%}",
        ),
    ]


def _by_evidence(sound: list[Criterion], guards: list[Criterion], rule: dict[str, Criterion]) -> tuple[Verdict, str]:
    if breached := _failed(guards):
        return Verdict.ROLL_BACK, _said(breached)
    unsound = _failed(sound)
    if any(each.name != "runtime" for each in unsound):
        return Verdict.INCONCLUSIVE, _said(unsound)
    if not rule["events"].passed:
        return Verdict.INCONCLUSIVE, f"too few events to tell: {rule['events'].text}, {rule['events'].threshold:.0f} are needed"
    if not rule["not_worse"].passed:
        return Verdict.ROLL_BACK, f"the variant is {rule['not_worse'].text}: {rule['improvement'].text}"
    if unsound:
        return Verdict.INCONCLUSIVE, _said(unsound)
    if rule["improvement"].passed and rule["lower_bound"].passed:
        return Verdict.PROMOTE, f"{rule['improvement'].text}; {rule['lower_bound'].text}"
    if not rule["can_win"].passed:
        return Verdict.KEEP, f"the variant {rule['can_win'].text}"
    return Verdict.INCONCLUSIVE, f"{rule['improvement'].text}, which may be chance: {rule['lower_bound'].text}"


def _by_plain_rule(sound: list[Criterion], guards: list[Criterion], rule: list[Criterion]) -> tuple[Verdict, str]:
    if breached := _failed(guards):
        return Verdict.ROLL_BACK, _said(breached)
    if unsound := _failed(sound):
        return Verdict.INCONCLUSIVE, _said(unsound)
    if any(each.value is None for each in rule[:1]):
        return Verdict.INCONCLUSIVE, rule[0].text
    failed = _failed(rule)
    return (Verdict.KEEP, _said(failed)) if failed else (Verdict.PROMOTE, _said(rule))


def _failed(criteria: list[Criterion]) -> list[Criterion]:
    return [each for each in criteria if not each.passed]


def _said(criteria: list[Criterion]) -> str:
    return "; ".join(each.text for each in criteria)


def _runtime(days: float, policy: Policy) -> str:
    return f"it has run for {days:.1f} days of {7 * policy.minimum_weeks}"


def _improvement(relative: float | None, policy: Policy) -> str:
    if relative is None:
        return "no score to compare with yet"
    return f"the score is {relative:+.1%} of control's, where more than {policy.margin:+.0%} is wanted"


def _signed(bound: float) -> str:
    return "any number" if bound in (inf, -inf) else f"{bound:+.5f}"
