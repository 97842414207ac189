"""Turns our errors into Dagster's failures, so that the UI shows what happened and what to do, without a traceback first."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from flywheel_dagster.errors import FlywheelError, TransientTrainingError


@contextmanager
def plain_failures() -> Iterator[None]:
    """A FlywheelError becomes a Failure with its message; only one that may pass by itself may be retried."""
    try:
        yield
    except FlywheelError as error:
        raise dg.Failure(description=str(error), allow_retries=isinstance(error, TransientTrainingError)) from error
