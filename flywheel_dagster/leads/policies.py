"""By which rule a newly learnt version replaces the one that is deployed, and with which numbers."""

from dataclasses import dataclass
from enum import StrEnum

from flywheel_dagster.errors import InputError


class Rule(StrEnum):
    """`evidence` is the default; `plain` is the product's "+2 %", which asks nothing about chance."""

    EVIDENCE = "evidence"
    PLAIN = "plain"


@dataclass(frozen=True)
class Policy:
    """The numbers of a rule. AUCs, Brier scores and probabilities are 0…1."""

    rule: Rule = Rule.EVIDENCE
    alpha: float = 0.05
    """How probable it is that any of all looks at one deployed version replaces it by one that is no better."""
    margin: float = 0.02
    """The least gain of AUC that is worth a change."""
    minimum_rows: int = 50
    """Held-out rows that a decision needs; fewer is `insufficient`."""
    minimum_of_each: int = 10
    """Of these, converted ones, and lost ones."""
    folds_hang_together: float = 1.5
    """A first version is judged out of fold, and each fold is scored by what the outcomes of the others taught: where nothing can be learnt, the AUC
    spreads 1.5 times as far as DeLong's standard error (`lead-gate` simulates it), so the interval is made as much wider."""
    brier_margin: float = 0.005
    """A version whose Brier score is shown to be worse by more than this is kept back: leads are called high or medium by what a score is worth."""

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise InputError(f"alpha is {self.alpha:g}; it is a probability of error above 0 and below 0.5, such as 0.05")
        if (
            self.minimum_rows < 2
            or self.minimum_of_each < 1
            or self.margin < 0
            or self.brier_margin < 0
            or self.folds_hang_together < 1
        ):
            raise InputError(
                "minimum_rows is at least 2, minimum_of_each and folds_hang_together at least 1, margin and brier_margin at least 0"
            )

    def level(self, look: int) -> float:
        """The one-sided error that look number `look` (from 1) may spend: α/(k(k+1)), whose sum over all looks is α, however they hang together.
        The first one's is that of the usual two-sided interval of 95 %."""
        return self.alpha / (look * (look + 1))


EVIDENCE = Policy()
PLAIN = Policy(Rule.PLAIN)
