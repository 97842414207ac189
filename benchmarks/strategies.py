"""What the statistics of strategies are worth where the truth is known: python -m benchmarks.strategies [--seeds 50] [--part
ranking|newcomer|regret|offline] [--markdown FILE].

Simulated: 16 strategies, effects drawn anew for every seed, the simulator's own rates. Four tables: whether strategies are
ranked as in truth (by shrunken estimates and by raw rates), what other organisations'
findings add, what a suggestion costs against always knowing the best (Thompson
sampling with floor, greedy, uniform; replies at once, meetings after 30 days, deals after 90), and how often the intervals of a
policy's value hold the truth (inverse propensity, self-normalised, doubly robust).
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.stats import rankdata

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/strategies.py

from benchmarks.simulated_strategies import (
    Assignment,
    Market,
    Sent,
    by_icp,
    by_segment,
    cells,
    drawn_world,
    evenly,
    market,
    react,
    send,
    unevenly,
)
from flywheel_dagster.strategies.dimensions import METRICS, RATES, WEIGHTS, Strategy
from flywheel_dagster.strategies.estimate.cells import Cells, Segment
from flywheel_dagster.strategies.estimate.fit import fit, fit_rates
from flywheel_dagster.strategies.estimate.policy import Policy
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.prior import Prior, population_prior
from flywheel_dagster.strategies.estimate.ranking import standardised
from flywheel_dagster.strategies.offline.estimate import Estimates, estimate
from flywheel_dagster.strategies.offline.logged import Logged

Told = Callable[[], None]
_WEIGHTS = np.array(list(WEIGHTS.values()))


class Setting(NamedTuple):
    """How messages come to their strategies, and how much strategies depend on the segment."""

    name: str
    assign: Assignment
    interaction: float = 0.0


SETTINGS = (
    Setting("evenly", evenly),
    Setting("100 : 1", unevenly),
    Setting("by segment", by_segment),
    Setting("by segment, which matters", by_segment, 0.15),
    Setting("by lead, unseen", by_icp),
)
MESSAGES = (200, 2_000, 20_000)


class Ranks(NamedTuple):
    """Of one seed, by metric (reply, meeting, close, performance)."""

    shrunken: np.ndarray
    """Rank correlation with the truth (Spearman)."""
    raw: np.ndarray
    covered: np.ndarray
    """Share of the 95 % intervals that hold the truth."""


def learnt(of: Market, sent: Sent, priors: Mapping[str, Prior] | None = None) -> dict[str, Posterior]:
    """Posteriors when everything has had its time."""
    whole = np.ones(len(sent.strategy))
    by_metric = zip(RATES, sent.outcomes, strict=True)
    return fit_rates({name: cells(of, sent.strategy, sent.segment, whole, each) for name, each in by_metric}, priors=priors)


def ranks(seed: int, messages: int, setting: Setting) -> Ranks:
    of = market(drawn_world(seed), interaction=setting.interaction, seed=seed)
    sent = send(np.random.default_rng([seed, messages]), of, messages, setting.assign)
    seen = np.bincount(sent.segment, minlength=len(of.segments))
    draws = standardised(
        learnt(of, sent), of.strategies, {of.segments[place]: float(seen[place]) for place in np.flatnonzero(seen)}
    )
    rates = np.stack([draws[name] for name in RATES])
    believed = np.concatenate([rates, np.tensordot(_WEIGHTS, rates, axes=1)[None]])
    truth = np.vstack([of.rates(), _WEIGHTS @ of.rates()])
    tried = np.bincount(sent.strategy, minlength=len(of.strategies))
    raw = [
        np.where(tried > 0, np.bincount(sent.strategy, each, len(of.strategies)) / np.maximum(tried, 1), each.mean())
        for each in (*sent.outcomes, sent.values)
    ]
    lower, upper = np.quantile(believed, [0.025, 0.975], axis=-1)
    return Ranks(
        np.array([_spearman(*pair) for pair in zip(believed.mean(axis=-1), truth, strict=True)]),
        np.array([_spearman(*pair) for pair in zip(raw, truth, strict=True)]),
        ((lower <= truth) & (truth <= upper)).mean(axis=1),
    )


def _spearman(one: np.ndarray, two: np.ndarray) -> float:
    """0 where all are alike."""
    return 0.0 if np.ptp(one) == 0 else float(np.corrcoef(rankdata(one), rankdata(two))[0, 1])


OTHERS, OTHERS_MESSAGES, APART = 5, 5_000, 0.5


def newcomer(seed: int, messages: int) -> np.ndarray:
    """(2, 4): rank correlations by metric of an organisation with so many messages, alone, and with what OTHERS found;
    organisations differ half as much as strategies do."""
    posteriors = []
    for organization in range(OTHERS):
        of = market(drawn_world(seed, small=True, organization=organization + 1, apart=APART))
        posteriors.append(learnt(of, send(np.random.default_rng([seed, 6, organization]), of, OTHERS_MESSAGES, unevenly)))
    priors = {name: prior for name in RATES if (prior := population_prior(each[name] for each in posteriors)) is not None}
    of = market(drawn_world(seed, small=True, apart=APART))
    sent = send(np.random.default_rng([seed, 7]), of, messages, evenly)
    truth = np.vstack([of.rates(), _WEIGHTS @ of.rates()])
    mix = dict(zip(of.segments, of.mix.tolist(), strict=True))
    found = []
    for known in ({}, priors):
        draws = standardised(learnt(of, sent, known), of.strategies, mix)
        rates = np.stack([draws[name].mean(axis=1) for name in RATES])
        believed = np.vstack([rates, _WEIGHTS @ rates])
        found.append([_spearman(*pair) if messages or known else 0.0 for pair in zip(believed, truth, strict=True)])
    return np.array(found)


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


TOUCHES = 3


def gathered(seed: int, messages: int, *, adaptive: bool) -> tuple[Market, Logged]:
    """A log of leads with TOUCHES messages each; by a fixed policy that leans to some strategies, or by the sampler, which
    learns from replies in ten batches."""
    of = market(drawn_world(seed % 20, small=True), interaction=0.15, seed=seed % 20)
    random = np.random.default_rng([seed, 4])
    mix = dict(zip(of.segments, of.mix.tolist(), strict=True))
    leaning = np.exp(random.normal(0, 1, (len(of.segments), len(of.strategies))))
    odds = 0.9 * leaning / leaning.sum(axis=1, keepdims=True) + 0.1 / len(of.strategies)
    parts: list[tuple[np.ndarray, ...]] = []
    for batch in range(10):
        if adaptive:
            odds = _of_replies(of, parts, mix)
        leads = messages // TOUCHES // 10
        segment = np.repeat(random.choice(len(of.segments), leads, p=of.mix), TOUCHES)
        icp = np.repeat(random.choice(len(of.icp), leads, p=of.icp), TOUCHES)
        passed = np.cumsum(odds[segment], axis=1)
        chosen = np.minimum((random.random(len(segment))[:, None] > passed).sum(axis=1), len(of.strategies) - 1)
        outcomes = react(random, of, chosen, segment, icp)
        parts.append((chosen, segment, batch * leads + np.arange(len(segment)) // TOUCHES, odds[segment, chosen], *outcomes))
    chosen, segment, lead, propensity, *outcomes = (np.concatenate(each) for each in zip(*parts, strict=True))
    strategies, segments = [of.strategies[k] for k in chosen], [of.segments[k] for k in segment]
    return of, Logged(strategies, segments, lead.astype(str).tolist(), propensity, _WEIGHTS @ np.array(outcomes))


def _of_replies(of: Market, parts: list[tuple[np.ndarray, ...]], mix: dict[Segment, float]) -> np.ndarray:
    strategy, segment, reply = (
        (np.concatenate([part[place] for part in parts]) for place in (0, 1, 4)) if parts else (np.zeros(0, dtype=np.int64),) * 3
    )
    drawn = Policy({"reply_rate": fit(cells(of, strategy, segment, np.ones(len(reply)), reply))}, mix=mix, metric="reply_rate")
    rows = [drawn.probabilities(each, of.strategies) for each in of.segments]
    return np.array([[row[strategy] for strategy in of.strategies] for row in rows])


def targets(of: Market) -> dict[str, dict[Segment, dict[Strategy, float]]]:
    """The policies whose value is asked for."""
    even = dict.fromkeys(of.strategies, 1 / len(of.strategies))
    values = of.values()
    best, always = values.argmax(axis=0), int((values @ of.mix).argmax())
    mostly = [dict.fromkeys(of.strategies, 0.3 / len(of.strategies)) for _ in of.segments]
    for place, row in enumerate(mostly):
        row[of.strategies[best[place]]] += 0.7
    return {
        "each alike": dict.fromkeys(of.segments, even),
        "mostly the segment's best": dict(zip(of.segments, mostly, strict=True)),
        "always the best": {segment: {of.strategies[always]: 1.0} for segment in of.segments},
    }


def truth_of(of: Market, target: dict[Segment, dict[Strategy, float]]) -> float:
    """A policy's exact value."""
    odds = np.array([[target[segment].get(strategy, 0.0) for strategy in of.strategies] for segment in of.segments])
    return float((odds.T * of.values()) @ of.mix @ np.ones(len(of.strategies)))


