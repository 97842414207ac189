"""The provider's published rules for a chat training file, checked line by line before anything is uploaded. Nothing is mended here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets import jsonl_file
from flywheel_dagster.datasets.chat_messages import conversation_problems, extra_keys, is_plain_conversation, tools_problems
from flywheel_dagster.datasets.jsonl_file import Format, Problem, file_problems
from flywheel_dagster.datasets.tokens import count_example, count_tokens

TOP_LEVEL = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})


def problems(path: Path, *, at_most: int = 20, fewest: int = 0) -> list[Problem]:
    """The first `at_most` problems of a chat file with at least `fewest` examples; an empty list for a good one."""
    return file_problems(path, CHAT, at_most=at_most, fewest=fewest)


def line_problems(line: bytes) -> Iterator[str]:
    """What is wrong with one line of a chat file."""
    return jsonl_file.line_problems(line, CHAT)


def prompt_tokens(example: dict[str, Any]) -> int:
    """Tokens of a conversation and of the tools beside it (these by their JSON, as nothing is published about them)."""
    tools = [example[key] for key in ("tools", "functions") if example.get(key)]
    return count_example(example["messages"]) + (count_tokens(json.dumps(tools)) if tools else 0)


def _is_plain(example: Any) -> bool:
    return len(example) == 1 and is_plain_conversation(example["messages"], last="assistant")


def _rules(example: dict[str, Any]) -> Iterator[str]:
    if "messages" not in example:
        if example.keys() >= {"prompt", "completion"}:
            yield "is in the prompt-completion format, but a chat model requires messages"
        else:
            yield "messages is missing: Unexpected file format, expected chat messages"
        return
    if len(example) > 1:
        yield from extra_keys(example, TOP_LEVEL)
        yield from tools_problems(example)
    messages = example["messages"]
    broken = False
    for reason in conversation_problems(messages):
        broken = True
        yield reason
    if broken:
        return
    answers = [message for message in messages if message["role"] == "assistant"]
    if not answers:
        yield "must have at least one message from the assistant"
    elif messages[-1]["role"] != "assistant":
        yield "the last message must be from the assistant"
    elif not any(message.get("weight", 1) for message in answers):
        yield "all messages from the assistant have weight 0, which leaves nothing to learn from"


CHAT = Format(_is_plain, _rules, prompt_tokens)
