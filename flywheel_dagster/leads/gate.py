"""Whether a newly learnt version replaces the deployed one, by the scores that both give the same leads. Reads and stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from flywheel_dagster.leads.delong import Estimate, auc, paired
from flywheel_dagster.leads.policies import EVIDENCE, Policy, Rule


class Action(StrEnum):
    """DEPLOY: the new version scores from now on. KEEP: the one before stays. INSUFFICIENT: too little is held out to say. ROLL_BACK is for people."""

    DEPLOY = "deploy"
    KEEP = "keep"
    INSUFFICIENT = "insufficient"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True)
class Decision:
    """What is done, why in plain words, and all numbers that it rests on as plain JSON."""

    action: Action
    reason: str
    numbers: dict[str, Any]


def judge(
    converted: ArrayLike,
    deployed_scores: ArrayLike | None,
    candidate_scores: ArrayLike,
    *,
    policy: Policy = EVIDENCE,
    look: int = 1,
) -> Decision:
    """Compare scores (0…1) of leads that neither version had learnt from. Without `deployed_scores` the candidate is compared with the prior,
    which gives all leads one score (AUC 0.5, and the Brier score of the leads' own rate); its scores are then taken to be out of fold.

    `look` counts the decisions against the same deployed version, from 1: each further one asks for more evidence.
    """
    outcome = np.asarray(converted, dtype=bool)
    candidate = np.asarray(candidate_scores, dtype=np.float64)
    rate = float(outcome.mean()) if outcome.size else 0.0
    deployed = np.full(outcome.size, rate) if deployed_scores is None else np.asarray(deployed_scores, dtype=np.float64)
    counts = {"rows": int(outcome.size), "converted": int(outcome.sum()), "lost": int((~outcome).sum())}
    numbers: dict[str, Any] = {
        "policy": policy.rule.value,
        "look": look,
        "against": "prior" if deployed_scores is None else "version",
        **counts,
        "minimum_rows": policy.minimum_rows,
        "minimum_of_each": policy.minimum_of_each,
        "margin": policy.margin,
    }
    if missing := missing_rows(counts["converted"], counts["lost"], policy):
        return Decision(Action.INSUFFICIENT, missing, numbers)
    gain, level = paired(outcome, deployed, candidate), policy.level(look)
    if deployed_scores is None:
        gain = replace(gain, variance=gain.variance * policy.folds_hang_together**2)
    worse = _brier_worse_by(outcome, deployed, candidate, policy.alpha / 2)
    numbers |= {
        "deployed_auc": auc(outcome, deployed),
        "candidate_auc": auc(outcome, candidate),
        "difference": gain.value,
        "standard_error": gain.standard_error,
        "level": level,
        "lower": gain.lower(level),
        "upper": gain.upper(level),
        "p_value": gain.p_value(),
        "deployed_brier": float(np.mean((deployed - outcome) ** 2)),
        "candidate_brier": float(np.mean((candidate - outcome) ** 2)),
        "brier_worse_by_at_least": worse,
        "brier_margin": policy.brier_margin,
    }
    action, reason = _weigh(gain, worse, numbers, policy, look)
    return Decision(action, reason, {name: _finite(value) for name, value in numbers.items()})


def missing_rows(converted: int, lost: int, policy: Policy) -> str:
    """What is missing for a decision, in words; empty where nothing is. The plain rule needs one lead of each outcome."""
    rows, each = (2, 1) if policy.rule is Rule.PLAIN else (policy.minimum_rows, policy.minimum_of_each)
    wanted = [
        f"{number} more {what}"
        for number, what in ((rows - converted - lost, "told leads"), (each - converted, "converted"), (each - lost, "lost"))
        if number > 0
    ]
    if not wanted:
        return ""
    return (
        f"{converted + lost} told leads are held out ({converted} converted, {lost} lost); "
        f"a decision needs {rows} with {each} of each outcome: {_listed(wanted)}"
    )


def _weigh(gain: Estimate, brier_worse: float, numbers: dict[str, Any], policy: Policy, look: int) -> tuple[Action, str]:
    aucs = f"AUC {numbers['candidate_auc']:.3f} against {numbers['deployed_auc']:.3f} on {numbers['rows']:,} leads"
    if gain.value < policy.margin:
        return Action.KEEP, f"{aucs}: a gain of {gain.value:+.3f}, of the {policy.margin:.3f} that a change is worth"
    if policy.rule is Rule.PLAIN:
        return Action.DEPLOY, f"{aucs}: a gain of {gain.value:+.3f}; the plain rule asks nothing about chance"
    bounds = f"{numbers['lower']:+.3f} to {numbers['upper']:+.3f} at look {look}"
    if numbers["lower"] <= 0:
        more = _more_rows(gain, numbers["rows"], policy.level(look + 1))
        return Action.KEEP, f"{aucs}: a gain of {gain.value:+.3f} that may be chance ({bounds}); {more}"
    if brier_worse > policy.brier_margin:
        return Action.KEEP, (
            f"{aucs}, but what its scores are worth is broken: Brier score {numbers['candidate_brier']:.3f} against {numbers['deployed_brier']:.3f}, "
            f"worse by {brier_worse:.3f} at least; look at its calibration plot and for fields that changed their meaning"
        )
    return Action.DEPLOY, f"{aucs}: a gain of {gain.value:+.3f} ({bounds})"


def _more_rows(gain: Estimate, rows: int, level: float) -> str:
    """How many more leads would show a gain of this size at the next look, if it is real."""
    if not isfinite(gain.standard_error):
        return "tell more leads"
    needed = ceil(rows * (float(stdtrit(gain.degrees, 1 - level)) * gain.standard_error / gain.value) ** 2)
    return f"if it is real, about {max(1, needed - rows):,} more told leads would show it"


def _brier_worse_by(
    outcome: NDArray[np.bool_], deployed: NDArray[np.float64], candidate: NDArray[np.float64], alpha: float
) -> float:
    """The one-sided lower bound of the candidate's Brier score minus the deployed one's, by the rows' differences."""
    differences = (candidate - outcome) ** 2 - (deployed - outcome) ** 2
    if differences.size < 2:
        return float("-inf")
    error = float(differences.std(ddof=1)) / sqrt(differences.size)
    return float(differences.mean()) - float(stdtrit(differences.size - 1, 1 - alpha)) * error


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _finite(value: Any) -> Any:
    """JSON knows no infinity."""
    return None if isinstance(value, float) and not isfinite(value) else value
