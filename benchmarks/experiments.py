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
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/experiments.py

from benchmarks.simulated_experiments import AGE, DAYS, UNITS_A_WEEK, WEEKS, Days, World, base_value, simulate, totals
from flywheel_dagster.models.experiments.confidence_sequence import bounds, enough_events
from flywheel_dagster.models.experiments.difference import difference
from flywheel_dagster.models.experiments.guardrails import EVENTS, TESTS, cost_bound, e_values
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.policies import EVIDENCE, SCORE, Policy, Rule
from flywheel_dagster.models.experiments.re_examination import Finding, re_examine
from flywheel_dagster.models.experiments.totals import Totals
from flywheel_dagster.models.experiments.verdict import Verdict


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
    truth = world.lift * base_value(world) * (matured.weight * of_epoch).sum(axis=-1) / matured.information
    return float((lower > truth).any(axis=1).mean()), float((upper < truth).any(axis=1).mean())


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
