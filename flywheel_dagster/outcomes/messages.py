"""A sent message: the columns of `outcome_labels` that are written once. What became of it is in `events.py`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

CHANNELS = ("email", "sms", "linkedin", "whatsapp", "phone", "chat", "social", "direct_mail", "in_app", "other")
ARMS = ("control", "variant_a", "variant_b")


class SentMessage(msgspec.Struct, kw_only=True, frozen=True):
    """One message to one lead. `icp_score` lies in 0..1; `sent_at` is aware; identifiers are 1 to 200 characters. `strategy_propensity` is the
    probability with which framework and tone were drawn, where they were.

    `lead_email` becomes the lead's, where none is known: events that name only the address find the message by it.
    """

    organization_id: str
    campaign_id: str
    lead_id: str
    channel: str
    message_body: str
    id: UUID = msgspec.field(default_factory=uuid4)
    subject_line: str | None = None
    framework: str | None = None
    tone: str | None = None
    agent_decisions: dict[str, Any] = {}
    model_registry_id: UUID | None = None
    experiment_arm: str | None = None
    strategy_propensity: float | None = None
    sent_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    lead_industry: str | None = None
    lead_role: str | None = None
    company_size: str | None = None
    icp_score: float | None = None
    lead_email: str | None = None

    def __post_init__(self) -> None:
        for name in ("organization_id", "campaign_id", "lead_id"):
            value = getattr(self, name)
            if not 1 <= len(value) <= 200:
                raise ValueError(f"{name} has {len(value)} characters; it needs 1 to 200")
        if self.organization_id == "global":
            raise ValueError("organization_id 'global' is kept for the scope of all organizations; use another id")
        if self.channel not in CHANNELS:
            raise ValueError(f"channel is {self.channel!r}; use one of {', '.join(CHANNELS)}")
        if self.experiment_arm is not None and self.experiment_arm not in ARMS:
            raise ValueError(f"experiment_arm is {self.experiment_arm!r}; use one of {', '.join(ARMS)}")
        if self.sent_at.tzinfo is None:
            raise ValueError("sent_at has no time zone; give an aware datetime")
        if self.strategy_propensity is not None and not 0 < self.strategy_propensity <= 1:
            raise ValueError(f"strategy_propensity is {self.strategy_propensity}; it lies above 0, up to 1")
        if self.icp_score is not None and not 0 <= self.icp_score <= 1:
            raise ValueError(f"icp_score is {self.icp_score}; it lies between 0 and 1")


def sent_message(
    organization_id: str,
    campaign_id: str,
    lead_id: str,
    channel: str,
    message_body: str,
    agent_decisions: Mapping[str, Any] | None = None,
    subject_line: str | None = None,
    lead_context: Mapping[str, Any] | None = None,
    **written: Any,
) -> SentMessage:
    """A message with what its agents decided about it, and what is known of its lead: industry, role, company_size, icp_score, email.

    Framework, tone and subject are found in the decisions; `written` are further fields of SentMessage.
    """
    decisions, context = dict(agent_decisions or {}), dict(lead_context or {})
    return SentMessage(
        organization_id=organization_id,
        campaign_id=campaign_id,
        lead_id=lead_id,
        channel=channel,
        message_body=message_body,
        subject_line=subject_line or decided(decisions, "subject_line") or decided(decisions, "subject"),
        framework=decided(decisions, "framework"),
        tone=decided(decisions, "tone"),
        agent_decisions=decisions,
        lead_industry=context.get("industry"),
        lead_role=context.get("role"),
        company_size=None if context.get("company_size") is None else str(context["company_size"]),
        icp_score=context.get("icp_score"),
        lead_email=context.get("email"),
        **written,
    )


def decided(decisions: Mapping[str, Any], key: str) -> str | None:
    """What the agents decided for `key`: at the top level, or in the first agent's own decisions that name it."""
    if isinstance(flat := decisions.get(key), str):
        return flat
    for agent in decisions.values():
        if isinstance(agent, Mapping) and isinstance(value := agent.get(key), str):
            return value
    return None
