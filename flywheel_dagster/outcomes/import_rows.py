"""What a row of past outcomes may look like, and how it becomes a message and one snapshot event. Reading files is in `import_files.py`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
import orjson

from flywheel_dagster.outcomes.events import check_facts, content_key, json_bytes
from flywheel_dagster.outcomes.messages import SentMessage

_Count = Annotated[int, msgspec.Meta(ge=0)]
_NAMESPACE = uuid5(NAMESPACE_URL, "flywheel_dagster/import")


class ImportedRow(msgspec.Struct, kw_only=True):
    """The columns that an import takes, as in `outcome_labels`; only the first six are needed. Times without a zone are UTC.

    `id` is made from the message when it is missing, so that a second import finds the same outcome. `as_of` says when the row was
    true; by default at its latest time.
    """

    organization_id: str
    campaign_id: str
    lead_id: str
    channel: str
    message_body: str
    sent_at: datetime
    id: UUID | None = None
    as_of: datetime | None = None
    subject_line: str | None = None
    framework: str | None = None
    tone: str | None = None
    agent_decisions: dict[str, Any] | None = None
    experiment_arm: str | None = None
    lead_industry: str | None = None
    lead_role: str | None = None
    company_size: str | None = None
    icp_score: float | None = None
    delivered: bool | None = None
    delivered_at: datetime | None = None
    bounced: bool | None = None
    bounced_at: datetime | None = None
    bounce_reason: str | None = None
    opened: bool | None = None
    opened_at: datetime | None = None
    open_count: _Count | None = None
    machine_open_count: _Count | None = None
    clicked: bool | None = None
    clicked_at: datetime | None = None
    click_count: _Count | None = None
    unsubscribed: bool | None = None
    unsubscribed_at: datetime | None = None
    spam_reported: bool | None = None
    spam_reported_at: datetime | None = None
    replied: bool | None = None
    replied_at: datetime | None = None
    reply_text: str | None = None
    reply_sentiment_score: float | None = None
    sentiment_label: str | None = None
    interest_signal: bool | None = None
    interest_level: str | None = None
    objection_type: str | None = None
    classification_method: str | None = None
    classification_version: str | None = None
    meeting_booked: bool | None = None
    meeting_booked_at: datetime | None = None
    meeting_completed: bool | None = None
    meeting_completed_at: datetime | None = None
    meeting_no_show: bool | None = None
    meeting_no_show_at: datetime | None = None
    deal_opened: bool | None = None
    deal_opened_at: datetime | None = None
    deal_closed: bool | None = None
    deal_closed_at: datetime | None = None
    deal_lost: bool | None = None
    deal_lost_at: datetime | None = None
    deal_value: Decimal | None = None
    deal_currency: str | None = None
    time_to_close_days: Annotated[float, msgspec.Meta(ge=0, le=36_500)] | None = None


COLUMNS = tuple(field.name for field in msgspec.structs.fields(ImportedRow))
REQUIRED = tuple(field.name for field in msgspec.structs.fields(ImportedRow) if field.required)
_MESSAGE = {field.name for field in msgspec.structs.fields(SentMessage)}
_FACTS = tuple(name for name in COLUMNS if name not in _MESSAGE | {"as_of", "time_to_close_days"})
_TIMES = tuple(name for name in COLUMNS if name.endswith("_at"))
_IMPLIED = (("replied", "reply_text"), ("bounced", "bounce_reason"), ("deal_closed", "deal_value"))


class Staged(msgspec.Struct, frozen=True):
    """A validated row, ready for the database: the message, and its snapshot as facts, time and content key."""

    message: SentMessage
    facts: bytes
    as_of: datetime
    event_key: UUID


def stage(values: Mapping[str, Any]) -> Staged:
    """Validate one row of a file. Empty strings count as missing. Raises ValueError saying what is wrong with which column."""
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    if isinstance(decisions := given.get("agent_decisions"), str):
        try:
            given["agent_decisions"] = orjson.loads(decisions)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"agent_decisions is not JSON: {error}") from error
    try:
        row = msgspec.convert(given, ImportedRow, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(
            str(error).replace("Object missing required field", "missing column").replace(" - at `$.", " in column `")
        ) from error
    return _staged(row)


def _staged(row: ImportedRow) -> Staged:
    for name in _TIMES:
        at = getattr(row, name)
        if at is not None:
            setattr(row, name, at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    if row.deal_closed and row.deal_closed_at is None and row.time_to_close_days is not None:
        row.deal_closed_at = row.sent_at + timedelta(days=row.time_to_close_days)
    for flag, detail in _IMPLIED:
        if getattr(row, flag) is None and getattr(row, detail) is not None:
            raise ValueError(f"{detail} is given but {flag} is not; say whether it happened")
    facts = {name: _plain(value) for name in _FACTS if (value := getattr(row, name)) is not None and value is not False}
    check_facts(facts)
    times = [at for name in _TIMES if (at := getattr(row, name)) is not None]
    as_of = max(times) if row.as_of is None else row.as_of if row.as_of.tzinfo else row.as_of.replace(tzinfo=UTC)
    message = SentMessage(
        id=row.id or _identity(row),
        organization_id=row.organization_id,
        campaign_id=row.campaign_id,
        lead_id=row.lead_id,
        channel=row.channel,
        message_body=row.message_body,
        subject_line=row.subject_line,
        framework=row.framework,
        tone=row.tone,
        agent_decisions=row.agent_decisions or {},
        experiment_arm=row.experiment_arm,
        sent_at=row.sent_at,
        lead_industry=row.lead_industry,
        lead_role=row.lead_role,
        company_size=row.company_size,
        icp_score=row.icp_score,
    )
    encoded = json_bytes(facts)
    content = b"\n".join((b"import", json_bytes(row.organization_id), message.id.bytes, as_of.isoformat().encode(), encoded))
    return Staged(message, encoded, as_of, content_key(content))


def _identity(row: ImportedRow) -> UUID:
    content = [row.organization_id, row.campaign_id, row.lead_id, row.channel, row.sent_at, row.subject_line, row.message_body]
    return uuid5(_NAMESPACE, json_bytes(content).decode())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
