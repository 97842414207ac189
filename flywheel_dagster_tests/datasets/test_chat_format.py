"""The provider's rules for a training file, line by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from flywheel_dagster.datasets.chat_format import line_problems, problems

GOOD: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a", "weight": 1},
    ]
}


def with_message(**changes: Any) -> dict[str, Any]:
    return {"messages": [GOOD["messages"][0], GOOD["messages"][1], GOOD["messages"][2] | changes]}


def test_a_good_line_has_no_problem() -> None:
    assert list(line_problems(json.dumps(GOOD).encode())) == []


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (GOOD | {"metadata": {"outcome_id": 1}}, 'extra key "metadata"'),
        (GOOD | {"weight": 10.0}, 'extra key "weight"'),
        ([1, 2], "not a JSON object"),
        ({"messages": []}, "messages is missing or empty"),
        ({"prompt": "p", "completion": "c"}, "messages is missing or empty"),
        ({"messages": [{"content": "a"}]}, "message 1: role is missing"),
        ({"messages": [{"role": "human", "content": "a"}]}, "message 1: role 'human'"),
        ({"messages": [{"role": "user", "content": "u"}]}, "no assistant message"),
        ({"messages": [GOOD["messages"][2], GOOD["messages"][1]]}, "the last message is not the assistant's"),
        (with_message(content=None), "message 3: content is missing"),
        (with_message(content="  "), "message 3: content is empty"),
        (with_message(weight=0.5), "message 3: weight"),
        ({"messages": [{"role": "user", "content": "u", "weight": 1}, GOOD["messages"][2]]}, "message 1: weight"),
    ],
)
def test_a_bad_line_says_what_is_wrong(example: Any, reason: str) -> None:
    assert any(found.startswith(reason) for found in line_problems(json.dumps(example).encode()))


@pytest.mark.parametrize(("line", "reason"), [(b"\n", "empty"), (b'{"messages": [', "not JSON"), (b"\xff\xfe{}", "not JSON")])
def test_a_broken_line_says_so(line: bytes, reason: str) -> None:
    assert any(reason in found for found in line_problems(line))


def test_problems_of_a_file_come_with_line_numbers_and_an_end(tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(json.dumps(GOOD) + "\n" + "[]\n" * 100)
    found = problems(file)
    assert [problem.line for problem in found[:3]] == [2, 3, 4]
    assert len(found) == 20


def test_the_collected_lines_are_judged_as_the_provider_judged_them(shared: Path) -> None:
    samples = shared / "samples" / "openai"
    for line in (samples / "train_valid_lines.jsonl").read_bytes().splitlines():
        parsed = json.loads(line)
        if all(turn.get("content") for turn in parsed["messages"]) and parsed["messages"][-1]["role"] == "assistant":
            assert list(line_problems(line)) == []
    for sample in json.loads((samples / "train_invalid_lines.json").read_text()):
        assert list(line_problems(sample["line"].encode())), sample["name"]
