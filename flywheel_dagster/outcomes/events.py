"""The vocabulary of the ledger: `OutcomeEvent`, one fact about one outcome. How facts fold into a row is SQL (`sql/`), not here."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import orjson


class EventType(StrEnum):
    """Kinds of facts; the same list as the database type `outcome_event_type`."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    SPAM_REPORTED = "spam_reported"
    REPLIED = "replied"
    AUTO_REPLIED = "auto_replied"
    REPLY_CLASSIFIED = "reply_classified"
    MEETING_BOOKED = "meeting_booked"
    MEETING_CANCELLED = "meeting_cancelled"
    MEETING_COMPLETED = "meeting_completed"
    MEETING_NO_SHOW = "meeting_no_show"
    DEAL_OPENED = "deal_opened"
    DEAL_UPDATED = "deal_updated"
    DEAL_CLOSED = "deal_closed"
    DEAL_LOST = "deal_lost"
    SNAPSHOT = "snapshot"
    NOTED = "noted"


class ClassificationMethod(StrEnum):
    """Who judged a reply. A human beats every other; of the rest the newest version wins, and rules come last."""

    HUMAN = "human"
    LLM = "llm"
    PROVIDED = "provided"
    SIMULATED = "simulated"
    RULES = "rules"


class OutcomeEvent(msgspec.Struct, kw_only=True, frozen=True):
    """One fact about one outcome, from one source, at one time.

    `facts` holds what the fact says beyond its type:

    - opened: `machine` (true for a mail proxy's prefetch, counted apart);
    - bounced: `reason`;
    - replied: `text`;
    - reply_classified: `method`, `version`, `score` (-1..1), `label`, `interest_signal`, `interest_level`,
      `objection_type`, and `replied_at` of the reply it judges;
    - meeting_*: `meeting_id`, `meeting_at`;
    - deal_*: `deal_id`, `value` (a decimal string), `currency`;
    - snapshot: columns of `outcome_labels` as they stood at `occurred_at`.

    `organization_id` is checked against the outcome's own; None takes the outcome's. `outcome_id` None means not linked yet.
    `source_event_id` is the sender's id of the event: two events of one source that differ only in it are two events.
    """

    event_type: EventType
    occurred_at: datetime
    source: str
    organization_id: str | None = None
    outcome_id: UUID | None = None
    source_event_id: str | None = None
    facts: dict[str, Any] = {}
    raw: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"{self.event_type} event: occurred_at has no time zone; give an aware datetime")

    @property
    def event_key(self) -> str:
        """The content key (hex SHA-256): equal for a redelivery, different for another fact."""
        content = orjson.dumps(
            [
                self.organization_id,
                str(self.outcome_id) if self.outcome_id else None,
                self.source,
                self.source_event_id,
                self.event_type,
                self.occurred_at.astimezone(UTC),
                self.facts,
            ],
            default=_plain,
            option=orjson.OPT_SORT_KEYS,
        )
        return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"facts can't hold {type(value).__name__}")
