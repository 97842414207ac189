"""The columns that a file of past outcomes may have. How a row of them is validated is in `import_rows.py`."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec

from flywheel_dagster.outcomes.messages import SentMessage

_Count = Annotated[int, msgspec.Meta(ge=0)]


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
    strategy_propensity: float | None = None
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
MESSAGE = frozenset(field.name for field in msgspec.structs.fields(SentMessage))
FACTS = tuple(name for name in COLUMNS if name not in MESSAGE | {"as_of", "time_to_close_days"})
TIMES = tuple(name for name in COLUMNS if name.endswith("_at"))