def offline(seed: int, messages: int, *, adaptive: bool) -> dict[str, tuple[Estimates, float]]:
    """By target its estimates and its true value."""
    of, logged = gathered(seed, messages, adaptive=adaptive)
    return {name: (estimate(logged, target), truth_of(of, target)) for name, target in targets(of).items()}


def ranking_rows(seeds: int, told: Told) -> Iterator[tuple[str, ...]]:
    for setting in SETTINGS:
        for messages in MESSAGES:
            found = []
            for seed in range(seeds):
                found.append(ranks(seed, messages, setting))
                told()
            for place, metric in enumerate(METRICS):
                ours, raw, covered = (np.array([getattr(each, name)[place] for each in found]) for name in Ranks._fields)
                yield (
                    setting.name,
                    f"{messages:,}",
                    metric,
                    f"{ours.mean():.2f}",
                    f"{raw.mean():.2f}",
                    _paired(ours - raw),
                    f"{covered.mean():.1%}",
                )


def newcomer_rows(seeds: int, told: Told) -> Iterator[tuple[str, ...]]:
    for messages in (0, *MESSAGES[:2]):
        found = []
        for seed in range(seeds):
            found.append(newcomer(seed, messages))
            told()
        alone, helped = np.array(found).transpose(1, 2, 0)
        for place, metric in enumerate(METRICS):
            yield (
                f"{messages:,}",
                metric,
                f"{alone[place].mean():.2f}",
                f"{helped[place].mean():.2f}",
                _paired(helped[place] - alone[place]),
            )


