"""Are the outcome feeds alive? A webhook that broke looks like a model that nobody answers."""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow, class_row

from flywheel_dagster.database import statement


@dataclass(frozen=True)
class SilentFeed:
    """A source that told something on most days of the four weeks before, and nothing in the last three days."""

    source: str
    last_received_at: datetime
    events: int


def silent_feeds(
    connection: psycopg.Connection[TupleRow], *, as_of: datetime, organization_id: str | None = None
) -> list[SilentFeed]:
    """The sources that fell silent, of one organization or of all."""
    with connection.cursor(row_factory=class_row(SilentFeed)) as cursor:
        return cursor.execute(statement("silent_feeds"), {"as_of": as_of, "organization_id": organization_id}).fetchall()
