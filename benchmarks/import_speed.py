"""Importing a CSV file against a bare COPY of the very same file into a table without an index, on the same durable server."""

from pathlib import Path

import psycopg
from psycopg.rows import TupleRow
from rich.progress import Progress

from benchmarks.measuring import Ground, Peak, Report, console, seconds
from benchmarks.past_outcomes import COLUMNS, write_past_outcomes
from flywheel_dagster.outcomes.importing import Imported, import_outcomes

GOAL = 0.15  # of the rate of the bare COPY


def measure(ground: Ground, rows: int) -> Report:
    """Import `rows` rows; the floor is measured before and after, and its mean counts."""
    path = ground.folder / "past.csv"
    with console.status(f"writing {rows:,} rows"):
        write_past_outcomes(path, rows)
    size = path.stat().st_size
    report = Report(f"import of {rows:,} rows, {size / 2**20:,.0f} MB, {size / rows:.0f} bytes and {len(COLUMNS)} columns a row")
    with ground.service() as connection, connect_owner(ground) as owner:
        before = _floor(owner, path)
        with Peak() as peak:
            taken, first = seconds(lambda: _import(connection, path, "import"))
        after = _floor(owner, path)
        floor = (before + after) / 2
        again, second = seconds(lambda: _import(connection, path, "the same again"))
    assert (first.recorded, second.recorded, first.rejected) == (rows, 0, 0), (first, second)
    report.add("floor: bare COPY", floor, rows, ratio=f"1 ({floor / before:.2f} of the first, {floor / after:.2f} of the second)")
    report.add("flywheel import", taken, rows, ratio=f"{floor / taken:.3f} (goal: at least {GOAL})", memory=peak.bytes)
    report.add("the same file again", again, rows, ratio=f"{floor / again:.3f}")
    return report


def connect_owner(ground: Ground) -> psycopg.Connection[TupleRow]:
    """The owner may create the floor's table."""
    return psycopg.connect(ground.addresses.owner)


def _import(connection: psycopg.Connection[TupleRow], path: Path, name: str) -> Imported:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(name)
        return import_outcomes(connection, path, progress=lambda at, of: progress.update(task, completed=at, total=of))


def _floor(owner: psycopg.Connection[TupleRow], path: Path) -> float:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    owner.execute(f"create table floor ({columns})")
    owner.commit()

    def copy() -> None:
        with path.open("rb") as file, owner.cursor().copy("copy floor from stdin (format csv, header)") as into:
            while block := file.read(1 << 20):
                into.write(block)
        owner.commit()

    with console.status("bare COPY"):
        taken, _ = seconds(copy)
    owner.execute("drop table floor")
    owner.commit()
    return taken
