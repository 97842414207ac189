"""What an organization's sales team has told so far, in counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement


@dataclass(frozen=True)
class Summary:
    """Leads: `scored` in all, `waiting` for an outcome (`waiting_high` of them are likely to convert), and `rows` of told ones by week and source
    with the counts told, converted, with_outcome."""

    scored: int
    waiting: int
    waiting_high: int
    rows: Sequence[Mapping[str, Any]]

    @property
    def told(self) -> int:
        return sum(row["told"] for row in self.rows)

    @property
    def converted(self) -> int:
        return sum(row["converted"] for row in self.rows)

    @property
    def with_outcome(self) -> int:
        """Told leads whose features came together with the outcome, or after it."""
        return sum(row["with_outcome"] for row in self.rows)

    def by_source(self) -> dict[str, tuple[int, int]]:
        """Who told it: leads, and converted ones of them."""
        return {
            source: (sum(row["told"] for row in rows), sum(row["converted"] for row in rows))
            for source in sorted({row["source"] for row in self.rows})
            if (rows := [row for row in self.rows if row["source"] == source])
        }

    def by_week(self) -> dict[date, tuple[int, int]]:
        """In order of time: leads told of, and converted ones of them."""
        told, converted = Counter[date](), Counter[date]()
        for row in self.rows:
            told[row["week"]] += row["told"]
            converted[row["week"]] += row["converted"]
        return {week: (told[week], converted[week]) for week in sorted(told)}


def summarize(connection: psycopg.Connection[TupleRow], organization_id: str) -> Summary:
    """As of now."""
    values = {"organization_id": organization_id}
    with connection.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(statement("lead_scored_counts"), values).fetchone()
        rows = cursor.execute(statement("lead_feedback_summary"), values).fetchall()
    assert counts is not None
    return Summary(**counts, rows=rows)
