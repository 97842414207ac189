"""By which rule a variant is judged, and with which numbers. They are fixed before an experiment starts and stored with it."""

from dataclasses import dataclass
from enum import StrEnum

from flywheel_dagster.errors import InputError


class Rule(StrEnum):
    """`evidence` is the default; the other two are the plain rules of the product's description, without control of chance."""

    EVIDENCE = "evidence"
    SCORE = "score"
    RATES = "rates"


@dataclass(frozen=True)
class Policy:
    """The numbers of a rule. Probabilities and shares are 0…1.

    Of the probability of error, `alpha` is that of a false promotion, `guardrail_alpha` that of a false alarm of any guardrail, both over the whole
    experiment, however often one looks; each is split evenly between the variants, the latter also between the five guardrails.
    """

    rule: Rule = Rule.EVIDENCE
    alpha: float = 0.05
    guardrail_alpha: float = 0.05
    margin: float = 0.05
    """The least improvement worth a promotion, as a share of control's mean."""
    minimum_weeks: int = 2
    minimum_events: int = 25
    """Units with a value above 0 that each arm needs before its bounds say anything: below, the normal approximation doesn't hold at a share of 10 %."""
    planned_units: int = 5_000
    """Units of both arms, evenly split, at which the sequence is tightest. Any number is valid; the right one saves time."""
    minimum_units: int = 50
    """Of `score` and `rates`: units that each arm needs before its rates are looked at."""
    sample_ratio_level: float = 0.001
    better_replies: float = 0.10
    """Of `rates`: by how much the reply rate must be better, and the deal rate."""
    better_deals: float = 0.05
    reversal_probability: float = 0.90
    """Of a provisional promotion: reversed if older outcomes say with this probability that the promoted model is worse."""

    def __post_init__(self) -> None:
        for name in ("alpha", "guardrail_alpha", "sample_ratio_level"):
            if not 0 < getattr(self, name) < 0.5:
                raise InputError(
                    f"{name} is {getattr(self, name):g}; it is a probability of error above 0 and below 0.5, such as 0.05"
                )
        if not 0.5 < self.reversal_probability < 1:
            raise InputError(f"reversal_probability is {self.reversal_probability:g}; it lies between 0.5 and 1, such as 0.9")
        if self.planned_units < 1 or self.minimum_events < 2 or self.minimum_weeks < 0 or self.margin < 0:
            raise InputError("planned_units is at least 1, minimum_events at least 2, minimum_weeks and margin at least 0")


EVIDENCE = Policy()
SCORE = Policy(Rule.SCORE, minimum_weeks=1)
RATES = Policy(Rule.RATES, minimum_weeks=1)
