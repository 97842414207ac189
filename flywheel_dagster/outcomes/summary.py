"""What the outcomes amount to: counts by stage, weeks, and how new they are."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement

STAGES = ("sent", "delivered", "opened", "clicked", "replied", "interested", "meeting_booked", "meeting_completed", "deal_closed")


@dataclass(frozen=True)
class Summary:
    """Counts over all organisations. `revenue` adds values as they are, whatever their currency."""

    stages: dict[str, int]
    bounced: int
    unsubscribed: int
    organizations: int
    leads: int
    weeks: int
    first_sent: datetime | None
    newest_change: datetime | None
    before_first_week: int
    events: int
    unmatched_events: int

    @property
    def rows(self) -> int:
        """Outcomes in the table."""
        return self.stages["sent"]


def summarize(connection: psycopg.Connection[TupleRow], *, first_week: date, organization_id: str | None = None) -> Summary:
    """One pass over `outcome_labels`, of one organisation or all; outcomes sent before `first_week` belong to no partition."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            statement("outcomes_summary"), {"first_week": first_week, "organization_id": organization_id}
        ).fetchone()
    assert row is not None
    stages = {stage: int(row.pop(stage)) for stage in STAGES}
    return Summary(stages=stages, **row)
