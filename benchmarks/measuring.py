"""How a benchmark measures and tells: a server of its own, seconds, peak memory of our processes, and a table of ratios."""

import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg.rows import TupleRow
from rich.console import Console
from rich.table import Table

from flywheel_dagster.database import Addresses, connect
from flywheel_dagster.migrations import migrate
from flywheel_dagster.sandbox import postgres

Result = TypeVar("Result")
console = Console()


@dataclass
class Report:
    """The lines of a benchmark's table."""

    title: str
    lines: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, seconds: float, rows: int, *, ratio: str = "", memory: int | None = None) -> None:
        """A line: `ratio` says what it is compared with; `memory` is the peak of our processes in bytes."""
        peak = f"{memory / 2**20:,.0f} MB" if memory else ""
        self.lines.append((what, f"{seconds:,.1f} s", f"{rows / seconds:,.0f}", ratio, peak))

    def show(self) -> None:
        table = Table(
            "", "time", "rows/s", "ratio to the floor", "peak memory of our processes", title=self.title, title_justify="left"
        )
        for line in self.lines:
            table.add_row(*line)
        console.print(table)


@dataclass(frozen=True)
class Ground:
    """A fresh database on a server of its own, and a folder for files; both go when the benchmark ends."""

    folder: Path
    addresses: Addresses

    @contextmanager
    def service(self) -> Iterator[psycopg.Connection[TupleRow]]:
        """A connection in the service role."""
        with connect(self.addresses.service) as connection:
            yield connection


@contextmanager
def ground() -> Iterator[Ground]:
    """Start an embedded server with its default, durable settings in a temporary home; stop it and remove everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="flywheel-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when root measures
    home = folder / "home"
    try:
        server = postgres.start(home)
        owner = server.url(role="flywheel_owner", database="flywheel")
        where = Addresses(owner=owner, service=server.url(role="flywheel_service", database="flywheel"), dagster=owner)
        migrate(where)
        yield Ground(folder, where)
    finally:
        postgres.stop(home)
        shutil.rmtree(folder, ignore_errors=True)


def describe(connection: psycopg.Connection[TupleRow]) -> None:
    """The command and the machine."""
    found = connection.execute("select current_setting('server_version'), current_setting('fsync')").fetchone()
    connection.commit()
    assert found is not None
    load = f", load {os.getloadavg()[0]:.1f} before we began" if hasattr(os, "getloadavg") else ""
    console.print(f"command: {' '.join(['python', *sys.orig_argv[1:]])}")
    console.print(
        f"machine: {os.cpu_count()} cores{load}; Python {platform.python_version()}; PostgreSQL {found[0]}, fsync {found[1]}"
    )


def seconds(work: Callable[[], Result]) -> tuple[float, Result]:
    """How long it took, and what it gave."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


class Peak:
    """The most memory (resident, in bytes) that this process and its children had together, while the block ran. The server is no child."""

    def __enter__(self) -> "Peak":
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.bytes = max(self.bytes, sum(map(_resident, _family(os.getpid()))))


def _family(process: int) -> list[int]:
    found, members = [process], [process]
    while found:
        children = []
        for member in found:
            for listing in Path(f"/proc/{member}/task").glob("*/children"):
                children += [int(child) for child in _read(listing).split()]
        members += children
        found = children
    return members


def _resident(process: int) -> int:
    fields = _read(Path(f"/proc/{process}/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended, or this is no Linux
        return ""


def processor_seconds(work: Callable[[], object]) -> float:
    """The processor's time at its best of five: others may be using the machine."""
    times = []
    for _ in range(5):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return max(min(times), 1e-6)
