"""How time and memory grow with the number of outcomes: import, building, assembling, pairs; drawn as docs/growth.png. Each size has a fresh database."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.dataset_speed import PROCESSES, build, prepare
from benchmarks.measuring import Peak, console, describe, ground, seconds
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.pairs import assemble_pairs
from flywheel_dagster.datasets.selection import Selection

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
PLOT = Path(__file__).parents[1] / "docs" / "growth.png"
_STEPS = ("import", "building examples", "assembling the best 10,000", "preference pairs")


def measure(rows: int) -> dict[str, Any]:
    """Seconds and peak memory (MB, all of our processes) of each step, and the server's size on disk."""
    with ground() as place, place.service() as connection:
        describe(connection)
        found: dict[str, Any] = {"rows": rows}
        with Peak() as peak:
            taken = prepare(connection, place, rows)
        found["import"] = (taken, peak.bytes / 2**20)
        work: tuple[Callable[[], Any], ...] = (
            lambda: build(connection),
            lambda: assemble(connection, "global", place.folder / "data", Selection()),
            lambda: assemble_pairs(connection, "global", place.folder / "data", Selection()),
        )
        for name, step in zip(_STEPS[1:], work, strict=True):
            with Peak() as peak, console.status(name):
                taken, _ = seconds(step)
            found[name] = (taken, peak.bytes / 2**20)
            console.print(f"{rows:,} rows, {name}: {taken:,.1f} s, {peak.bytes / 2**20:,.0f} MB")
        size = connection.execute("select pg_database_size(current_database())").fetchone()
        assert size is not None
        found["database"] = size[0] / 2**30
        return found


def show(measured: list[dict[str, Any]]) -> None:
    """A table, and the plot."""
    table = Table("outcomes", *(f"{step}" for step in _STEPS), "database")
    for each in measured:
        table.add_row(
            f"{each['rows']:,}",
            *(f"{each[step][0]:,.1f} s, {each[step][1]:,.0f} MB" for step in _STEPS),
            f"{each['database']:.1f} GB",
        )
    console.print(table)
    draw(measured, PLOT)
    console.print(f"drawn: {PLOT}")


def draw(measured: list[dict[str, Any]], path: Path) -> None:
    """Both axes logarithmic: a straight line that rises as the dotted one grows in proportion."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    rows = [each["rows"] for each in measured]
    for step, colour in zip(_STEPS, ("#4f43dd", "#2f9e6e", "#d1495b", "#e0a030"), strict=True):
        time_axes.plot(rows, [each[step][0] for each in measured], marker="o", label=step, color=colour)
        memory_axes.plot(rows, [each[step][1] for each in measured], marker="o", label=step, color=colour)
    top = measured[-1]
    share = top["building examples"][0] / top["rows"]
    time_axes.plot(rows, [share * count for count in rows], linestyle=":", color="#8888aa", label="in proportion to the rows")
    for axes, title in ((time_axes, f"Seconds, {PROCESSES} processes"), (memory_axes, "Peak memory of our processes, MB")):
        axes.set_xscale("log")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("outcomes", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    time_axes.set_yscale("log")
    memory_axes.set_ylim(bottom=0)
    time_axes.legend(fontsize=7, frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure the sizes, or draw what was measured before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES, help="sizes to measure (default: 10 thousand to 3 million)")
    parser.add_argument(
        "--results", type=Path, default=Path("growth.json"), help="where figures are kept, so that sizes can be added one by one"
    )
    given = parser.parse_args()
    known = json.loads(given.results.read_text()) if given.results.exists() else {}
    for rows in given.rows:
        known[str(rows)] = measure(rows)
        given.results.write_text(json.dumps(known, indent=1))
    show(sorted(known.values(), key=lambda each: int(each["rows"])))


if __name__ == "__main__":
    sys.exit(main())
