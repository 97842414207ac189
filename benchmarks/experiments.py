"""How often the experiments' verdicts are right where the truth is known: python -m benchmarks.experiments [--experiments 2000] [--seed 1] [--markdown FILE].

Simulated: 1,000 units a week for twelve weeks, a variant that starts at 10 % and goes to 50 % when `may_ramp` allows it, replies, meetings and deals that
arrive late (X is taken at an age of 14 days), daily and weekly looks, and the real `judge` in the loop. A setting of 2,000 experiments takes half a
minute of a core. Beside it stands the plain rule ("score better by more than 5 %"), which asks nothing about chance.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/experiments.py

from flywheel_dagster.models.experiments.confidence_sequence import bounds, enough_events
from flywheel_dagster.models.experiments.difference import difference
from flywheel_dagster.models.experiments.guardrails import EVENTS, TESTS, cost_bound, e_values
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.policies import EVIDENCE, SCORE, Policy, Rule
from flywheel_dagster.models.experiments.ramp import may_ramp
from flywheel_dagster.models.experiments.re_examination import Finding, re_examine
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Verdict

WEEKS, UNITS_A_WEEK = 12, 1_000
DAYS = 7 * WEEKS
AGE = 14
"""Days after which X is taken."""
OLD_AGE = 90
_CENT = 0.01
_EVENTS = {"bounced": 0.02, "spam_reported": 0.001, "unsubscribed": 0.01, "negative_reply": 0.02}
_BASE_SAMPLE = 4_000_000


@dataclass(frozen=True)
class World:
    """What is true. Rates are a unit's, in the end; lifts are relative, and the same for all variants."""

    name: str
    lift: float = 0.0
    late_lifts: tuple[float, float] | None = None
    """Of meetings and deals, where they aren't that of replies: more replies may come to nothing."""
    drift: float = 0.0
    """Rates rise evenly from 1 - drift to 1 + drift over the twelve weeks."""
    ramp: bool = True
    """False: the share stays at 10 %."""
    delays: tuple[float, float, float] = (2.0, 5.0, 20.0)
    """Mean days from exposure to reply, on to the meeting, on to the deal."""
    variants: int = 1
    reply: float = 0.08
    meeting: float = 0.02
    deal: float = 0.005


class Days(NamedTuple):
    """What happened to the units of each day: sums by experiment, day and arm (control first), and the shares of those days."""

    sums: dict[str, np.ndarray]
    old: dict[str, np.ndarray]
    """The same at OLD_AGE, as far as it differs."""
    shares: np.ndarray
    ramped: np.ndarray
    """The first day of the second epoch, by experiment; DAYS where it never came."""


