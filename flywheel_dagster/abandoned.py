"""Runs of the command line whose process was killed. Dagster takes them for running for ever, and they keep their place in a pool, so that
the next run would wait for them: here they are ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock
from flywheel_dagster.resources import Flywheel

PROCESS = "flywheel/process"
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def known_process(instance: dg.DagsterInstance) -> Iterator[dict[str, str]]:
    """Ends the runs of processes that died, and gives the tags for those of this one.

    A process lives while it holds its lock in the database; a number in the process table may be another one's by now. Whoever ran
    the command runs it again, so Dagster's own retries stay away.
    """
    with Flywheel().connection() as connection:
        connection.autocommit = True
        process = uuid4().hex
        connection.execute("select pg_advisory_lock(%s, hashtext(%s))", (Lock.PROCESS, process))
        _end_abandoned(instance, connection)
        yield {PROCESS: process, "dagster/max_retries": "0"}


def _end_abandoned(instance: dg.DagsterInstance, connection: psycopg.Connection[TupleRow]) -> None:
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)):
        process = run.tags.get(PROCESS)
        # One that was run again from the UI has its parent's tags, and another process.
        if process and run.parent_run_id is None and not _lives(connection, process):
            instance.report_run_failed(run, "The process of this run was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _lives(connection: psycopg.Connection[TupleRow], process: str) -> bool:
    lock = {"lock": Lock.PROCESS, "process": process}
    row = connection.execute("select pg_try_advisory_lock(%(lock)s, hashtext(%(process)s))", lock).fetchone()
    assert row is not None
    if row[0]:
        connection.execute("select pg_advisory_unlock(%(lock)s, hashtext(%(process)s))", lock)
    return not row[0]
