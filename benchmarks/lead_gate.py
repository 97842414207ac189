"""How often the gate deploys a lead model that is no better, and one that is: python -m benchmarks.lead_gate [--repeats 300] [--seed 1] [--markdown FILE].

Repeated on disjoint samples of leads: an old and a new model learn from samples of equal size and are judged on a third one, the held-out part; which is
better in truth is measured on all other leads. By `evidence` and by the plain rule (AUC better by 0.02), at one look and at ten, in a simulated world and on
real leads where ../shared/data has them. Then the product itself: leads told of in a database, `train` and `decide`.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psycopg
from psycopg.rows import TupleRow
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from threadpoolctl import threadpool_limits

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/lead_gate.py

from benchmarks.lead_worlds import World, learnt, real, scores, simulated
from benchmarks.measuring import Ground, ground
from flywheel_dagster.database import statement
from flywheel_dagster.leads.deciding import decide
from flywheel_dagster.leads.delong import auc
from flywheel_dagster.leads.gate import Action, judge
from flywheel_dagster.leads.policies import EVIDENCE, PLAIN
from flywheel_dagster.leads.scores import Score
from flywheel_dagster.leads.training import train
from flywheel_dagster.leads.versions import list_versions, load_model
from flywheel_dagster.leads.writing import Lead, scorings, words_of

HELD_OUT = (50, 100, 200, 500, 1_500)
LOOKS, A_LOOK = 10, 100
POLICIES = (EVIDENCE, PLAIN)


class Setting(NamedTuple):
    """What old and new model learn from: rows as a multiple of the world's, and whether all fields."""

    name: str
    old_rows: float
    new_rows: float
    old_few: bool = False


SETTINGS = (
    Setting("equal", 1, 1),
    Setting("four times the leads", 0.25, 1),
    Setting("twice the fields", 1, 1, old_few=True),
)


@dataclass
class Tally:
    """Repeats of one setting. For each and for each policy: the true gain of the new model that it decided on last, and whether it deployed it."""

    gains: list[tuple[float, float]] = field(default_factory=list)
    deployed: list[tuple[bool, bool]] = field(default_factory=list)

    def add(self, gains: tuple[float, float], deployed: tuple[bool, bool]) -> None:
        self.gains.append(gains)
        self.deployed.append(deployed)

    def shares(self, policy: int) -> tuple[float, float, float]:
        """Deployed; deployed without a gain in truth, of all repeats; and of those without a gain."""
        gains, deployed = (np.array(each).reshape(-1, 2)[:, policy] for each in (self.gains, self.deployed))
        none = gains <= 0
        return float(deployed.mean()), float((deployed & none).mean()), float(deployed[none].mean()) if none.any() else 0.0


def one_look(world: World, setting: Setting, *, repeats: int, seed: int) -> dict[int, Tally]:
    """By the size of the held-out part."""
    tallies = {size: Tally() for size in HELD_OUT}
    for repeat in range(repeats):
        rows = np.random.default_rng([seed, repeat]).permutation(len(world.converted))
        old_rows, new_rows, rest = np.split(
            rows, np.cumsum([int(world.training * n) for n in (setting.old_rows, setting.new_rows)])
        )
        used = world.few if setting.old_few else np.ones_like(world.few)
        old = learnt(world.matrix[np.ix_(old_rows, used)], world.converted[old_rows])
        new = learnt(world.matrix[new_rows], world.converted[new_rows])
        old_scores, new_scores = scores(old, world.matrix[rest][:, used]), scores(new, world.matrix[rest])
        outcome = world.converted[rest]
        most = HELD_OUT[-1]
        gain = auc(outcome[most:], new_scores[most:]) - auc(outcome[most:], old_scores[most:])
        for size, tally in tallies.items():
            found = [judge(outcome[:size], old_scores[:size], new_scores[:size], policy=policy).action for policy in POLICIES]
            tally.add((gain, gain), (found[0] is Action.DEPLOY, found[1] is Action.DEPLOY))
    return tallies


def ten_looks(world: World, *, repeats: int, seed: int) -> Tally:
    """One old model, ten new ones of equal size each on leads of its own, judged one after the other on a held-out part that grows by 100 each; the first
    that a policy deploys ends it."""
    tally = Tally()
    sizes = [int(world.training * 0.6)] * (LOOKS + 1)
    for repeat in range(repeats):
        rows = np.random.default_rng([seed, 7, repeat]).permutation(len(world.converted))
        *samples, rest = np.split(rows, np.cumsum(sizes))
        held, truth = rest[: LOOKS * A_LOOK], rest[LOOKS * A_LOOK :]
        models = [learnt(world.matrix[each], world.converted[each]) for each in samples]
        old, *new = (scores(model, world.matrix[held]) for model in models)
        last, done = [0, 0], [False, False]
        for look in range(1, LOOKS + 1):
            seen = slice(look * A_LOOK)
            for place, policy in enumerate(POLICIES):
                if not done[place]:
                    last[place] = look
                    found = judge(world.converted[held][seen], old[seen], new[look - 1][seen], policy=policy, look=look)
                    done[place] = found.action is Action.DEPLOY
        true = {look: auc(world.converted[truth], scores(models[look], world.matrix[truth])) for look in {0, *last}}
        tally.add((true[last[0]] - true[0], true[last[1]] - true[0]), (done[0], done[1]))
    return tally


