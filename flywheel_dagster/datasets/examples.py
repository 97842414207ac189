"""One outcome as one finished line of JSONL, or the reason why it can't be one. Which examples a dataset takes is in `selection.sql`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from flywheel_dagster.datasets.prompts import message_text, outcome_note, request_messages

# Raise it when the words or the shape of an example change: models trained on the new one get a new major version.
FORMAT = 1
MAX_CHARACTERS = 200_000  # 65,536 tokens, the provider's limit for one example, at about three characters each


@dataclass(frozen=True)
class Example:
    """Exactly one of the two: a line (JSON, without its newline) or why there is none."""

    line: str | None
    rejected: str | None


def example_format(*, outcome_note: bool) -> str:
    """The name of the format that examples are written in; a different name means different words for the same outcome."""
    return f"{FORMAT}-note" if outcome_note else str(FORMAT)


def build_example(row: Mapping[str, Any], *, with_outcome_note: bool = False) -> Example:
    """The line `{"messages": [system, user, assistant]}` of a row of `training_ready_outcomes`, and nothing else in it."""
    body = row["message_body"]
    if not body.strip():
        return Example(None, "empty message")
    text = message_text(row["subject_line"], body)
    if len(text) > MAX_CHARACTERS:
        return Example(None, f"longer than {MAX_CHARACTERS:,} characters")
    if with_outcome_note:
        text += outcome_note(row)
    messages = [*request_messages(row), {"role": "assistant", "content": text}]
    return Example(orjson.dumps({"messages": messages}).decode(), None)


def split_point(organization_id: str, lead_id: str) -> float:
    """A lead's place in [0, 1), uniform over leads and the same for ever: the first 53 bits of a SHA-256."""
    digest = hashlib.sha256(f"{len(organization_id)}:{organization_id}{lead_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