def regret_rows(seeds: int, told: Told) -> Iterator[tuple[str, ...]]:
    found: dict[str, list[np.ndarray]] = {policy: [] for policy in POLICIES}
    for seed in range(seeds):
        for policy in POLICIES:
            found[policy].append(regret(seed, policy))
            told()
    mine = np.array(found["thompson"]).mean(axis=1)
    for policy in POLICIES:
        lost = np.array(found[policy])
        whole, last = lost.mean(axis=1), lost[:, -WEEKS // 4 :].mean()
        yield (
            policy,
            f"{1_000 * whole.mean():.2f}",
            f"{1_000 * last:.2f}",
            f"{1_000 * np.quantile(whole, 0.9):.2f}",
            _paired(1_000 * (mine - whole)) if policy != "thompson" else "",
        )


def offline_rows(repetitions: int, messages: int, told: Told) -> Iterator[tuple[str, ...]]:
    for adaptive in (False, True):
        found = []
        for seed in range(repetitions):
            found.append(offline(seed, messages, adaptive=adaptive))
            told()
        for target in found[0]:
            for method in ("ips", "snips", "dr"):
                values = [(getattr(each[target][0], method), each[target][1]) for each in found]
                covered = np.mean([value.lower <= truth <= value.upper for value, truth in values])
                off = np.mean([value.estimate - truth for value, truth in values]) / np.mean([truth for _, truth in values])
                width = np.mean([value.upper - value.lower for value, _ in values]) / np.mean([truth for _, truth in values])
                size = np.median([each[target][0].effective_sample_size for each in found])
                yield (
                    "the sampler" if adaptive else "a fixed policy",
                    target,
                    method,
                    f"{covered:.1%}",
                    f"{off:+.1%}",
                    f"± {width / 2:.0%}",
                    f"{size:,.0f}",
                )


def _paired(differences: np.ndarray) -> str:
    """The mean over seeds with its 95 % interval."""
    error = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.2f} ± {error:.2f}"


