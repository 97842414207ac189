"""How time and memory grow with the number of outcomes, in one database that grows: import and building of what is added, then a dataset and
pairs of all there is. Drawn as docs/growth.png."""

import argparse
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from rich.progress import Progress
from rich.table import Table

from benchmarks.dataset_speed import PROCESSES, name_leads
from benchmarks.measuring import Ground, Peak, console, describe, ground, seconds
from benchmarks.past_outcomes import FIRST, write_past_outcomes
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.pairs import assemble_pairs
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.weeks import monday

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
PLOT = Path(__file__).parents[1] / "docs" / "growth.png"
_ADDED, _ALL = ("import", "building examples"), ("assembling the best 10,000", "preference pairs")
_A_WEEK = 20_000  # rows


def measure(connection: psycopg.Connection[TupleRow], place: Ground, have: int, size: int) -> dict[str, Any]:
    """Grow from `have` rows to `size`: seconds and peak memory (MB, all of our processes) of each step, and the database's size (GB)."""
    begin, weeks = -(-have // _A_WEEK), max(1, (size - have) // _A_WEEK)
    first = FIRST + timedelta(weeks=begin)
    path = place.folder / "growth.csv"
    with console.status(f"writing {size - have:,} rows"):
        write_past_outcomes(path, size - have, seed=size, first=first, weeks=weeks)

    def build() -> None:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("building examples", total=weeks + 1)
            last = monday(first + timedelta(weeks=weeks))
            score_weeks(connection, monday(first), last, processes=PROCESSES, progress=lambda _: progress.advance(task))

    found: dict[str, Any] = {"rows": size, "added": size - have}
    work: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("import", lambda: import_outcomes(connection, path)),
        ("", lambda: name_leads(place)),
        ("building examples", build),
        ("assembling the best 10,000", lambda: assemble(connection, "global", place.folder / "data", Selection())),
        ("preference pairs", lambda: assemble_pairs(connection, "global", place.folder / "data", Selection())),
    )
    for name, step in work:
        with Peak() as peak, console.status(name or "naming the leads"):
            taken, _ = seconds(step)
        if name:
            found[name] = (taken, peak.bytes / 2**20)
            console.print(f"{size:,} rows, {name}: {taken:,.1f} s, {peak.bytes / 2**20:,.0f} MB")
    path.unlink()
    database = connection.execute("select pg_database_size(current_database())").fetchone()
    assert database is not None
    found["database"] = database[0] / 2**30
    return found


def show(measured: list[dict[str, Any]]) -> None:
    """A table, and the plot."""
    table = Table("outcomes", "added", *_ADDED, *_ALL, "database")
    for each in measured:
        steps = (f"{each[step][0]:,.1f} s, {each[step][1]:,.0f} MB" for step in (*_ADDED, *_ALL))
        table.add_row(f"{each['rows']:,}", f"{each['added']:,}", *steps, f"{each['database']:.1f} GB")
    console.print(table)
    draw(measured, PLOT)
    console.print(f"drawn: {PLOT}")


def draw(measured: list[dict[str, Any]], path: Path) -> None:
    """Time a row, which should stay level, and memory."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    rows = [each["rows"] for each in measured]
    for step, colour in zip((*_ADDED, *_ALL), ("#4f43dd", "#2f9e6e", "#d1495b", "#e0a030"), strict=True):
        of = "added" if step in _ADDED else "rows"
        label = f"{step}, a row {'added' if step in _ADDED else 'of all'}"
        time_axes.plot(rows, [1e6 * each[step][0] / each[of] for each in measured], marker="o", label=label, color=colour)
        memory_axes.plot(rows, [each[step][1] for each in measured], marker="o", color=colour)
    for axes, title in (
        (time_axes, f"Microseconds a row, {PROCESSES} processes"),
        (memory_axes, "Peak memory of our processes, MB"),
    ):
        axes.set_xscale("log")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("outcomes in the database", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
    figure.legend(fontsize=7, frameon=False, loc="outside lower center", ncols=4)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Grow through the sizes, keeping the figures as they come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES, help="sizes, in order (default: 10 thousand to 3 million)")
    parser.add_argument("--results", type=Path, default=Path("growth.json"), help="where the figures go as well")
    given = parser.parse_args()
    measured: list[dict[str, Any]] = []
    with ground() as place, place.service() as connection:
        describe(connection)
        for size in given.rows:
            measured.append(measure(connection, place, measured[-1]["rows"] if measured else 0, size))
            given.results.write_text(json.dumps(measured, indent=1))
    show(measured)


if __name__ == "__main__":
    main()
