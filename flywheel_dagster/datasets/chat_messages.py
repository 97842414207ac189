"""One message of a conversation, and the tools it may call, by the provider's published schema. What an example is made of is in `*_format.py`.

The schema is OpenAI's openapi.yaml at 25be478, the last with all training formats; the words are those of its errors where they are known.
"""

import re
from collections.abc import Iterator, Set
from typing import Any

_PLAIN_ROLES = frozenset({"system", "user", "assistant"})
_KEYS = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "weight", "tool_calls", "function_call", "refusal"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "function": frozenset({"role", "content", "name"}),
}
_PARTS = {"user": ("text", "image_url"), "assistant": ("text", "refusal")}
_FUNCTION_KEYS = frozenset({"name", "description", "parameters", "strict"})
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MOST_FUNCTIONS = 128
_SHOWN = 40  # characters of somebody's key or value that a message repeats


def is_plain_conversation(messages: Any, *, last: str = "") -> bool:
    """Whether each message is a role with a text, as nearly all are, and the last one's role is `last` (if given): then nothing is wrong.

    May raise TypeError, KeyError or AttributeError for what is no conversation.
    """
    if type(messages) is not list or not messages:
        return False
    for message in messages:
        content = message["content"]
        if len(message) != 2 or message["role"] not in _PLAIN_ROLES or type(content) is not str or not content or content.isspace():
            return False
    return not last or messages[-1]["role"] == last


def conversation_problems(messages: Any, *, weights: bool = True) -> Iterator[str]:
    """What is wrong with the messages of one conversation; `weights` says whether the assistant's may carry one."""
    if not isinstance(messages, list):
        yield "messages is not a list"
        return
    if not messages:
        yield "messages is empty"
        return
    called: set[str] = set()
    for number, message in enumerate(messages, 1):
        yield from (f"message {number}: {reason}" for reason in message_problems(message, called, weights=weights))


def message_problems(message: Any, called: set[str], *, weights: bool) -> Iterator[str]:
    """What is wrong with one message. `called` are the ids of the tool calls before it, to which its own are added."""
    if not isinstance(message, dict):
        yield "is not a JSON dictionary"
        return
    if "role" not in message:
        yield "Discriminator 'role' is missing in value"
        return
    role = message["role"]
    if not isinstance(role, str) or role not in _KEYS:
        yield f"role {shown(role)} is not one of {', '.join(_KEYS)}"
        return
    yield from extra_keys(message, _KEYS[role] if weights else _KEYS[role] - {"weight"})
    if role == "assistant":
        yield from _assistant_problems(message, called)
    else:
        if role == "function" and "content" not in message:  # it may be null, but not left out
            yield "content is missing"
        yield from _content_problems(message.get("content"), role)
    if role == "function" or message.get("name") is not None:
        yield from _text_problems(message, "name")
    if role == "tool":
        yield from _text_problems(message, "tool_call_id")
        if isinstance(answered := message.get("tool_call_id"), str) and answered not in called:
            yield f"tool_call_id {shown(answered)} answers no tool call before it"


def tools_problems(example: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the tools beside the messages."""
    if not isinstance(example.get("parallel_tool_calls", False), bool):
        yield "parallel_tool_calls is neither true nor false"
    for key in ("tools", "functions"):
        tools = example.get(key, [])
        if not isinstance(tools, list) or len(tools) > _MOST_FUNCTIONS:
            yield f"{key} is not a list of at most {_MOST_FUNCTIONS}"
            continue
        for number, tool in enumerate(tools, 1):
            function = tool
            if key == "tools":
                if not isinstance(tool, dict) or tool.keys() != {"type", "function"} or tool["type"] != "function":
                    yield f'tool {number} is not {{"type": "function", "function": …}}'
                    continue
                function = tool["function"]
            yield from (f"{key[:-1]} {number}: {reason}" for reason in _function_problems(function))


def extra_keys(value: dict[str, Any], allowed: Set[str]) -> Iterator[str]:
    """Keys that the schema doesn't know: a job fails for each."""
    for key in sorted(value.keys() - allowed):
        yield f"contains an extra {shown(key)}; allowed are {', '.join(sorted(allowed))}"


def shown(value: Any) -> str:
    """Somebody's key or value, short enough for a message."""
    if not isinstance(value, str):
        return f"({type(value).__name__})"
    return '"' + (value if len(value) <= _SHOWN else value[:_SHOWN] + "…") + '"'


def _assistant_problems(message: dict[str, Any], called: set[str]) -> Iterator[str]:
    if "weight" in message and (type(message["weight"]) is not int or message["weight"] not in (0, 1)):
        yield "weight: Input should be 0 or 1"
    calls, call = message.get("tool_calls"), message.get("function_call")
    content = message.get("content")
    if content is not None or not (calls or call or message.get("refusal")):
        yield from _content_problems(content, "assistant")
    if "refusal" in message and message["refusal"] is not None:
        yield from _text_problems(message, "refusal")
    if call is not None:
        yield from (f"function_call: {reason}" for reason in _call_problems(call))
    if calls is not None and (not isinstance(calls, list) or not calls):
        yield "tool_calls is not a list of calls"
        return
    for number, item in enumerate(calls or [], 1):
        if not isinstance(item, dict) or item.keys() != {"id", "type", "function"} or item["type"] != "function":
            yield f'tool call {number} is not {{"id": …, "type": "function", "function": …}}'
            continue
        yield from (f"tool call {number}: {reason}" for reason in [*_text_problems(item, "id"), *_call_problems(item["function"])])
        if isinstance(item["id"], str):
            called.add(item["id"])


def _content_problems(content: Any, role: str) -> Iterator[str]:
    if content is None:
        if role != "function":
            yield "content is missing"
    elif isinstance(content, str):
        if role not in ("tool", "function") and (not content or content.isspace()):
            yield "content is empty"
    elif isinstance(content, list) and role != "function":
        if not content:
            yield "content is empty"
        for number, part in enumerate(content, 1):
            yield from (f"content part {number}: {reason}" for reason in _part_problems(part, _PARTS.get(role, ("text",))))
    else:
        yield "content: Input should be a valid string or a list of content parts"


def _part_problems(part: Any, kinds: tuple[str, ...]) -> Iterator[str]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in kinds:
        yield f"type {shown(kind)} is not one of {', '.join(kinds)} (audio and files can't be trained on)"
        return
    yield from extra_keys(part, {"type", kind})
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:image/")):
            yield "image_url has no address of an image in url"
        elif image.get("detail", "auto") not in ("auto", "low", "high"):
            yield "image_url: detail is not one of auto, low, high"
    else:
        yield from _text_problems(part, kind)


def _call_problems(call: Any) -> Iterator[str]:
    if not isinstance(call, dict) or call.keys() != {"name", "arguments"}:
        yield "function is not a name with its arguments"
        return
    yield from _text_problems(call, "name")
    if not isinstance(call["arguments"], str):
        yield "arguments is not a string of JSON"


def _function_problems(function: Any) -> Iterator[str]:
    if not isinstance(function, dict):
        yield "is not a JSON dictionary"
        return
    yield from extra_keys(function, _FUNCTION_KEYS)
    name = function.get("name")
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        yield "name is not 1 to 64 letters, digits, underscores and dashes"
    for key, kind in (("description", str), ("parameters", dict), ("strict", bool | None)):
        if key in function and not isinstance(function[key], kind):
            yield f"{key} has the wrong type"


def _text_problems(value: dict[str, Any], key: str) -> Iterator[str]:
    if not isinstance(value.get(key), str) or not value[key]:
        yield f"{key} is not a text" if key in value else f"{key} is missing"
