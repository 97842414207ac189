"""What an experiment's numbers say: promote, keep, roll back, or that they say nothing yet, with the criteria that led there."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, NamedTuple

from flywheel_dagster.models.experiments.posterior import Posterior


class Verdict(StrEnum):
    """PROMOTE: the variant becomes control. KEEP: control stays, the variant can't win. ROLL_BACK: the variant does harm. INCONCLUSIVE: go on."""

    PROMOTE = "promote"
    KEEP = "keep"
    ROLL_BACK = "roll_back"
    INCONCLUSIVE = "inconclusive"


class Criterion(NamedTuple):
    """One thing that was looked at. `value` and `threshold` are None where there was nothing to measure."""

    name: str
    value: float | None
    threshold: float | None
    passed: bool
    text: str

    def record(self) -> dict[str, Any]:
        """For a stored decision: plain JSON, an infinite number as None."""
        return {**self._asdict(), "value": finite(self.value), "threshold": finite(self.threshold)}


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on. The scores are the arms' means of X (0…1), compared within epochs; None where an arm has no units."""

    verdict: Verdict
    reason: str
    """In plain words."""
    criteria: tuple[Criterion, ...]
    control_score: float | None
    variant_score: float | None
    estimate: float | None
    """Variant minus control."""
    lower: float
    """One-sided bounds of the difference, each valid at every look with probability 1 - `alpha`; -inf and inf while there are too few events."""
    upper: float
    alpha: float
    """After the split between variants."""
    relative_improvement: float | None
    """The estimate as a share of control's score."""
    posterior: Posterior | None

    def record(self) -> dict[str, Any]:
        """For a stored decision: plain JSON, infinite bounds as None."""
        return {
            **vars(self),
            "verdict": self.verdict.value,
            "criteria": [each.record() for each in self.criteria],
            "lower": finite(self.lower),
            "upper": finite(self.upper),
            "posterior": self.posterior._asdict() if self.posterior else None,
        }


def finite(number: float | None) -> float | None:
    """The number; None for nan and infinity, which JSON doesn't know."""
    return number if number is not None and isfinite(number) else None
