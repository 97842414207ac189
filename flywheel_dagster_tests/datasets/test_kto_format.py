"""Single answers with a label, as TRL reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from flywheel_dagster.datasets.kto_format import kto_problems

USER, ANSWER = {"role": "user", "content": "Write a message."}, {"role": "assistant", "content": "Short."}
GOOD: dict[str, Any] = {"prompt": [USER], "completion": [ANSWER], "label": False}


def found(tmp_path: Path, *examples: Any) -> list[str]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(example) + "\n" for example in examples))
    return [str(problem) for problem in kto_problems(path)]


def test_a_row_as_trl_documents_it_has_no_problem(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD, GOOD | {"label": True}) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"label": 1}, "label must be true or false"),
        ({"label": "true"}, "label must be true or false"),
        ({"weight": 1.0}, 'contains an extra "weight"'),
        ({"prompt": "Write a message."}, "prompt: messages is not a list"),
        ({"prompt": []}, "prompt: messages is empty"),
        ({"completion": "Short."}, "completion: must be exactly one message from the assistant"),
        ({"completion": [USER]}, "completion: must be exactly one message from the assistant"),
        ({"completion": [ANSWER | {"content": " "}]}, "completion: message 1: content is empty"),
        ({"prompt": [USER | {"content": "a" + " a" * 66_000}]}, "has 66,"),
    ],
)
def test_a_bad_row_says_what_is_wrong(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    reasons = found(tmp_path, GOOD, GOOD | changes)
    assert reasons[0].startswith(f"line 2: {reason}"), reasons


@pytest.mark.parametrize("key", sorted(GOOD))
def test_a_missing_part_is_named(tmp_path: Path, key: str) -> None:
    (reason,) = found(tmp_path, {name: value for name, value in GOOD.items() if name != key})
    assert key in reason