def simulate(world: World, *, experiments: int, seed: int, policy: Policy = EVIDENCE) -> Days:
    """Week by week, because the share of a week depends on what `may_ramp` said after the one before."""
    random = np.random.default_rng([seed, 7])
    arms = 1 + world.variants
    units_a_day = np.diff(np.arange(8) * UNITS_A_WEEK // 7)
    weeks, share = [], np.full(experiments, 0.1)
    ramped = np.full(experiments, DAYS)
    for week in range(WEEKS):
        shares = np.repeat(_shares(share, world)[:, None], 7, axis=1)
        lifted = 1 + world.drift * (2 * (7 * week + np.arange(7)) / (DAYS - 1) - 1)
        units = np.stack([random.multinomial(n, shares[:, day]) for day, n in enumerate(units_a_day)], axis=1)
        weeks.append((_week(random, world, units, lifted), shares))
        if world.ramp and week < WEEKS - 1:
            open_ = np.flatnonzero(ramped == DAYS)
            so_far = Days(*_joined(weeks), ramped)
            for variant in range(1, arms):
                exposed = totals(so_far, variant, maturity=0)
                open_ = np.array(
                    [
                        one
                        for one in open_
                        if may_ramp(exposed.at(one, -1), days=7 * (week + 1), policy=policy, variants=world.variants).allowed
                    ]
                )
            if open_.size:
                share[open_], ramped[open_] = 0.5, 7 * (week + 1)
    return Days(*_joined(weeks), ramped)


def _shares(share: np.ndarray, world: World) -> np.ndarray:
    """By arm: the variants share what isn't control's; at the start each has its 10 %."""
    of_variant = np.where(share < 0.5, share, share / world.variants)
    return np.column_stack([1 - world.variants * of_variant, *[of_variant] * world.variants])


def _joined(
    weeks: list[tuple[tuple[dict[str, np.ndarray], dict[str, np.ndarray]], np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    young, old = (
        {name: np.concatenate([week[0][which][name] for week in weeks], axis=1) for name in weeks[0][0][which]} for which in (0, 1)
    )
    return young, old, np.concatenate([week[1] for week in weeks], axis=1)


def _week(
    random: np.random.Generator, world: World, units: np.ndarray, lifted: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """`units`: (experiments, 7, arms). Only those who reply are drawn one by one; nothing else depends on a unit's path."""
    lift = np.array([1.0, *[1 + world.lift] * world.variants])
    meeting, deal = world.late_lifts or (world.lift, world.lift)
    to_meeting = np.array([1.0, *[(1 + meeting) / (1 + world.lift)] * world.variants]) * world.meeting / world.reply
    to_deal = np.array([1.0, *[(1 + deal) / (1 + meeting)] * world.variants]) * world.deal / world.meeting
    replies = random.binomial(units, world.reply * lifted[:, None] * lift)
    cell = np.repeat(np.arange(units.size), replies.ravel())
    met = random.random(cell.size) < to_meeting[cell % len(lift)]
    won = met & (random.random(cell.size) < to_deal[cell % len(lift)])
    when = np.cumsum([random.exponential(1.0, cell.size) * mean for mean in world.delays], axis=0)
    sums = {name: random.binomial(units, rate).astype(float) for name, rate in _EVENTS.items()}
    twice = random.binomial(units, 0.5)  # half of all units get a second message
    sums |= {"units": units.astype(float), "cost": _CENT * (units + twice), "cost_squared": _CENT**2 * (units + 3.0 * twice)}
    return sums | _outcomes(random, units, cell, met, won, when, AGE), _outcomes(random, units, cell, met, won, when, OLD_AGE)


def _outcomes(
    random: np.random.Generator, units: np.ndarray, cell: np.ndarray, met: np.ndarray, won: np.ndarray, when: np.ndarray, age: float
) -> dict[str, np.ndarray]:
    replied, meeting, deal = when[0] <= age, met & (when[1] <= age), won & (when[2] <= age)
    value = 0.2 * replied + 0.3 * meeting + 0.5 * deal
    sums = {"value": value, "value_squared": value**2, "valued": value > 0, "replied": replied, "meeting": meeting, "deal": deal}
    found = {
        name: np.bincount(cell, weights=each.astype(float), minlength=units.size).reshape(units.shape)
        for name, each in sums.items()
    }
    return found | {"cost_of_met": _CENT * (found["meeting"] + random.binomial(found["meeting"].astype(int), 0.5))}


def totals(days: Days, variant: int = 1, *, maturity: int, old: bool = False) -> Totals:
    """(experiments, looks, 2 epochs, 2 arms): the totals after each day, of the units exposed `maturity` days ago or earlier."""
    looks = days.shares.shape[1]
    second = np.arange(looks) >= days.ramped[:, None]
    arms = [0, variant]

    def cumulated(daily: np.ndarray) -> np.ndarray:
        split = np.stack([daily[..., arms] * ~second[..., None], daily[..., arms] * second[..., None]], axis=2)
        so_far = np.cumsum(split, axis=1)
        late = np.zeros_like(so_far)
        late[:, maturity:] = so_far[:, : looks - maturity]
        return late

    sums = {name: cumulated(daily) for name, daily in (days.sums | (days.old if old else {})).items()}
    last = np.where(days.ramped < looks, looks - 1, 0)
    each = np.stack([days.shares[:, 0], days.shares[np.arange(len(last)), last]], axis=1)
    share = each[..., variant] / (each[..., 0] + each[..., variant])
    none = np.zeros_like(sums["units"])
    return Totals(share=np.repeat(share[:, None], looks, axis=1), sentiment=none, sentiments=none, **sums)


class Counted(NamedTuple):
    """Verdicts of many experiments: the first that isn't inconclusive, or inconclusive at the end."""

    verdicts: Counter[Verdict]
    promoted_after: list[int]
    """Days."""
    promoted: list[tuple[int, int, int]]
    """Experiment, variant, and days."""


def run(
    days: Days, *, every: int, policy: Policy, variants: int = 1, patient: bool = False, told: Callable[[], None] = lambda: None
) -> Counted:
    """Look every so many days until a verdict; with two variants until one is promoted, or both are decided. `patient`: a `keep` ends nothing.

    By `evidence`, `judge` is called at the looks at which some bound is crossed; at all others it says inconclusive (a test tries them all).
    """
    verdicts, after, promoted = Counter[Verdict](), list[int](), list[tuple[int, int, int]]()
    pairs = [(totals(days, variant, maturity=AGE), totals(days, variant, maturity=0)) for variant in range(1, variants + 1)]
    looks = np.zeros((len(days.ramped), DAYS), dtype=bool)
    looks[:, every - 1 :: every] = True
    if policy.rule is Rule.EVIDENCE:
        looks &= np.any([crossed(*pair, policy, variants=variants) for pair in pairs], axis=0)
    for one in range(len(days.ramped)):
        open_ = dict(enumerate(pairs, start=1))
        last = Verdict.INCONCLUSIVE
        for day in (np.flatnonzero(looks[one]) + 1).tolist():
            found = {
                variant: judge(
                    matured.at(one, day - 1), exposed=exposed.at(one, day - 1), days=day, policy=policy, variants=variants
                )
                for variant, (matured, exposed) in open_.items()
            }
            best = max(found, key=lambda variant: (found[variant].verdict is Verdict.PROMOTE, found[variant].estimate or 0.0))
            if found[best].verdict is Verdict.PROMOTE:
                last = Verdict.PROMOTE
                after.append(day)
                promoted.append((one, best, day))
                break
            for variant, judgement in found.items():
                if judgement.verdict is not Verdict.INCONCLUSIVE and not (patient and judgement.verdict is Verdict.KEEP):
                    last = judgement.verdict
                    del open_[variant]
            if not open_:
                break
        verdicts[last if last is Verdict.PROMOTE or not open_ else Verdict.INCONCLUSIVE] += 1
        told()
    return Counted(verdicts, after, promoted)


def crossed(matured: Totals, exposed: Totals, policy: Policy, *, variants: int = 1) -> np.ndarray:
    """(experiments, looks): where a guardrail is breached, or a bound of the difference is on one side of 0 or of the margin."""
    alpha = policy.guardrail_alpha / TESTS / variants
    breached = cost_bound(matured, alpha=alpha, policy=policy) > 0
    for name in EVENTS:
        breached |= e_values(getattr(exposed, name), exposed.share) >= 1 / alpha
    enough = enough_events(matured, policy.minimum_events)
    for raised in (1.0, 1.0 + policy.margin):
        scale = np.array([raised, 1.0])
        found = difference(matured, scale * matured.value, scale**2 * matured.value_squared)
        lower, upper = bounds(found, planned_units=policy.planned_units, alpha=policy.alpha / variants, enough=enough)
        breached |= (lower > 0) | (upper < 0)
    return breached


def misses(world: World, days: Days, policy: Policy) -> tuple[float, float]:
    """Shares of experiments whose lower bound is above the truth at any daily look, or whose upper bound is below."""
    matured = totals(days, maturity=AGE)
    found = difference(matured, matured.value, matured.value_squared)
    lower, upper = bounds(
        found, planned_units=policy.planned_units, alpha=policy.alpha, enough=enough_events(matured, policy.minimum_events)
    )
    drift = 1 + world.drift * (2 * np.arange(DAYS) / (DAYS - 1) - 1)
    per_unit = days.sums["units"] * drift[:, None]
    of_epoch = totals(days._replace(sums=days.sums | {"value": per_unit}), maturity=AGE).value.sum(axis=-1) / np.maximum(
        matured.units.sum(axis=-1), 1
    )
    truth = world.lift * _base_value(world) * (matured.weight * of_epoch).sum(axis=-1) / matured.information
    return float((lower > truth).any(axis=1).mean()), float((upper < truth).any(axis=1).mean())


def _base_value(world: World) -> float:
    """Control's mean X at AGE without drift, from a large sample."""
    random = np.random.default_rng(0)
    when = np.cumsum([random.exponential(1.0, _BASE_SAMPLE) * mean for mean in world.delays], axis=0)
    by_age = (when <= AGE).mean(axis=1)
    return float(0.2 * world.reply * by_age[0] + 0.3 * world.meeting * by_age[1] + 0.5 * world.deal * by_age[2])


def re_examined(days: Days, promoted: list[tuple[int, int, int]], policy: Policy) -> Counter[Finding]:
    """What becomes of promotions when their units reach OLD_AGE, looked at weekly: the first finding that isn't open, or open."""
    older = totals(days, maturity=0, old=True)
    findings = Counter[Finding]()
    for one, _, day in promoted:
        found = (re_examine(older.at(one, last - 1), policy=policy).finding for last in [*range(7, day, 7), day])
        findings[next((each for each in found if each is not Finding.OPEN), Finding.OPEN)] += 1
    return findings


class Line(NamedTuple):
    """A setting's figures, as shares of experiments."""

    world: World
    missed: tuple[float, float] | None
    weekly: Counted | None
    daily: Counted | None
    plain_first: Counted | None
    plain_any: Counted | None
    findings: Counter[Finding]
    experiments: int


SETTINGS = (
    World("equal"),
    World("20 % worse", -0.2),
    World("10 % better", 0.1),
    World("20 % better", 0.2),
    World("30 % better", 0.3),
    World("50 % better", 0.5),
    World("equal, rates rise threefold", drift=0.5),
    World("equal, rates fall to a third", drift=-0.5),
    World("two equal variants", variants=2),
    World(
        "replies +50 %, meetings -40 %, deals -80 %, slow",
        0.5,
        late_lifts=(-0.4, -0.8),
        delays=(2.0, 15.0, 30.0),
        meeting=0.04,
        deal=0.02,
    ),
)
BOUNDS_ONLY = (
    World("30 % better, rates rise threefold", 0.3, drift=0.5),
    World("equal, share stays at 10 %", ramp=False),
    World("50 % better, share stays at 10 %", 0.5, ramp=False),
    World("equal, outcomes at once", delays=(0.0, 0.0, 0.0)),
    World("equal, at once, share stays at 10 %", ramp=False, delays=(0.0, 0.0, 0.0)),
    World("20 % worse, at once, share stays at 10 %", -0.2, ramp=False, delays=(0.0, 0.0, 0.0)),
)
"""Worlds in which only the coverage of the bounds is measured."""


def measure(
    *, experiments: int = 2_000, seed: int = 1, told: Callable[[str, int, int], None] = lambda name, done, of: None
) -> Iterator[Line]:
    """One setting after another. `told` is called with a setting's name, the experiments judged so far and how many there will be."""
    for world in SETTINGS:
        days = simulate(world, experiments=experiments, seed=seed)
        done = iter(range(1, 4 * experiments + 1))

        def step(name: str = world.name, done: Iterator[int] = done) -> None:
            told(name, next(done), 4 * experiments)

        runs = [
            run(days, every=every, policy=policy, variants=world.variants, patient=patient, told=step)
            for every, policy, patient in ((7, EVIDENCE, False), (1, EVIDENCE, False), (7, SCORE, False), (7, SCORE, True))
        ]
        findings = re_examined(days, runs[1].promoted, EVIDENCE) if world.variants == 1 else Counter[Finding]()
        proportional = world.late_lifts is None and world.variants == 1
        yield Line(world, misses(world, days, EVIDENCE) if proportional else None, *runs, findings, experiments)
    for world in BOUNDS_ONLY:
        days = simulate(world, experiments=experiments, seed=seed)
        told(world.name, 1, 1)
        yield Line(world, misses(world, days, EVIDENCE), None, None, None, None, Counter(), experiments)


_COLUMNS = (
    "variant in truth",
    "promoted, weekly looks",
    "promoted, daily",
    "rolled back, daily",
    "kept, daily",
    "median day of promotion",
    "promoted, plain rule's first look",
    "plain rule, any weekly look",
    "lower bound missed",
    "upper bound missed",
    "promotions confirmed / open / reversed at 90 days",
)


def rows(lines: list[Line]) -> list[tuple[str, ...]]:
    """The table's cells."""
    return [tuple(_cells(line)) for line in lines]


def _cells(line: Line) -> Iterator[str]:
    def share(counted: Counted | None, verdict: Verdict = Verdict.PROMOTE) -> str:
        return "" if counted is None else f"{counted.verdicts[verdict] / line.experiments:.1%}"

    yield line.world.name
    yield share(line.weekly)
    yield share(line.daily)
    yield share(line.daily, Verdict.ROLL_BACK)
    yield share(line.daily, Verdict.KEEP)
    yield f"{np.median(line.daily.promoted_after):.0f}" if line.daily and line.daily.promoted_after else ""
    yield share(line.plain_first)
    yield share(line.plain_any)
    yield from (f"{each:.1%}" for each in line.missed) if line.missed else ("", "")
    yield " / ".join(str(line.findings[each]) for each in Finding) if line.findings.total() else ""


def main() -> None:
    """Print the table, and write it as Markdown where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2_000, help="simulated experiments a setting (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: %(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as well")
    given = parser.parse_args()
    cells = show(experiments=given.experiments, seed=given.seed)
    if given.markdown:
        given.markdown.write_text(
            "\n".join("| " + " | ".join(row) + " |" for row in [_COLUMNS, ["---"] * len(_COLUMNS), *cells]) + "\n"
        )


def show(*, experiments: int = 2_000, seed: int = 1) -> list[tuple[str, ...]]:
    """Measure with a progress bar, print the table, and give its cells."""
    console = Console()
    console.print(f"command: {' '.join(['python', *sys.orig_argv[1:]])}")
    begin = time.perf_counter()
    with Progress(console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def told(name: str, done: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=of)
            progress.update(tasks[name], completed=done)

        cells = rows(list(measure(experiments=experiments, seed=seed, told=told)))
    title = f"{experiments:,} experiments a setting, {UNITS_A_WEEK:,} units a week, {WEEKS} weeks, seed {seed}, {time.perf_counter() - begin:,.0f} s"
    table = Table(*_COLUMNS, title=title, title_justify="left")
    for row in cells:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"standard error of a share of 1 %: ±{np.sqrt(0.01 * 0.99 / experiments):.1%}; of 50 %: ±{np.sqrt(0.25 / experiments):.1%}"
    )
    return cells


if __name__ == "__main__":
    main()
