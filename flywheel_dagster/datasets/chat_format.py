"""The provider's published rules for a chat training file, checked line by line before anything is uploaded. Nothing is mended here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_TOP_LEVEL = {"messages", "tools", "parallel_tool_calls", "functions"}
_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


@dataclass(frozen=True)
class Problem:
    """What is wrong with which line (from 1)."""

    line: int
    reason: str


def problems(path: Path, *, at_most: int = 20) -> list[Problem]:
    """The first `at_most` problems of a JSONL file; an empty list for a good one. Reads a line at a time."""
    found: list[Problem] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            found.extend(Problem(number, reason) for reason in line_problems(line))
            if len(found) >= at_most:
                return found[:at_most]
    return found


def line_problems(line: bytes) -> Iterator[str]:
    """What is wrong with one line of a chat file."""
    if not line.strip():
        yield "the line is empty"
        return
    try:
        example = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        yield f"not JSON: {error}"
        return
    if not isinstance(example, dict):
        yield "not a JSON object"
        return
    yield from (f'extra key "{key}"' for key in sorted(example.keys() - _TOP_LEVEL))
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages is missing or empty"
        return
    for number, message in enumerate(messages, 1):
        yield from (f"message {number}: {reason}" for reason in _message_problems(message))
    roles = [message.get("role") for message in messages if isinstance(message, dict)]
    if "assistant" not in roles:
        yield "no assistant message to learn from"
    elif roles[-1] != "assistant":
        yield "the last message is not the assistant's"


def _message_problems(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "not a JSON object"
        return
    role = message.get("role")
    if role not in _ROLES:
        yield "role is missing" if role is None else f"role {role!r} is not one of {', '.join(sorted(_ROLES))}"
    content = message.get("content")
    if content is None and not message.get("tool_calls") and not message.get("function_call"):
        yield "content is missing"
    elif isinstance(content, str) and not content.strip():
        yield "content is empty"
    if "weight" in message and (role != "assistant" or message["weight"] not in (0, 1)):
        yield "weight is only for the assistant, and only 0 or 1"
