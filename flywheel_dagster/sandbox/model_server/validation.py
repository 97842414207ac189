"""The check of a training file's lines, as pure functions: at upload only JSON dictionaries, in the job everything else.

Codes and texts marked (captured) were seen from OpenAI; the others follow the published schema and are our wording in the same style.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FEWEST_EXAMPLES = 10
_CHAT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})
_PREFERENCE_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_MESSAGE_KEYS = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "weight", "tool_calls", "function_call", "refusal", "audio"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "function": frozenset({"role", "content", "name"}),
}


@dataclass(frozen=True)
class Problem:
    """Why a job fails in validating_files, as its `error` object says it."""

    code: str
    message: str
    param: str | None


class _Refused(Exception):
    """Carries the problem of one example up to `check_examples`."""

    def __init__(self, detail: str, *, code: str = "invalid_training_file") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


def find_upload_problem(content: bytes) -> str | None:
    """The message of the HTTP 400 that refuses an upload, or None: each line has to be a JSON dictionary (captured)."""
    lines = _lines(content)
    if not lines:
        return "File is empty. Expected file to have JSONL format, where every line is a JSON dictionary."
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            hint = line[:1].decode(errors="replace")
            return (
                "Expected file to have JSONL format, where every line is a JSON dictionary. "
                f'Line {number} is not a dictionary (HINT: line starts with: "{hint}...").'
            )
    return None


def check_examples(
    content: bytes,
    *,
    method: str = "supervised",
    model: str = "gpt-4o-mini-2024-07-18",
    param: str = "training_file",
    fewest: int = FEWEST_EXAMPLES,
) -> tuple[list[dict[str, Any]], Problem | None]:
    """Read a file's examples and find the first reason to refuse it.

    `method` is `supervised` (chat messages) or `dpo` (preference pairs); `param` is `training_file` or `validation_file`.
    A validation file may have fewer than `fewest` examples. With a problem the list of examples is empty.
    """
    label = param.replace("_", " ")
    examples: list[dict[str, Any]] = []
    for number, line in enumerate(_lines(content), start=1):
        try:
            value = _read(line, number)
            check = _check_preference if method == "dpo" else _check_chat
            check(value, number, model)
        except _Refused as refused:
            if refused.code == "invalid_file_format":  # (captured)
                message = f"The job failed due to a file format error in the {label}. Invalid file format. {refused.detail}"
                return [], Problem(refused.code, message, None)
            return [], Problem(f"invalid_{param}", f"The job failed due to an invalid {label}. {refused.detail}", param)
        examples.append(value)
    if param == "training_file" and len(examples) < fewest:  # (captured)
        message = f"Training file has {len(examples)} example(s), but must have at least {fewest} examples"
        return [], Problem("invalid_n_examples", message, param)
    return examples, None


def _lines(content: bytes) -> list[bytes]:
    """The lines of a JSONL file: cut at line feeds alone, as JSON strings may hold other line separators."""
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    lines = content.split(b"\n")
    if lines and not lines[-1].strip():
        lines.pop()
    return lines


def _read(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise _Refused(
            f"Invalid file format. Example {number} cannot be parsed. Error: line contains invalid json: {error}"
        ) from error
    if not isinstance(value, dict):
        raise _Refused(f"Invalid file format. Example {number} is not a dictionary.")
    return value


def _check_chat(example: dict[str, Any], number: int, model: str) -> None:
    if "messages" not in example:
        if {"prompt", "completion"} <= example.keys():
            raise _Refused(
                f"Input file is in the prompt-completion format, but the specified model {model} is a chat model and requires "
                "chat-formatted data."
            )
        raise _Refused("Unexpected file format, expected either prompt/completion pairs or chat messages.")  # (captured)
    _refuse_extra(example, _CHAT_KEYS, number)
    for key, kind in (("tools", list), ("functions", list), ("parallel_tool_calls", bool)):
        if key in example and not isinstance(example[key], kind):
            raise _Refused(f"Invalid file format. Example {number}: {key} has the wrong type.")
    _check_messages(example["messages"], number)
    if not any(message["role"] == "assistant" for message in example["messages"]):
        raise _Refused(f"Invalid file format. Example {number} must have at least one message from the assistant.")
    if example["messages"][-1]["role"] != "assistant":
        raise _Refused(f"Invalid file format. Example {number}: the last message must be from the assistant.")


def _check_preference(example: dict[str, Any], number: int, model: str) -> None:
    missing = sorted(_PREFERENCE_KEYS - example.keys())
    if missing:
        raise _Refused(f"Invalid file format. Example {number} is missing key {missing[0]!r}, which the dpo method requires.")
    _refuse_extra(example, _PREFERENCE_KEYS, number)
    if not isinstance(example["input"], dict):
        raise _Refused(f"Invalid file format. Example {number}: input must be a dictionary with messages.")
    _refuse_extra(example["input"], _CHAT_KEYS, number)
    _check_messages(example["input"].get("messages"), number)
    for key in ("preferred_output", "non_preferred_output"):
        _check_messages(example[key], number)
        if [message["role"] for message in example[key]] != ["assistant"]:
            raise _Refused(f"Invalid file format. Example {number}: {key} must be one message from the assistant.")


def _refuse_extra(example: Mapping[str, Any], allowed: frozenset[str], number: int) -> None:
    extra = [key for key in example if key not in allowed]
    if extra:
        raise _Refused(f'Example {number} contains an extra "{extra[0]}".', code="invalid_file_format")


def _check_messages(messages: object, number: int) -> None:
    if not isinstance(messages, list) or not messages:
        raise _Refused(f"Invalid file format. Example {number} must have at least one message.")
    for position, message in enumerate(messages, start=1):
        where = f"Invalid file format. Example {number}, message {position}"
        if not isinstance(message, dict):
            raise _Refused(f"{where} Input should be a valid dictionary")
        if "role" not in message:
            raise _Refused(f"{where} Discriminator 'role' is missing in value")  # (captured)
        role = message["role"]
        if role not in _ROLES:
            tags = ", ".join(f"'{known}'" for known in _ROLES)
            raise _Refused(f"{where} Input tag {role!r} found using 'role' does not match any of the expected tags: {tags}")
        extra = sorted(message.keys() - _MESSAGE_KEYS[role])
        if extra:
            raise _Refused(f"{where} {extra[0]}: Extra inputs are not permitted")
        _check_weight(message, where)
        _check_content(message, where)


def _check_weight(message: Mapping[str, Any], where: str) -> None:
    weight = message.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int) or weight not in (0, 1):
        raise _Refused(f"{where} weight: Input should be 0 or 1")


def _check_content(message: Mapping[str, Any], where: str) -> None:
    content = message.get("content")
    called = message["role"] == "assistant" and any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
    nullable = message.get("role") == "function" and "content" in message
    if content is None and (called or nullable):
        return
    if isinstance(content, str):
        return
    if isinstance(content, list) and content and all(isinstance(part, dict) and "type" in part for part in content):
        return
    raise _Refused(f"{where} content: Input should be a valid string or a list of content parts")
