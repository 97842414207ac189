"""Evidence for the tests of strategies."""

from itertools import product

import numpy as np
from scipy.special import expit

from flywheel_dagster.strategies.dimensions import Strategy
from flywheel_dagster.strategies.estimate.cells import Cells, Segment
from flywheel_dagster.strategies.estimate.posterior import Posterior

FRAMEWORKS = {"PAS": 0.4, "AIDA": 0.0, "FAB": -0.4}
TONES = {"casual": 0.2, "direct": -0.2}
STRATEGIES: list[Strategy] = list(product(FRAMEWORKS, TONES))
SEGMENTS: list[Segment] = list(product(["email", "sms"], ["SaaS", "Retail"], ["CEO"], ["1-10", ""]))
EVEN = dict.fromkeys(SEGMENTS, 1.0)


def market(seed: int, *, trials: int, rate: float = -2.5) -> Cells:
    """So many messages in every cell; PAS is best, FAB worst, SMS bad."""
    random = np.random.default_rng(seed)
    pairs = list(product(STRATEGIES, SEGMENTS))
    odds = [rate + FRAMEWORKS[one] + TONES[two] - (0.5 if segment[0] == "sms" else 0.0) for (one, two), segment in pairs]
    tried = np.full(len(pairs), float(trials))
    return Cells([one for one, _ in pairs], [two for _, two in pairs], tried, random.binomial(trials, expit(odds)))


def one_segment(counts: dict[Strategy, tuple[float, float]]) -> Cells:
    """Trials and successes of strategies in a single segment."""
    return Cells(
        list(counts), [("email", "", "", "")] * len(counts), [n for n, _ in counts.values()], [s for _, s in counts.values()]
    )


def same(one: Posterior, two: Posterior) -> bool:
    """Whether two posteriors are equal up to rounding."""
    return (
        one.names == two.names
        and np.allclose(one.mean, two.mean, atol=1e-4)
        and np.allclose(one.covariance, two.covariance, atol=1e-4)
    )
