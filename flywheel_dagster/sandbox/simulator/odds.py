"""From properties to log-odds: the effects of a message and its lead, added up step by step."""

from functools import lru_cache
from math import exp, log

from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox.simulator.truth import MOVED, Baseline, Effects, Truth

Vector = tuple[float, float, float, float, float, float, float, float]

# Positions in a vector, in the order of the fields of Effects.
DELIVERY, OPEN, CLICK, REPLY, POSITIVE, MEETING, DEAL, VALUE = range(8)
ZERO: Vector = (0.0,) * 8


def vector(effects: Effects | None) -> Vector:
    """The effects as a vector; None has no effect."""
    if effects is None:
        return ZERO
    e = effects
    return (e.delivery, e.open, e.click, e.reply, e.positive, e.meeting, e.deal, e.value)


def baseline(base: Baseline) -> Vector:
    """The log-odds of the steps before any effect, and the logarithm of the median value of a deal."""
    d, o, c, r, p, m, w = (log(chance / (1 - chance)) for chance in (getattr(base, name) for name in MOVED))
    return (d, o, c, r, p, m, w, log(base.deal_value))


def add(one: Vector, two: Vector) -> Vector:
    """The sum of two vectors, written out because it is on the path of every message."""
    a, b, c, d, e, f, g, h = one
    i, j, k, l, m, n, o, p = two  # noqa: E741
    return (a + i, b + j, c + k, d + l, e + m, f + n, g + o, h + p)


def scaled(effects: Vector, factor: float) -> Vector:
    """Each effect times `factor`."""
    a, b, c, d, e, f, g, h = effects
    return (a * factor, b * factor, c * factor, d * factor, e * factor, f * factor, g * factor, h * factor)


def probability(log_odds: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + exp(-log_odds))


class Odds:
    """The log-odds of the messages of one truth. Remembers the sums of recent leads and strategies."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._base = baseline(truth.base)
        self._icp = vector(truth.icp)
        self._of_lead = lru_cache(maxsize=4096)(self._lead)
        self._of_strategy = lru_cache(maxsize=4096)(self._strategy)

    def of(self, message: SentMessage) -> Vector:
        """The log-odds of this message's steps."""
        return add(
            self._of_lead(message.lead_industry, message.lead_role, message.company_size, message.icp_score),
            self._of_strategy(message.framework, message.tone, message.channel, message.experiment_arm),
        )

    def _lead(self, industry: str | None, role: str | None, company_size: str | None, icp_score: float | None) -> Vector:
        t = self._truth
        total = scaled(self._icp, (0.5 if icp_score is None else icp_score) - 0.5)
        for name, known in ((industry, t.industries), (role, t.roles), (company_size, t.company_sizes)):
            total = add(total, vector(known.get(name or "")))
        return total

    def _strategy(self, framework: str | None, tone: str | None, channel: str, arm: str | None) -> Vector:
        t = self._truth
        total = add(self._base, strategy(t, framework, tone))
        for name, known in ((channel, t.channels), (arm, t.models)):
            total = add(total, vector(known.get(name or "")))
        return total


def strategy(truth: Truth, framework: str | None, tone: str | None) -> Vector:
    """The effects of a framework, a tone and of the two together."""
    apart = add(vector(truth.frameworks.get(framework or "")), vector(truth.tones.get(tone or "")))
    return add(apart, vector(truth.strategies.get(f"{framework}_{tone}")))