def first_versions(world: World, *, repeats: int, seed: int) -> dict[int, Tally]:
    """First versions of leads that nothing tells apart (outcomes are shuffled), by the number of told leads: each scored out of fold, five folds, against
    the prior. None has a gain."""
    tallies = {size: Tally() for size in HELD_OUT[:-1]}
    for repeat in range(repeats):
        random = np.random.default_rng([seed, 5, repeat])
        for size, tally in tallies.items():
            rows, outcome = random.permutation(len(world.converted))[:size], random.permutation(world.converted)[:size]
            fold, said = np.arange(size) % 5, np.empty(size)
            for part in range(5):
                known = fold != part
                said[~known] = scores(learnt(world.matrix[rows[known]], outcome[known]), world.matrix[rows[~known]])
            found = [judge(outcome, None, said, policy=policy).action for policy in POLICIES]
            tally.add((0.0, 0.0), (found[0] is Action.DEPLOY, found[1] is Action.DEPLOY))
    return tallies


def through_the_product(connection: psycopg.Connection[TupleRow], *, repeats: int, seed: int, rows: int = 150) -> Tally:
    """An organization each: told of so many leads, a version learnt and deployed, told of as many more, and the next version judged by `decide`; the
    truth is measured on five thousand leads."""
    tally = Tally()
    world = simulated()
    for repeat in range(repeats):
        organization = f"gate {seed} {repeat}"
        order = np.random.default_rng([seed, 9, repeat]).permutation(len(world.converted))
        _tell(connection, organization, world, order[:rows])
        train(connection, organization)
        if decide(connection, organization).serving == "prior":
            continue
        _tell(connection, organization, world, order[rows : 2 * rows])
        train(connection, organization)
        decided = decide(connection, organization)
        truth = order[2 * rows : 2 * rows + 5_000]
        features = [_features(row) for row in world.matrix[truth]]
        connection.commit()
        new, old = (
            auc(world.converted[truth], load_model(connection, version).score(features))
            for version in list_versions(connection, organization)
        )
        connection.commit()
        difference = decided.decision.numbers.get("difference") or 0.0
        tally.add((new - old, new - old), (decided.decision.action is Action.DEPLOY, difference >= PLAIN.margin))
    return tally


def _features(row: np.ndarray) -> dict[str, float]:
    return {f"field {place}": float(value) for place, value in enumerate(row)}


def _tell(connection: psycopg.Connection[TupleRow], organization: str, world: World, rows: np.ndarray) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    leads = [Lead(f"lead {row}", _features(world.matrix[row]), scored_at=begin) for row in rows]
    connection.execute(
        statement("write_lead_scores"), scorings(organization, leads, [Score(0.2, "low", [])] * len(leads), "prior", source="api")
    )
    said = [
        (f"lead {row}", bool(world.converted[row]), begin + timedelta(days=30, minutes=place)) for place, row in enumerate(rows)
    ]
    connection.execute(statement("tell_leads"), words_of(organization, said, source="file", told_by="benchmark"))
    connection.commit()


_COLUMNS = (
    "leads",
    "new against old",
    "held out",
    "mean true gain",
    "deployed",
    "deployed without a gain, of all",
    "of those without a gain",
)
"""Shares are by `evidence` / by the plain rule."""


def measure(*, repeats: int, seed: int) -> Iterator[tuple[str, ...]]:
    """The table's rows, world by world."""
    for world in filter(None, (simulated(), real())):
        for setting in SETTINGS:
            for size, tally in one_look(world, setting, repeats=repeats, seed=seed).items():
                yield _cells(world.name, setting.name, f"{size:,}", tally)
        yield _cells(
            world.name, "equal, ten looks", f"{A_LOOK} to {LOOKS * A_LOOK:,}", ten_looks(world, repeats=repeats, seed=seed)
        )


def _cells(world: str, setting: str, held: str, tally: Tally) -> tuple[str, ...]:
    shares = zip(tally.shares(0), tally.shares(1), strict=True)
    return (
        world,
        setting,
        held,
        f"{np.mean(tally.gains):+.3f}",
        *(f"{100 * ours:.1f} / {100 * plain:.1f} %" for ours, plain in shares),
    )


def show(place: Ground | None = None, *, repeats: int = 300, seed: int = 1, runs: int = 20) -> list[tuple[str, ...]]:
    """Measure, print the table, and give its cells. With a database the product's own training and decision are tried too, `runs` times."""
    console = Console()
    begin = time.perf_counter()
    with threadpool_limits(limits=1), Progress(console=console, transient=True) as progress:
        task = progress.add_task("lead-gate", total=None)
        rows = []
        for row in measure(repeats=repeats, seed=seed):
            rows.append(row)
            progress.update(task, description=f"lead-gate: {row[0]}, {row[1]}")
        if place is not None:
            progress.update(task, description="lead-gate: train and decide")
            with place.service() as connection:
                rows.append(
                    _cells(
                        "simulated",
                        "train and decide: 150 leads, then 300",
                        "150",
                        through_the_product(connection, repeats=runs, seed=seed),
                    )
                )
    table = Table(
        *_COLUMNS,
        title=f"Shares by evidence / by the plain rule; {repeats} repeats, seed {seed}, {time.perf_counter() - begin:,.0f} s",
        title_justify="left",
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        f"standard error of a share of 5 %: ±{np.sqrt(0.05 * 0.95 / repeats):.1%}; of 50 %: ±{np.sqrt(0.25 / repeats):.1%}"
    )
    return rows


def main() -> None:
    """Print the table, and write it as Markdown where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300, help="of each setting (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=20, help="of the product's own training and decision (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: %(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as well")
    given = parser.parse_args()
    with ground() as place:
        rows = show(place, repeats=given.repeats, seed=given.seed, runs=given.runs)
    if given.markdown:
        given.markdown.write_text(
            "\n".join("| " + " | ".join(row) + " |" for row in [_COLUMNS, ["---"] * len(_COLUMNS), *rows]) + "\n"
        )


if __name__ == "__main__":
    main()
