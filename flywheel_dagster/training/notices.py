"""Waiting that ends early when a provider reports the end of a job (its webhook comes in at the ingester)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from flywheel_dagster.database import connect


@contextmanager
def waking_sleep(url: str) -> Iterator[Callable[[float], None]]:
    """A `sleep(seconds)` that a notice about any job ends early, on a connection of its own; while that is lost, an ordinary one."""
    with connect(url) as connection:
        connection.autocommit = True
        connection.execute("listen training_notices")

        def sleep(seconds: float) -> None:
            began = time.monotonic()
            try:
                if any(connection.notifies(timeout=seconds, stop_after=1)):
                    return
            except psycopg.OperationalError:
                time.sleep(max(0.0, seconds - (time.monotonic() - began)))

        yield sleep