class Part(NamedTuple):
    """One of the tables."""

    title: str
    columns: tuple[str, ...]
    steps: int
    rows: Callable[[Told], Iterator[tuple[str, ...]]]


def parts(seeds: int, repetitions: int, messages: int) -> dict[str, Part]:
    """The tables, by name."""
    return {
        "ranking": Part(
            f"rank correlation with the truth (Spearman), {seeds} seeds",
            (
                "messages go",
                "messages",
                "metric",
                "estimate",
                "raw rate",
                "difference (95 %)",
                "95 % covers",
            ),
            seeds * len(SETTINGS) * len(MESSAGES),
            lambda told: ranking_rows(seeds, told),
        ),
        "newcomer": Part(
            f"rank correlation with the truth, with what {OTHERS} organisations of {OTHERS_MESSAGES:,} messages found, {seeds} seeds",
            ("own messages", "metric", "alone", "with the others", "difference (95 %)"),
            seeds * 3,
            lambda told: newcomer_rows(seeds, told),
        ),
        "regret": Part(
            f"regret in performance of 1,000 messages, {WEEKS} weeks of {A_WEEK}, {seeds} seeds",
            ("policy", "mean", "last quarter", "a seed of ten is above", "Thompson less this (95 %)"),
            seeds * len(POLICIES),
            lambda told: regret_rows(seeds, told),
        ),
        "offline": Part(
            f"a policy's value from {messages:,} logged messages, {repetitions} repetitions",
            ("logged by", "value of", "estimate", "95 % covers", "bias", "interval", "effective messages"),
            2 * repetitions,
            lambda told: offline_rows(repetitions, messages, told),
        ),
    }


def show(*, seeds: int = 50, repetitions: int = 400, messages: int = 3_000, only: str | None = None) -> list[list[tuple[str, ...]]]:
    """Measure with a progress bar, print the tables, and give their cells."""
    console = Console()
    console.print(f"command: {' '.join(['python', *sys.orig_argv[1:]])}")
    tables = []
    for name, part in parts(seeds, repetitions, messages).items():
        if only not in (None, name):
            continue
        begin = time.perf_counter()
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(name, total=part.steps)
            found = list(part.rows(lambda task=task, progress=progress: progress.advance(task)))  # type: ignore[misc]
        table = Table(*part.columns, title=f"{part.title}, {time.perf_counter() - begin:,.0f} s", title_justify="left")
        for row in found:
            table.add_row(*row)
        console.print(table)
        tables.append([part.columns, *found])
    return tables


def main() -> None:
    """Print the tables, and write them as Markdown where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50, help="worlds of ranking and regret (default: %(default)s)")
    parser.add_argument("--repetitions", type=int, default=400, help="logs of the offline estimates (default: %(default)s)")
    parser.add_argument("--messages", type=int, default=3_000, help="in each log (default: %(default)s)")
    parser.add_argument("--part", choices=("ranking", "newcomer", "regret", "offline"), help="only this table")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    given = parser.parse_args()
    tables = show(seeds=given.seeds, repetitions=given.repetitions, messages=given.messages, only=given.part)
    if given.markdown:
        lines = [["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)] for head, *rows in tables]
        given.markdown.write_text("\n\n".join("\n".join(each) for each in lines) + "\n")


if __name__ == "__main__":
    main()
