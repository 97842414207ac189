"""What a suggestion costs against always knowing the best, week by week: replies at once, meetings after 30 days, deals after 90."""

import numpy as np

from benchmarks.simulated_strategies import (
    Market,
    cells,
    drawn_world,
    market,
    react,
)
from flywheel_dagster.strategies.dimensions import RATES
from flywheel_dagster.strategies.estimate.cells import Cells, Segment
from flywheel_dagster.strategies.estimate.fit import fit_rates
from flywheel_dagster.strategies.estimate.policy import Policy
from flywheel_dagster.strategies.estimate.posterior import Posterior

POLICIES = ("thompson", "greedy", "uniform")
WEEKS, A_WEEK, RENEWED = 40, 150, 2
_MEETINGS_AFTER, _DEALS_AFTER = 5, 13  # weeks that cover 30 and 90 days
_REPLY_DAYS = 3.0  # mean of an exponential delay


def regret(seed: int, policy: str, *, weeks: int = WEEKS, a_week: int = A_WEEK) -> np.ndarray:
    """(weeks): the mean performance a message lost against the best strategy of its segment. What is believed is renewed every
    second week."""
    of = market(drawn_world(seed, small=True), interaction=0.15, seed=seed)
    values, mix = of.values(), dict(zip(of.segments, of.mix.tolist(), strict=True))
    random = np.random.default_rng([seed, 3])
    lost = np.zeros(weeks)
    log = _Log(of)
    for week in range(weeks):
        if week % RENEWED == 0:
            odds = suggested(of, {} if policy == "uniform" else log.posteriors(week), mix, policy)
        segment = random.choice(len(of.segments), a_week, p=of.mix)
        uniform, icp = random.random(a_week), random.choice(len(of.icp), a_week, p=of.icp)
        chosen = np.minimum((uniform[:, None] > np.cumsum(odds[segment], axis=1)).sum(axis=1), len(of.strategies) - 1)
        log.add(week, chosen, segment, react(random, of, chosen, segment, icp), random.exponential(_REPLY_DAYS / 7, a_week))
        lost[week] = (values.max(axis=0)[segment] - values[chosen, segment]).mean()
    return lost


def suggested(of: Market, posteriors: dict[str, Posterior], mix: dict[Segment, float], policy: str) -> np.ndarray:
    """(segments, strategies): the probabilities of each."""
    if policy == "uniform":
        return np.full((len(of.segments), len(of.strategies)), 1 / len(of.strategies))
    if policy == "greedy":
        drawn = Policy(posteriors, mix=mix)
        best = [drawn.values(segment, tuple(of.strategies)).mean(axis=1).argmax() for segment in of.segments]
        return np.eye(len(of.strategies))[best]
    drawn = Policy(posteriors, mix=mix)
    rows = [drawn.probabilities(segment, of.strategies) for segment in of.segments]
    return np.array([[row[strategy] for strategy in of.strategies] for row in rows])


class _Log:
    """Messages so far, as they are seen at the beginning of a week."""

    def __init__(self, of: Market) -> None:
        self._of = of
        self._rows: list[tuple[np.ndarray, ...]] = []

    def add(self, week: int, strategy: np.ndarray, segment: np.ndarray, outcomes: np.ndarray, delay: np.ndarray) -> None:
        self._rows.append((np.full(len(strategy), week), strategy, segment, *outcomes, delay))

    def posteriors(self, week: int) -> dict[str, Posterior]:
        """A young message that wasn't answered counts the share of replies that come within its age."""
        if not self._rows:
            return fit_rates(dict.fromkeys(RATES, Cells.empty(2)))
        sent, strategy, segment, reply, meeting, deal, delay = (np.concatenate(each) for each in zip(*self._rows, strict=True))
        age = week - sent
        answered = reply * (delay <= age)
        trials = {
            "reply_rate": np.where(answered > 0, 1.0, 1 - np.exp(-age * 7 / _REPLY_DAYS)),
            "meeting_rate": (age >= _MEETINGS_AFTER).astype(float),
            "close_rate": (age >= _DEALS_AFTER).astype(float),
        }
        came = {"reply_rate": answered, "meeting_rate": meeting, "close_rate": deal}
        return fit_rates(
            {
                name: cells(self._of, strategy[tried > 0], segment[tried > 0], tried[tried > 0], came[name][tried > 0])
                for name, tried in trials.items()
            }
        )
