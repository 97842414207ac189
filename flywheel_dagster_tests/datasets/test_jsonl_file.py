"""A file as a whole: encoding, size, number of examples, and where in it the problems are."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from flywheel_dagster.datasets.chat_format import problems
from flywheel_dagster.datasets.jsonl_file import FEWEST_EXAMPLES, Problem
from flywheel_dagster.datasets.prompts import request_messages

LINE = json.dumps(
    {"messages": [*request_messages({}), {"role": "assistant", "content": "Hello — 你好 😀"}]}, ensure_ascii=False
).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


def test_problems_come_with_line_numbers_and_an_end(path: Path) -> None:
    path.write_bytes(LINE + b"\n" + b"[]\n" * 100)
    found = problems(path)
    assert [problem.line for problem in found[:3]] == [2, 3, 4]
    assert len(found) == 20
    assert str(found[0]) == "line 2: is not a JSON dictionary"
    assert len(problems(path, at_most=3)) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "the line is empty"),
        (b"  ", "the line is empty"),
        (b'{"messages": [', "cannot be parsed, the line contains invalid JSON"),
        (LINE.replace(b"Hello", b'He"llo'), "cannot be parsed, the line contains invalid JSON"),
        (LINE.replace(b"Hello", b"\x01"), "cannot be parsed, the line contains invalid JSON"),
        (LINE.replace(b"Hello", b"\\ud800"), "cannot be parsed, the line contains invalid JSON"),
        (LINE.replace(b"Hello", b"Z\xfcrich"), "is not UTF-8"),
        (LINE.decode().encode("utf-16"), "is not UTF-8"),
        (b"\xef\xbb\xbf" + LINE, "cannot be parsed"),
        (b"[" * 100_000, "cannot be parsed"),
        (b'"text"', "is not a JSON dictionary"),
    ],
)
def test_a_broken_line_says_so(path: Path, line: bytes, reason: str) -> None:
    path.write_bytes(LINE + b"\n" + line + b"\n" + LINE + b"\n")
    found = problems(path)
    assert found[0].line == 2
    assert found[0].reason.startswith(reason)


@pytest.mark.parametrize("content", [LINE + b"\n", LINE, LINE + b"\r\n" + LINE + b"\r\n"])
def test_line_ends_of_any_system_are_fine_and_the_last_may_be_missing(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert problems(path) == []


def test_a_byte_order_mark_is_named_and_its_line_still_judged(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + LINE + b"\n")
    assert problems(path) == [Problem(1, "starts with a byte order mark; save the file as UTF-8 without one")]
    path.write_bytes(b"\xef\xbb\xbf{}\n")
    assert [problem.line for problem in problems(path)] == [1, 1]


def test_a_file_with_too_few_examples_says_how_many_are_needed(path: Path) -> None:
    path.write_bytes((LINE + b"\n") * 9)
    assert problems(path) == []
    assert problems(path, fewest=FEWEST_EXAMPLES) == [Problem(0, "the file has 9 example(s), but must have at least 10 examples")]
    path.write_bytes((LINE + b"\n") * 10)
    assert problems(path, fewest=FEWEST_EXAMPLES) == []
    path.write_bytes(b"")
    assert len(problems(path, fewest=FEWEST_EXAMPLES)) == 1


def test_a_file_that_is_too_large_is_refused_unread(path: Path) -> None:
    with path.open("wb") as file:
        os.truncate(file.fileno(), 512_000_001)
    assert problems(path) == [Problem(0, "the file has 512,000,001 bytes, but must have at most 512,000,000")]


def test_an_endless_line_takes_no_memory_and_the_next_line_is_read(path: Path) -> None:
    with path.open("wb") as file:
        os.truncate(file.fileno(), 250_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\n[]\n")
    tracemalloc.start()
    try:
        found = problems(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [Problem(1, "the line has more than 67,108,864 bytes"), Problem(2, "is not a JSON dictionary")]
    assert most < 150_000_000
