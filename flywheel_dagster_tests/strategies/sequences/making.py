"""Makes the messages of campaigns with known truth, and reads what was counted of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson
import psycopg
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATER = START + timedelta(days=730)
_FACTS = ("bounced", "opened", "clicked", "unsubscribed", "spam_reported", "replied", "meeting_booked", "deal_closed", "deal_lost")


@dataclass(frozen=True)
class Touch:
    """One message, `sent` days after START. `facts` are the days of what became of it by name, None where the time isn't known; they are absent
    where nothing did."""

    lead_id: str
    sent: float
    channel: str = "email"
    framework: str | None = "PAS"
    tone: str | None = "casual"
    facts: dict[str, float | None] = field(default_factory=dict)
    sentiment_label: str | None = None
    interest_signal: bool | None = None
    campaign_id: str = "spring"
    organization_id: str = "acme"
    id: UUID = field(default_factory=uuid4)

    @property
    def sent_at(self) -> datetime:
        return at(self.sent)

    def happened_at(self, name: str) -> datetime | None:
        """When it happened, as of the sending where the time isn't known; None: never."""
        if name not in self.facts:
            return None
        day = self.facts[name]
        return self.sent_at if day is None else at(day)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def store(connection: Connection, touches: Iterable[Touch]) -> None:
    """Write them straight into the table, in their order."""
    rows = []
    for touch in touches:
        row = {name: getattr(touch, name) for name in _COLUMNS if hasattr(touch, name)} | {"message_body": "Hello"}
        for name in _FACTS:
            day = touch.facts.get(name)
            row |= {name: name in touch.facts, f"{name}_at": None if day is None else at(day)}
        rows.append(row)
    columns = ", ".join(_COLUMNS)
    connection.execute(
        f"insert into outcome_labels ({columns}) select {columns} from jsonb_populate_recordset(null::outcome_labels, %s::jsonb)",  # type: ignore[arg-type]
        (orjson.dumps(rows).decode(),),
    )


_COLUMNS = (
    "id", "organization_id", "campaign_id", "lead_id", "channel", "message_body", "framework", "tone", "sent_at", "sentiment_label", "interest_signal",
    *(column for name in _FACTS for column in (name, f"{name}_at")),
)  # fmt: skip
