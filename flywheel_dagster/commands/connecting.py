"""What the commands share: settings, a migrated database, and a bar for long work."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from flywheel_dagster.database import addresses, connect
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.settings import Settings, load_settings


def migrated(settings: Settings) -> None:
    """Commands that write bring an embedded database up to date by themselves; a server of your own is migrated when you say so."""
    from flywheel_dagster.migrations import migrate, pending

    where = addresses(settings)
    if settings.uses_embedded_database:
        migrate(where)
    elif missing := pending(where):
        raise FlywheelError(f"the database lacks {len(missing)} migrations; run flywheel migrate")


@contextmanager
def service() -> Iterator[psycopg.Connection[TupleRow]]:
    """A connection in the service role to a database with its schema; committed at the end."""
    settings = load_settings()
    migrated(settings)
    with connect(addresses(settings).service) as connection:
        yield connection


def require_organization(connection: psycopg.Connection[TupleRow], organization: str) -> None:
    """Raise an error that names the known organisations when this one is unknown."""
    from flywheel_dagster.datasets.published import require_scope

    require_scope(connection, organization)


def progress(unit: str) -> Progress:
    """A bar on stderr for people; silent when nobody looks."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.completed:,} " + unit),
        TimeRemainingColumn(), console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    )  # fmt: skip
