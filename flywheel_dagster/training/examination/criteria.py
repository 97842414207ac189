"""What a criterion is, and how a rate becomes a verdict. What is measured is in the modules beside this one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flywheel_dagster.training.examination.statistics import Interval

Verdict = Literal["passed", "failed", "insufficient"]

# Raise it when what is measured changes: models are then examined anew. Thresholds are hashed beside it (`report.py`).
VERSION = 2

# Of the baseline's mean probability of success: less than half of the 5 % that make a model worth promoting.
MARGIN = 0.02


@dataclass(frozen=True)
class Criterion:
    """One line of the report: the candidate's value, `comparison` ("<=" or ">=") and threshold it must meet, and what came of it.

    A hard criterion blocks always; a soft one only where there is enough to judge by, else it is insufficient. `baseline` is the same value of
    the control, or without one of the messages that people sent.
    """

    name: str
    value: float | None
    comparison: str
    threshold: float | None
    verdict: Verdict
    hard: bool
    explanation: str
    baseline: float | None = None


@dataclass(frozen=True)
class Rule:
    """A hard criterion by the share of answers that break it; up to `most` may, and with `one_may` a single one of however few."""

    name: str
    most: float
    measured: str
    one_may: bool = True


def judge_answers(asked: int, usable: int) -> Criterion:
    """A hard verdict: who was never asked, or never answered, can't pass."""
    explanation = f"{usable} usable answers to {asked} prompts"
    if not asked:
        explanation = (
            "the dataset's test side has no prompts, so the model was not asked; raise FLYWHEEL_TEST_SHARE or wait for more outcomes, "
            "and materialize training_jsonl again"
        )
    return Criterion("answers", float(usable), ">=", 1.0, "passed" if usable else "failed", True, explanation)


def judge_rate(rule: Rule, broken: Sequence[Sequence[str]], baseline: Sequence[Sequence[str]] = ()) -> Criterion:
    """The verdict on answers, of each of which is given what is wrong with it (nothing: it keeps the rule)."""
    if not broken:
        return Criterion(rule.name, None, "<=", rule.most, "insufficient", True, f"{rule.measured}: there is no answer to look at")
    bad = sum(map(bool, broken))
    value = bad / len(broken)
    passed = value <= rule.most or (rule.one_may and bad == 1)
    reasons = Counter(reason for each in broken for reason in dict.fromkeys(each))
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    explanation = f"{rule.measured}: {bad} of {len(broken)} answers" + (f" ({said})" if said else "")
    if passed and value > rule.most:
        explanation += (
            f"; {value:.0%} is more than the {rule.most:.0%} that may, but a single one doesn't block: so few answers can't tell "
            "(raise FLYWHEEL_TEST_SHARE)"
        )
    other = sum(map(bool, baseline)) / len(baseline) if baseline else None
    return Criterion(rule.name, value, "<=", rule.most, "passed" if passed else "failed", True, explanation, other)


def lacking(name: str, threshold: float | None, why: str) -> Criterion:
    """A soft criterion that there isn't enough to judge by."""
    return Criterion(name, None, ">=", threshold, "insufficient", False, why)


def judge_difference(name: str, found: Interval, margin: float, what: str) -> Criterion:
    """A soft verdict on "no worse than by the margin": shown, refuted, or neither.

    It passes where the whole interval lies above -margin (non-inferiority), and fails where it is worse by more than the margin and the whole
    interval lies below 0; anything else is insufficient.
    """
    said = f"{what}: {found.estimate:+.4f}, 95 % interval {found.low:+.4f} to {found.high:+.4f} over {found.clusters} leads"
    verdict: Verdict = "insufficient"
    if found.low >= -margin:
        verdict = "passed"
    elif found.high < 0 and found.estimate < -margin:
        verdict = "failed"
    else:
        said += f"; neither shown to be within {margin:.4f} nor worse"
    return Criterion(name, found.estimate, ">=", -margin, verdict, False, said)
