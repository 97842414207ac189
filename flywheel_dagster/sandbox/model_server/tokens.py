"""How text is cut into tokens, and how tokens are counted. Approximate: words and signs, not OpenAI's byte pairs."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")
_WORD = re.compile(r"\w+")

# OpenAI's counting example adds three tokens for each message's frame; we keep that, so that short messages aren't free.
_MESSAGE_OVERHEAD = 3


def tokenise(text: str) -> list[str]:
    """Cut text into words and signs, each with the white space before it; joining them gives the text back."""
    return _TOKEN.findall(text)


def words(text: str) -> list[str]:
    """The lower-case words of a text, without signs."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=64)
def count_tokens(text: str) -> int:
    """The approximate number of tokens of a text; remembered, as thousands of requests share one system message."""
    return len(tokenise(text))


def count_message_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The approximate number of tokens of chat messages, with each message's frame."""
    return sum(count_tokens(message_text(message)) + _MESSAGE_OVERHEAD for message in messages)


def message_text(message: Mapping[str, Any]) -> str:
    """The plain text of a chat message: its content (a string or text parts), or its tool calls written as `name(arguments)`."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    calls = [call.get("function") or {} for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    if isinstance(message.get("function_call"), Mapping):
        calls.append(message["function_call"])
    return "\n".join(f"{call.get('name')}({call.get('arguments')})" for call in calls)


def prompt_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Everything a model reads before it answers, except earlier answers: what retrieval compares."""
    return "\n".join(message_text(message) for message in messages if message.get("role") != "assistant")
