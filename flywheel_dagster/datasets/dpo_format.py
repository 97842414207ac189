"""The provider's published rules for a file of preference pairs (DPO): one prompt, a preferred answer and one that is not.

https://platform.openai.com/docs/guides/direct-preference-optimization; together.ai takes the same files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.chat_format import prompt_tokens
from flywheel_dagster.datasets.chat_messages import conversation_problems, extra_keys, is_plain_conversation, tools_problems
from flywheel_dagster.datasets.jsonl_file import Format, Problem, file_problems
from flywheel_dagster.datasets.tokens import count_example

_TOP_LEVEL = frozenset({"input", "preferred_output", "non_preferred_output"})
_INPUT = frozenset({"messages", "tools", "parallel_tool_calls"})
_SIDES = ("preferred_output", "non_preferred_output")


def dpo_problems(path: Path, *, at_most: int = 20, fewest: int = 0) -> list[Problem]:
    """The first `at_most` problems of a file of pairs with at least `fewest` of them; an empty list for a good one."""
    return file_problems(path, DPO, at_most=at_most, fewest=fewest)


def _is_plain(example: Any) -> bool:
    prompt, preferred, rejected = example["input"], example["preferred_output"], example["non_preferred_output"]
    return (
        len(example) == 3
        and (len(prompt) == 1 or (len(prompt) == 3 and prompt["tools"] == [] and type(prompt["parallel_tool_calls"]) is bool))
        and is_plain_conversation(prompt["messages"])
        and len(preferred) == len(rejected) == 1
        and is_plain_conversation(preferred, last="assistant")
        and is_plain_conversation(rejected, last="assistant")
        and preferred != rejected
    )


def _rules(example: dict[str, Any]) -> Iterator[str]:
    yield from extra_keys(example, _TOP_LEVEL)
    prompt = example.get("input")
    if not isinstance(prompt, dict) or "messages" not in prompt:
        yield "input must be a dictionary with messages"
    else:
        yield from (f"input {reason}" for reason in extra_keys(prompt, _INPUT))
        yield from (f"input: {reason}" for reason in (*tools_problems(prompt), *conversation_problems(prompt["messages"])))
    for side in _SIDES:
        yield from (f"{side}: {reason}" for reason in answer_problems(example.get(side)))
    if example.get(_SIDES[0]) == example.get(_SIDES[1]) is not None:
        yield "preferred_output and non_preferred_output are the same, which leaves nothing to prefer"


def answer_problems(messages: Any) -> Iterator[str]:
    """What is wrong with one side's answer: it must be exactly one text of the assistant."""
    if not isinstance(messages, list) or len(messages) != 1:
        yield "must be exactly one message from the assistant"
        return
    broken = False
    for reason in conversation_problems(messages, weights=False):
        broken = True
        yield reason
    if not broken and messages[0]["role"] != "assistant":
        yield "must be exactly one message from the assistant"


def _tokens(example: dict[str, Any]) -> int:
    """The prompt with the longer answer."""
    return prompt_tokens(example["input"]) + max(count_example(example[side]) for side in _SIDES)


DPO = Format(_is_plain, _rules, _tokens)
