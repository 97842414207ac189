"""Imports history: streams a file into the ledger and `outcome_labels`, block by block, each one transaction. A second run doubles nothing."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.outcomes.import_chunks import ChunkLoader, Loaded
from flywheel_dagster.outcomes.import_files import Block, Layout, SourceFile, open_source
from flywheel_dagster.outcomes.import_rejects import Rejects
from flywheel_dagster.workers import in_processes

_CHUNK = 2 * 2**20  # bytes of the file
_PROCESSES = min(4, (os.cpu_count() or 1) + 1)  # one more than cores: while one waits for the database, another parses


@dataclass(frozen=True)
class Imported:
    """What became of the rows of a file: new snapshots, ones that were known already, and rows that were refused."""

    rows: int
    recorded: int
    repeated: int
    rejected: int
    rejects: Path | None


def import_outcomes(
    connection: psycopg.Connection[TupleRow],
    path: Path,
    *,
    organization_id: str | None = None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    chunk: int = _CHUNK,
    processes: int = _PROCESSES,
) -> Imported:
    """Import a CSV, JSONL or Parquet file in bounded memory; `organization_id` fills rows that name none.

    Refused rows go to `rejects` (by default NAME.rejects.csv beside the input) with line number and reason. About `chunk` bytes of
    the file are one transaction. A file of several chunks is shared among processes, with connections of their own to the same
    address. Raises InputError when the file can't be read at all, or the rejects can't be written.
    """
    source = open_source(path, defaults=frozenset({"organization_id"} if organization_id else ()))
    rows = recorded = 0
    with Rejects(rejects or path.with_name(f"{path.stem}.rejects.csv")) as refused:
        many = processes > 1 and path.stat().st_size > 8 * chunk
        load = _load_in_parallel if many else _load_here
        with closing(load(connection, source, organization_id, chunk, processes)) as loading:
            for loaded in loading:
                rows += loaded.rows
                recorded += loaded.recorded
                for refusal in loaded.refused:
                    refused.add(refusal)
                progress(loaded.end, source.total)
        return Imported(rows, recorded, rows - recorded - refused.count, refused.count, refused.path if refused.count else None)


def _load_here(
    connection: psycopg.Connection[TupleRow], source: SourceFile, organization_id: str | None, chunk: int, _: int
) -> Generator[Loaded]:
    loader = ChunkLoader(connection, source.layout, organization_id)
    for block in source.blocks(chunk):
        yield loader.load(block)


def _load_in_parallel(
    connection: psycopg.Connection[TupleRow], source: SourceFile, organization_id: str | None, chunk: int, processes: int
) -> Generator[Loaded]:
    url = make_conninfo(connection.info.dsn, password=connection.info.password or None)
    yield from in_processes(_Loading(url, source.layout, organization_id), source.blocks(chunk), processes)


@dataclass(frozen=True)
class _Loading:
    """What a process needs to know to load blocks of a file."""

    url: str
    layout: Layout
    organization_id: str | None

    @contextmanager
    def ready(self) -> Iterator[Callable[[Block], Loaded]]:
        with connect(self.url) as connection:
            yield ChunkLoader(connection, self.layout, self.organization_id).load
