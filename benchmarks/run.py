"""Runs the benchmarks on a server of their own: python -m benchmarks.run [--rows 1000000] [--only NAME]."""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/run.py

from benchmarks.measuring import Ground, console, describe, ground


def _of(name: str) -> Any:
    """A benchmark's module, loaded when it runs: what another one needs doesn't count as its memory."""
    return import_module(f"benchmarks.{name}")


_ALL: dict[str, Callable[[Ground, int], None]] = {
    "import": lambda place, rows: _of("import_speed").measure(place, rows).show(),
    "datasets": lambda place, rows: _of("dataset_speed").measure(place, rows).show(),
    "changed-week": lambda place, rows: _of("changed_week").measure(max(100, min(rows // 500, 2_000))).show(),
    "ingest": lambda place, rows: _of("ingest_speed").measure(place, min(rows, 20_000)).show(),
    "reply-rules": lambda place, rows: _of("reply_rules").measure(place, min(rows, 20_000)).show(),
    "reply-head": lambda place, rows: _of("reply_head").measure(place, min(rows, 1_000)).show(),
    "reply-model": lambda place, rows: _of("reply_model").measure(place, min(rows, 2_000)).show(),
    "assignment": lambda place, rows: _of("assignment").measure(place, min(rows, 100_000)).show(),
    "trimming": lambda place, rows: _trimming(),
    "experiments": lambda place, rows: _experiments(rows),
    "experiment-speed": lambda place, rows: _of("experiment_speed").measure(place, rows).show(),
    "strategies": lambda place, rows: _strategies(rows),
    "strategy-speed": lambda place, rows: _of("strategy_speed").measure(place, rows).show(),
    "lead-speed": lambda place, rows: _of("lead_speed").measure(place, min(max(rows // 400, 300), 2_500)).show(),
    "lead-auc": lambda place, rows: _of("lead_auc").show(place),
    "lead-gate": lambda place, rows: _lead_gate(place, rows),
    "redaction": lambda place, rows: _of("redaction").show(_of("redaction").measure()),
}


def _experiments(rows: int) -> None:
    _of("experiments").show(experiments=max(100, min(rows // 500, 2_000)))


def _strategies(rows: int) -> None:
    _of("strategies").show(seeds=max(4, min(rows // 20_000, 50)), repetitions=max(20, min(rows // 2_500, 400)))


def _lead_gate(place: Ground, rows: int) -> None:
    _of("lead_gate").show(place, repeats=max(30, min(rows // 3_000, 300)), runs=max(3, min(rows // 50_000, 20)))


def _trimming() -> None:
    trimming = _of("trimming")
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
