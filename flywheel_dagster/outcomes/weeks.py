"""Weeks mean the same everywhere: they begin on Monday, UTC, and go by `sent_at`. Which of them changed, and how they lie together."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement

# A Monday. Outcomes sent before it belong to no partition; `outcome_labels` counts them.
FIRST_WEEK = date(2018, 1, 1)


@dataclass(frozen=True)
class Changes:
    """Weeks with changes that `cursor` (None: ever) had not seen, and the cursor that has seen them."""

    weeks: list[date]
    cursor: str

    @property
    def fingerprint(self) -> str:
        """A short name of the cursor, for run keys."""
        return hashlib.sha256(self.cursor.encode()).hexdigest()[:12]


def monday(moment: datetime | date) -> date:
    """The Monday (UTC) of the week."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def changed_weeks(connection: psycopg.Connection[TupleRow], cursor: str | None) -> Changes:
    """The weeks whose outcomes changed since the cursor was taken."""
    return changes_since(connection, cursor, "changed_weeks")


def changes_since(
    connection: psycopg.Connection[TupleRow], cursor: str | None, query: str, parameters: Mapping[str, Any] | None = None
) -> Changes:
    """The weeks that a named statement finds changed in a transaction that the cursor's snapshot (`seen`) could not see and `now` can.

    The cursor is a snapshot of the server, not a time: a transaction that was open when the last one was taken is reported by the
    first call after its commit, whenever that is, and nothing is reported twice. A cursor of another server starts over.
    """
    row = connection.execute(statement("current_snapshot")).fetchone()
    assert row is not None
    server, snapshot = row
    before = json.loads(cursor) if cursor else {}
    seen = before.get("snapshot") if before.get("server") == server else None
    found = connection.execute(statement(query), {**(parameters or {}), "seen": seen, "now": snapshot}).fetchall()
    return Changes([each[0] for each in found], json.dumps({"server": server, "snapshot": snapshot}))


def partitioned(weeks: Iterable[date]) -> list[date]:
    """Those of the weeks that are partitions: from FIRST_WEEK to the running one. Outcomes dated into the future wait for their week."""
    return [week for week in weeks if is_partition(week)]


def is_partition(week: date) -> bool:
    """Whether the week has begun, and isn't older than FIRST_WEEK."""
    return FIRST_WEEK <= week <= monday(datetime.now(UTC))


def contiguous(weeks: list[date]) -> list[tuple[date, date]]:
    """Sorted Mondays as ranges (first, last) without gaps."""
    ranges: list[tuple[date, date]] = []
    for week in sorted(weeks):
        if ranges and week - ranges[-1][1] == timedelta(days=7):
            ranges[-1] = (ranges[-1][0], week)
        else:
            ranges.append((week, week))
    return ranges
