"""Preference pairs: one prompt, exactly one answer on each side."""

import json
from pathlib import Path
from typing import Any

import pytest

from flywheel_dagster.datasets.dpo_format import dpo_problems
from flywheel_dagster.sandbox.model_server.validation import check_examples

USER = {"role": "user", "content": "Write a message."}
WINNER, LOSER = {"role": "assistant", "content": "Short."}, {"role": "assistant", "content": "Long and dull."}
GOOD: dict[str, Any] = {
    "input": {"messages": [USER], "tools": [], "parallel_tool_calls": True},
    "preferred_output": [WINNER],
    "non_preferred_output": [LOSER],
}


def found(tmp_path: Path, *examples: Any, fewest: int = 0) -> list[str]:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(example) + "\n" for example in examples))
    return [str(problem) for problem in dpo_problems(path, fewest=fewest)]


def test_a_pair_as_the_provider_publishes_it_has_no_problem(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD, GOOD | {"input": {"messages": [USER]}}) == []
    examples, problem = check_examples(json.dumps(GOOD).encode(), method="dpo", param="validation_file")
    assert (len(examples), problem) == (1, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"label": True}, 'contains an extra "label"'),
        ({"input": [USER]}, "input must be a dictionary with messages"),
        ({"input": {}}, "input must be a dictionary with messages"),
        ({"input": {"messages": []}}, "input: messages is empty"),
        ({"input": {"messages": [USER], "model": "m"}}, 'input contains an extra "model"'),
        ({"input": {"messages": [USER], "tools": "none"}}, "input: tools is not a list"),
        ({"preferred_output": [WINNER, WINNER]}, "preferred_output: must be exactly one message from the assistant"),
        ({"preferred_output": WINNER}, "preferred_output: must be exactly one message from the assistant"),
        ({"non_preferred_output": [USER]}, "non_preferred_output: must be exactly one message from the assistant"),
        ({"non_preferred_output": []}, "non_preferred_output: must be exactly one message from the assistant"),
        ({"preferred_output": [WINNER | {"content": ""}]}, "preferred_output: message 1: content is empty"),
        ({"preferred_output": [WINNER | {"weight": 1}]}, 'preferred_output: message 1: contains an extra "weight"'),
        ({"preferred_output": [LOSER]}, "preferred_output and non_preferred_output are the same"),
        ({"preferred_output": [{"role": "assistant", "content": "a" + " a" * 66_000}]}, "has 66,"),
    ],
)
def test_a_bad_pair_says_which_side_and_what(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    reasons = found(tmp_path, GOOD, GOOD | changes)
    assert reasons[0].startswith(f"line 2: {reason}"), reasons


@pytest.mark.parametrize("key", sorted(GOOD))
def test_a_missing_part_is_named(tmp_path: Path, key: str) -> None:
    (reason,) = found(tmp_path, {name: value for name, value in GOOD.items() if name != key})
    assert key in reason


def test_ten_pairs_are_needed_to_train_on(tmp_path: Path) -> None:
    assert found(tmp_path, *[GOOD] * 9, fewest=10) == ["the file has 9 example(s), but must have at least 10 examples"]
