"""Rows of single answers, each with whether it was wanted, as TRL's KTOTrainer reads them (its "unpaired preference", conversational).

https://huggingface.co/docs/trl/dataset_formats#unpaired-preference
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.chat_messages import conversation_problems, extra_keys, is_plain_conversation
from flywheel_dagster.datasets.dpo_format import answer_problems
from flywheel_dagster.datasets.jsonl_file import Format, Problem, file_problems
from flywheel_dagster.datasets.tokens import count_example

_TOP_LEVEL = frozenset({"prompt", "completion", "label"})


def kto_problems(path: Path, *, at_most: int = 20, fewest: int = 0) -> list[Problem]:
    """The first `at_most` problems of a file of rows with at least `fewest` of them; an empty list for a good one."""
    return file_problems(path, KTO, at_most=at_most, fewest=fewest)


def _is_plain(example: Any) -> bool:
    return (
        len(example) == 3
        and type(example["label"]) is bool
        and is_plain_conversation(example["prompt"])
        and len(example["completion"]) == 1
        and is_plain_conversation(example["completion"], last="assistant")
    )


def _rules(example: dict[str, Any]) -> Iterator[str]:
    yield from extra_keys(example, _TOP_LEVEL)
    yield from (f"prompt: {reason}" for reason in conversation_problems(example.get("prompt"), weights=False))
    yield from (f"completion: {reason}" for reason in answer_problems(example.get("completion")))
    if not isinstance(example.get("label"), bool):
        yield "label must be true or false"


def _tokens(example: dict[str, Any]) -> int:
    return count_example(example["prompt"] + example["completion"])


KTO = Format(_is_plain, _rules, _tokens)
