"""The vocabulary of the ledger: `OutcomeEvent`, one fact about one outcome. How facts fold into a row is SQL (`sql/`), not here."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
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
    MERGED = "merged"


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
    - snapshot: columns of `outcome_labels` as they stood at `occurred_at`;
    - noted: `kind`, and whatever is worth keeping of a fact that changes no outcome;
    - merged: `merged` and `into`, names of things that are one now ("lead:55", "deal:hubspot:7").

    `organization_id` is checked against the outcome's own; None takes the outcome's. `outcome_id` None means that the sender doesn't
    name it; then it is looked for, in this order, by `references` (what the event is about: "message:…", "deal:…", "meeting:…", the
    strongest first; also claimed for the outcome by an event that names both), by `mentions` (what else leads to it, such as the message
    that a reply answers), by `lead_id` and by `lead_email`.

    `source_event_id` is the sender's id of the event: two events of one source that differ only in it are two events.
    `identity` replaces this rule where a sender has a better one: events of one organisation, source and type with the same identity
    are one event. `alias` is a second identity; an event with a known one is a repeat too.
    """

    event_type: EventType
    occurred_at: datetime
    source: str
    organization_id: str | None = None
    outcome_id: UUID | None = None
    source_event_id: str | None = None
    facts: dict[str, Any] = {}
    raw: bytes | None = None
    references: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    lead_id: str | None = None
    lead_email: str | None = None
    identity: str | None = None
    alias: str | None = None

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"{self.event_type} event: occurred_at has no time zone; give an aware datetime")
        check_facts(self.facts)

    @property
    def event_key(self) -> UUID:
        """The content key: equal for a redelivery, different for another fact."""
        if self.identity is not None:
            return content_key(json_bytes([self.organization_id, self.source, self.event_type, self.identity]))
        content = [
            self.organization_id,
            self.outcome_id,
            self.source,
            self.source_event_id,
            self.event_type,
            self.occurred_at.astimezone(UTC),
            self.facts,
        ]
        return content_key(json_bytes(content))

    @property
    def alias_key(self) -> UUID | None:
        """The key of the second identity, if there is one."""
        return None if self.alias is None else content_key(json_bytes([self.organization_id, self.source, "alias", self.alias]))


def sentiment_of(score: float) -> str:
    """The label of a score in -1..1: positive from 0.5, negative below -0.2, else neutral."""
    if score >= 0.5:
        return "positive"
    return "negative" if score < -0.2 else "neutral"


def content_key(content: bytes) -> UUID:
    """The first 128 bits of the SHA-256, as a UUID."""
    return UUID(bytes=hashlib.sha256(content).digest()[:16])


def check_facts(facts: dict[str, Any]) -> None:
    """Raises ValueError for a fact that the table would refuse: a score outside -1..1, an unknown label, a negative value."""
    if _CHECKED.isdisjoint(facts):
        return
    for name, (low, high) in RANGES.items():
        value = facts.get(name)
        if value is not None and not low <= _number(name, value) <= high:
            raise ValueError(f"{name} is {value}; it lies between {low} and {high}")
    for name, allowed in WORDS.items():
        value = facts.get(name)
        if value is not None and value not in allowed:
            raise ValueError(f"{name} is {value!r}; use one of {', '.join(allowed)}")
    for name in ("currency", "deal_currency"):
        value = facts.get(name)
        if value is not None and not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper()):
            raise ValueError(f"{name} is {value!r}; use three capitals such as USD")


def json_bytes(value: Any) -> bytes:
    """Canonical JSON that jsonb takes. PostgreSQL's text has no NUL, and UTF-8 no lone surrogate: both become U+FFFD."""
    try:
        encoded = orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)
        if b"\\u0000" not in encoded:
            return encoded
    except orjson.JSONEncodeError:
        pass  # a lone surrogate; anything else fails again below
    return orjson.dumps(_storable(value), default=_plain, option=orjson.OPT_SORT_KEYS)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"facts can't hold {type(value).__name__}")


def _number(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{name} is {value!r}; it is not a number") from error
    if not number.is_finite():
        raise ValueError(f"{name} is {value}; it is not a finite number")
    return number


_LARGEST = 10**12 - 1  # numeric(14, 2)
_COUNT = 2**31 - 1
RANGES = {
    "score": (-1, 1),
    "reply_sentiment_score": (-1, 1),
    "value": (0, _LARGEST),
    "deal_value": (0, _LARGEST),
    "open_count": (0, _COUNT),
    "machine_open_count": (0, _COUNT),
    "click_count": (0, _COUNT),
}
_SENTIMENTS = ("positive", "neutral", "negative")
_METHODS = tuple(method.value for method in ClassificationMethod)
WORDS: dict[str, tuple[str, ...]] = {
    "label": _SENTIMENTS,
    "sentiment_label": _SENTIMENTS,
    "interest_level": ("high", "medium", "low", "none"),
    "objection_type": ("price", "timing", "authority", "competitor", "not_interested", "no_need", "none"),
    "method": _METHODS,
    "classification_method": _METHODS,
}
_CHECKED = frozenset({*RANGES, *WORDS, "currency", "deal_currency"})
