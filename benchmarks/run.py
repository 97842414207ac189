"""Runs the benchmarks on a server of their own: python -m benchmarks.run [--rows 1000000] [--only NAME]."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/run.py

from benchmarks import (
    assignment,
    changed_week,
    dataset_speed,
    experiments,
    import_speed,
    ingest_speed,
    redaction,
    reply_head,
    reply_model,
    reply_rules,
    strategies,
    strategy_speed,
    trimming,
)
from benchmarks.measuring import Ground, console, describe, ground

_ALL: dict[str, Callable[[Ground, int], None]] = {
    "import": lambda place, rows: import_speed.measure(place, rows).show(),
    "datasets": lambda place, rows: dataset_speed.measure(place, rows).show(),
    "changed-week": lambda place, rows: changed_week.measure(max(100, min(rows // 500, 2_000))).show(),
    "ingest": lambda place, rows: ingest_speed.measure(place, min(rows, 20_000)).show(),
    "reply-rules": lambda place, rows: reply_rules.measure(place, min(rows, 20_000)).show(),
    "reply-head": lambda place, rows: reply_head.measure(place, min(rows, 1_000)).show(),
    "reply-model": lambda place, rows: reply_model.measure(place, min(rows, 2_000)).show(),
    "assignment": lambda place, rows: assignment.measure(place, min(rows, 100_000)).show(),
    "trimming": lambda place, rows: _trimming(),
    "experiments": lambda place, rows: _experiments(rows),
    "strategies": lambda place, rows: _strategies(rows),
    "strategy-speed": lambda place, rows: strategy_speed.measure(place, rows).show(),
    "redaction": lambda place, rows: redaction.show(redaction.measure()),
}


def _experiments(rows: int) -> None:
    experiments.show(experiments=max(100, min(rows // 500, 2_000)))


def _strategies(rows: int) -> None:
    strategies.show(seeds=max(4, min(rows // 20_000, 50)), repetitions=max(20, min(rows // 2_500, 400)))


def _trimming() -> None:
    if trimming.DATA.is_dir():
        trimming.show(trimming.measure())
    else:
        console.print(f"trimming: left out, for the mails in {trimming.DATA} are not here")


def main() -> None:
    """Print one table a benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of past outcomes (default: %(default)s; 20000 for a first look)"
    )
    parser.add_argument("--only", choices=list(_ALL), help="run only this one")
    given = parser.parse_args()
    with ground() as place:
        with place.service() as connection:
            describe(connection)
        for name, measure in _ALL.items():
            if given.only in (None, name):
                measure(place, given.rows)


if __name__ == "__main__":
    main()
