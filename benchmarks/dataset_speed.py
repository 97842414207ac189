"""Building examples of all weeks, and assembling datasets of them, against COPY of the finished lines, read by the client and thrown away, and
against a plain pandas script."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg.rows import TupleRow
from rich.progress import Progress

from benchmarks.measuring import Ground, Peak, Report, console, seconds
from benchmarks.past_outcomes import FIRST, WEEKS, write_past_outcomes
from flywheel_dagster.datasets import assemble as assembly
from flywheel_dagster.datasets import publishing
from flywheel_dagster.datasets.choosing import choose
from flywheel_dagster.datasets.pairs import assemble_pairs
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import ScoredWeek, score_weeks
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.weeks import monday

PROCESSES = 2
ALL = Selection(min_quality=0, limit=2**31 - 1, negatives=True, group_cap=2**31 - 1, maturity_days=0)
GOOD = Selection(limit=2**31 - 1, validation_share=0, test_share=0, group_cap=2**31 - 1)  # what the pandas script takes
GOAL = 1.25  # times the floor, for the files
MEMORY = 150  # MB, of one process
PANDAS = 50  # times as fast

# What is known of the leads, so that there is something to replace.
_LEADS = """update leads set first_name = 'Robin', last_name = 'Rowe' || lead_id, company = 'Nordwind ' || (substring(lead_id from 6)::int % 977),
  email = lead_id || '@nordwind.example', phone = '+49 30 ' || lpad(substring(lead_id from 6), 7, '5')
  where first_name is null"""
_LINES = """copy (select example from scored_training_rows where example is not null order by sent_at, outcome_id)
to stdout (format csv, quote e'\\x01', delimiter e'\\x02')"""


def measure(ground: Ground, rows: int) -> Report:
    """Build and assemble what the import benchmark has left, or an import of our own."""
    with ground.service() as connection:
        prepare(connection, ground, rows)
        report = Report(f"datasets of {rows:,} rows")
        with Peak() as building:
            built, weeks = seconds(lambda: build(connection))
        floor, files = _files_beside_floor(connection, ground)
        everything: list[tuple[str, float]] = []
        with Peak() as assembling, console.status("assembling all of it"):
            taken, dataset = seconds(lambda: _assemble(connection, ground, ALL, everything))
        good: list[tuple[str, float]] = []
        with Peak() as choosing, console.status("assembling the good"):
            good_taken, fine = seconds(lambda: _assemble(connection, ground, GOOD, good))
        with console.status("matching pairs"):
            pairs_taken, pairs = seconds(lambda: assemble_pairs(connection, "global", ground.folder / "data", Selection()))
    report.add("floor: COPY of the lines to stdout", floor, dataset.examples, ratio="1 (median of three, in turn with the next)")
    report.add(
        "the same lines as JSONL files: split, hashed, synced",
        files,
        dataset.examples,
        ratio=f"{files / floor:.2f} x (goal: {GOAL})",
    )
    report.add(
        f"building the examples of {len(weeks)} weeks, {PROCESSES} processes",
        built,
        sum(week.rows for week in weeks),
        ratio=f"{built / floor:.1f} x ({1e6 / 60 * built / rows:.1f} minutes a million; goal: 10)",
        memory=building.bytes,
    )
    for name, part in everything:
        report.add(f"a dataset of all rows: {name}", part, dataset.examples, ratio=f"{part / floor:.2f} x")
    report.add(
        "a dataset of all rows",
        taken,
        dataset.examples,
        ratio=f"{taken / floor:.2f} x (memory goal: {MEMORY} MB)",
        memory=assembling.bytes,
    )
    with console.status("the pandas script"), Peak() as naive:
        pandas_taken, lines = seconds(lambda: _pandas(ground))
    report.add(
        f"pandas: the {lines:,} rows above the threshold",
        pandas_taken,
        rows,
        ratio=f"{pandas_taken / floor:.1f} x",
        memory=naive.bytes,
    )
    files_taken = dict(good)["its JSONL files"]
    report.add(
        f"the same {fine.examples:,} rows from finished examples: their JSONL files",
        files_taken,
        fine.examples,
        ratio=f"{pandas_taken / files_taken:.0f} times as fast as pandas (goal: {PANDAS})",
    )
    report.add(
        "the whole dataset of them: counted, grouped, split, written, published",
        good_taken,
        rows,
        ratio=f"{pandas_taken / good_taken:.0f} times as fast as pandas",
        memory=choosing.bytes,
    )
    report.add(f"{pairs.examples:,} preference pairs", pairs_taken, rows, ratio=f"{pairs_taken / floor:.2f} x")
    return report


def prepare(connection: psycopg.Connection[TupleRow], ground: Ground, rows: int) -> float:
    """Import outcomes unless there are some, and say what is known of their leads; returns the seconds of the import."""
    taken = 0.0
    if connection.execute("select exists (select from outcome_labels)").fetchone() != (True,):
        path = ground.folder / "past.csv"
        with console.status(f"writing and importing {rows:,} rows"):
            write_past_outcomes(path, rows)
            taken, _ = seconds(lambda: import_outcomes(connection, path))
        path.unlink()
    with console.status("naming the leads"):
        name_leads(ground)
    return taken


def name_leads(ground: Ground) -> None:
    """Say what is known of the leads that have no name yet, let everyone take part, and have the server look at its tables."""
    with psycopg.connect(ground.addresses.owner, autocommit=True) as owner:
        owner.execute("update organizations set allows_global_training = true where not allows_global_training")
        owner.execute("alter table leads disable trigger after_update_of_private")  # which would make every outcome a changed one
        owner.execute(_LEADS)
        owner.execute("alter table leads enable trigger after_update_of_private")
        owner.execute("vacuum analyze")


def build(connection: psycopg.Connection[TupleRow]) -> list[ScoredWeek]:
    """Score all weeks, in as many processes as there are cores here."""
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("building examples", total=WEEKS + 1)
        return score_weeks(
            connection,
            monday(FIRST),
            monday(FIRST + timedelta(weeks=WEEKS)),
            processes=PROCESSES,
            progress=lambda _: progress.advance(task),
        )


def _assemble(
    connection: psycopg.Connection[TupleRow], ground: Ground, selection: Selection, phases: list[tuple[str, float]]
) -> Dataset:
    """Assemble, and add how long it took to choose the rows, to write the files, and to publish them."""
    begin = time.perf_counter()
    publish, write_folder = assembly.publish, publishing.write_folder

    def timed_publish(*arguments: Any) -> Any:
        phases.append(("choosing", time.perf_counter() - begin))
        return publish(*arguments)

    def timed_folder(directory: Path, lines: Callable[..., Any], manifest: Callable[..., Any], described: Any) -> Any:
        def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
            def run(folder: Path) -> Any:
                taken, result = seconds(lambda: work(folder))
                phases.append((name, taken))
                return result

            return run

        return write_folder(directory, timed("its JSONL files", lines), timed("its manifest", manifest), described)

    with patch.object(assembly, "publish", timed_publish), patch.object(publishing, "write_folder", timed_folder):
        dataset = assembly.assemble(connection, "global", ground.folder / "data", selection)
    phases.append(("publishing", time.perf_counter() - begin - sum(taken for _, taken in phases)))
    return dataset


def _files_beside_floor(connection: psycopg.Connection[TupleRow], ground: Ground) -> tuple[float, float]:
    """Seconds of reading the lines and throwing them away, and of writing them as a dataset's files, once chosen: medians of three, in turn."""

    def read() -> None:
        with connection.cursor().copy(_LINES) as lines:
            for _ in lines:
                pass

    reading, writing = [], []
    folder = ground.folder / "lines"
    folder.mkdir()
    with connection.transaction(force_rollback=True), console.status("COPY to stdout, and to files"):
        choose(connection, "global", ALL)
        connection.execute("set local enable_sort = off")  # both read the lines in the order of their index
        for _ in range(3):
            reading.append(seconds(read)[0])
            writing.append(seconds(lambda: assembly.write_lines(connection, folder))[0])
            connection.execute("set local enable_sort = off")
        found = connection.execute(
            "select count(*), (select count(*) from scored_training_rows where example is not null) from dataset_selection"
        )
        taken, lines = found.fetchone() or (0, 0)
    shutil.rmtree(folder)
    return median(reading) * taken / lines, median(writing)  # near-duplicates on other sides of the split are no lines of ours


def _pandas(ground: Ground) -> int:
    """In a process of its own, whose memory goes with it; returns the lines it wrote."""
    script = Path(__file__).with_name("naive_pandas.py")
    done = subprocess.run(
        [sys.executable, str(script), ground.addresses.service, str(ground.folder / "pandas.jsonl")],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)
