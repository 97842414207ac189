"""The conversation that a model is trained on and asked with: system, user, assistant. Senders build their requests with the same words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

SYSTEM_PROMPT = (
    "You are an expert B2B sales copywriter. Write one message that earns a reply, a meeting and a deal. "
    "Keep placeholders such as {{first_name}} as they are."
)
ASKED = "Write a message for:"

_FIELDS = (
    ("Industry", "lead_industry"),
    ("Role", "lead_role"),
    ("Company size", "company_size"),
    ("Channel", "channel"),
    ("Framework", "framework"),
    ("Tone", "tone"),
)


def request_messages(context: Mapping[str, Any], *, failed: bool = False) -> list[dict[str, str]]:
    """System and user message for a lead and a strategy: lead_industry, lead_role, company_size, channel, framework, tone (those known).

    `failed` asks for a message that fails: what went wrong is learnt as the answer to that, and isn't imitated when nobody asks for it.
    """
    lines = [f"{title}: {' '.join(str(context[name]).split())}" for title, name in _FIELDS if context.get(name)]
    asked = "Write a message that fails with:" if failed else ASKED
    return [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": f"{asked}\n" + "\n".join(lines)}]


def message_text(subject_line: str | None, message_body: str) -> str:
    """Subject and body as one text, as the assistant writes it."""
    return f"Subject: {subject_line}\n\n{message_body}" if subject_line else message_body


def outcome_note(row: Mapping[str, Any]) -> str:
    """The line that tells what became of the message. Off by default: a model trained on it writes it to leads."""
    if row.get("deal_closed"):
        value = row.get("deal_value")
        return f"\n\n**Outcome:** Deal closed: ${Decimal(value):,.0f}" if value is not None else "\n\n**Outcome:** Deal closed"
    for column, words in (("meeting_completed", "Meeting completed"), ("meeting_booked", "Meeting booked"), ("replied", "Replied")):
        if row.get(column):
            return f"\n\n**Outcome:** {words}"
    return ""
