"""Scoring all weeks and assembling a dataset of nearly all rows, against COPY of the finished lines, read by the client and thrown away."""

import time
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg.rows import TupleRow
from rich.progress import Progress

from benchmarks.measuring import Ground, Peak, Report, console, seconds
from benchmarks.past_outcomes import FIRST, WEEKS, write_past_outcomes
from flywheel_dagster.datasets import assemble as assembly
from flywheel_dagster.datasets.assemble import Dataset
from flywheel_dagster.datasets.weeks import ScoredWeek, score_weeks
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.weeks import monday

GOAL = 1.25  # times the floor, for the files
MEMORY = 150  # MB

_LINES = """copy (
  select example from scored_training_rows where example is not null and training_label <> 'negative_example' order by sent_at, outcome_id
) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')"""


def measure(ground: Ground, rows: int) -> Report:
    """Score and assemble what the import benchmark has left, or an import of our own."""
    with ground.service() as connection:
        if connection.execute("select exists (select from outcome_labels)").fetchone() != (True,):
            path = ground.folder / "past.csv"
            with console.status(f"writing and importing {rows:,} rows"):
                write_past_outcomes(path, rows)
                import_outcomes(connection, path)
        connection.execute("update organizations set allows_global_training = true")
        connection.commit()
        report = Report(f"datasets of {rows:,} rows")
        with Peak() as scoring:
            scored, weeks = seconds(lambda: _score(connection))
        before = _floor(connection)
        phases: list[tuple[str, float]] = []
        with Peak() as assembling, console.status("assembling"):
            taken, dataset = seconds(lambda: _assemble(connection, ground, rows, phases))
        after = _floor(connection)
    floor = (before + after) / 2
    report.add(
        "floor: COPY of the lines to stdout",
        floor,
        rows,
        ratio=f"1 ({floor / before:.2f} of the first, {floor / after:.2f} of the second)",
    )
    report.add(
        f"scoring {len(weeks)} weeks",
        scored,
        sum(week.rows for week in weeks),
        ratio=f"{scored / floor:.2f} x",
        memory=scoring.bytes,
    )
    for name, part in phases:
        report.add(f"assembly: {name}", part, dataset.examples, ratio=f"{part / floor:.2f} x")
    report.add(
        "assembly, all of it",
        taken,
        dataset.examples,
        ratio=f"{taken / floor:.2f} x (goal for the files: {GOAL}, {MEMORY} MB)",
        memory=assembling.bytes,
    )
    return report


def _score(connection: psycopg.Connection[TupleRow]) -> list[ScoredWeek]:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("scoring", total=WEEKS + 1)
        return score_weeks(
            connection, monday(FIRST), monday(FIRST + timedelta(weeks=WEEKS)), progress=lambda _: progress.advance(task)
        )


def _assemble(connection: psycopg.Connection[TupleRow], ground: Ground, rows: int, phases: list[tuple[str, float]]) -> Dataset:
    """Assemble, and add how long it took to choose the rows, to write the files, and to publish them."""
    write = assembly._write_files
    begin = time.perf_counter()

    def timed(*arguments: Any) -> Any:
        chosen = time.perf_counter()
        taken, result = seconds(lambda: write(*arguments))
        phases.extend((("choosing", chosen - begin), ("writing the files", taken)))
        return result

    with patch.object(assembly, "_write_files", timed):
        dataset = assembly.assemble(connection, "global", ground.folder / "data", assembly.Selection(min_quality=0, limit=rows))
    phases.append(("publishing", time.perf_counter() - begin - sum(taken for _, taken in phases)))
    return dataset


def _floor(connection: psycopg.Connection[TupleRow]) -> float:
    def read() -> None:
        with connection.cursor().copy(_LINES) as lines:
            for _ in lines:
                pass
        connection.commit()

    connection.execute("set local enable_sort = off")  # as the assembly reads them
    with console.status("COPY to stdout"):
        return seconds(read)[0]
