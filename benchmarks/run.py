"""Runs the benchmarks on a server of their own: python -m benchmarks.run [--rows 1000000] [--only NAME]."""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # python benchmarks/run.py

from benchmarks import dataset_speed, import_speed, ingest_speed, reply_model
from benchmarks.measuring import describe, ground

_ALL = {
    "import": import_speed.measure,
    "datasets": dataset_speed.measure,
    "ingest": lambda place, rows: ingest_speed.measure(place, min(rows, 20_000)),
    "reply-model": lambda place, rows: reply_model.measure(place, min(rows, 2_000)),
}


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
                measure(place, given.rows).show()


if __name__ == "__main__":
    main()
