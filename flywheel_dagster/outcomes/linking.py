"""Events that found no outcome: deciding them anew, and what would help. How links are decided is SQL (`sql/0011_links.sql`)."""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement

# Nothing was meant to be found: no cause for alarm.
CONCERNS_NO_MESSAGE = "concerns no message"
LEAD_WAS_ERASED = "its lead was erased"

_REMEDIES = {
    "names no outcome": "send the outcome's id with the event (custom argument, custom field, utm_content); see the README on each vendor",
    "outcome not known yet": "record the message (OutcomeTracker.track_message_sent, flywheel import); the event is folded when it appears",
    "outcome belongs to another organization": "check which organization the connection is bound to: flywheel connection list",
    "its message, deal or meeting is not known yet": "let one event about it carry the outcome's id, or give track_message_sent the message's id",
    "its lead is not known yet": "give leads their e-mail address (lead_context of track_message_sent), then flywheel relink",
    "its lead was sent nothing in the time before": "record the message, or widen the organization's link_window_days",
    "several outcomes could be meant": "send the outcome's id with the event; between two nobody guesses",
    "its connection is bound to no organization": "set FLYWHEEL_ORGANIZATION_ID, or add a connection: flywheel connection add",
    CONCERNS_NO_MESSAGE: "nothing to do",
    LEAD_WAS_ERASED: "nothing to do",
}


@dataclass(frozen=True)
class Relinked:
    """How many events found their outcome, and how many are unmatched still."""

    linked: int
    unmatched: int


@dataclass(frozen=True)
class Unmatched:
    """Events of one source that found no outcome for one reason."""

    reason: str
    source: str
    events: int
    oldest: datetime
    newest: datetime

    @property
    def remedy(self) -> str:
        """What to do, in one line."""
        return _REMEDIES.get(self.reason, "see flywheel events tail --unmatched")

    @property
    def needs_attention(self) -> bool:
        """Whether something should have been found."""
        return self.reason not in (CONCERNS_NO_MESSAGE, LEAD_WAS_ERASED)


def relink(connection: psycopg.Connection[TupleRow], *, organization_id: str | None = None) -> Relinked:
    """Decide the links of all events that name no outcome anew, in the caller's transaction."""
    row = connection.execute("select linked, unmatched from relink(%s)", (organization_id,)).fetchone()
    assert row is not None
    return Relinked(*row)


def unmatched_events(connection: psycopg.Connection[TupleRow], *, organization_id: str | None = None) -> list[Unmatched]:
    """What found no outcome, by reason and source, most first."""
    return [
        Unmatched(*row)
        for row in connection.execute(statement("unmatched_events"), {"organization_id": organization_id}).fetchall()
    ]
