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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/strategies.py

from benchmarks.strategy_offline import offline
from benchmarks.strategy_ranking import MESSAGES, OTHERS, OTHERS_MESSAGES, SETTINGS, Ranks, newcomer, ranks
from benchmarks.strategy_regret import A_WEEK, POLICIES, WEEKS, regret
from flywheel_dagster.strategies.dimensions import METRICS

Told = Callable[[], None]


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
