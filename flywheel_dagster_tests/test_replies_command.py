"""`flywheel replies` as people use it: lines in, lines out, and no database for it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.replies.making import billed
from flywheel_dagster_tests.sandbox.model_server.served import Served

FIELDS = {
    "sentiment_score", "sentiment_label", "interest_signal", "interest_level", "objection_detected", "objection_type", "reasoning",
    "is_auto_reply", "wants_unsubscribe", "referral", "language", "confidence", "method", "model", "version", "fallback_reason",
}  # fmt: skip


def classify(lines: str | bytes, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `flywheel replies classify` where nothing is configured, and no database can be."""
    ours = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing", "FLYWHEEL_HOME": str(folder / "home")} | environment
    stdin = lines.encode() if isinstance(lines, str) else lines
    return run_flywheel("replies", "classify", *arguments, folder=folder, environment=ours, stdin=stdin)


def read(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_same_lines_come_back_in_order_with_what_each_reply_says(tmp_path: Path) -> None:
    replies = [
        {"reply_text": "Sure, let's schedule a call on Tuesday.", "id": 7, "original_message": "Shall we talk?"},
        {"reply_text": "Please unsubscribe me.", "nested": {"kept": [1, 2]}},
        {"reply_text": "Wir haben kein Interesse, danke."},
    ] * 200
    done = classify("".join(json.dumps(reply) + "\n" for reply in replies), tmp_path, "--offline")
    assert (done.returncode, done.stderr) == (0, "")
    found = read(done)
    assert [{name: value for name, value in row.items() if name not in FIELDS} for row in found] == replies
    assert all(row.keys() >= FIELDS for row in found)
    assert [row["sentiment_label"] for row in found[:3]] == ["positive", "negative", "negative"]
    assert not (tmp_path / "home").exists()


def test_a_line_that_cannot_be_classified_says_why_and_its_neighbours_are_not_lost(tmp_path: Path) -> None:
    lines = [
        b'{"reply_text": "Noted."}',
        b"no json",
        b"[1]",
        b'{"reply_text": " "}',
        b'{"text": "x"}',
        b'{"reply_text": 5}',
        b"",
        b'{"reply_text": "\xff"}',
    ]
    done = classify(b"\n".join(lines) + b"\n" + b'{"reply_text": "Last one, without a line end."}', tmp_path, "--offline")
    assert done.returncode == 1
    assert "6 lines could not be classified" in done.stderr
    found = read(done)
    assert ["error" in row for row in found] == [False, True, True, True, True, True, True, False]
    assert found[3]["reply_text"] == " "
    assert "empty" in found[3]["error"]


def test_a_model_is_asked_where_one_is_configured(tmp_path: Path, model_server: Served) -> None:
    model_server.http.delete("/sandbox/billed")
    done = classify(
        '{"reply_text": "Could you tell me more?"}\n', tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=f"{model_server.url}/v1"
    )
    assert done.returncode == 0, done.stderr
    assert read(done)[0]["method"] == "llm"
    assert sum(billed(model_server).values()) == 1


@pytest.mark.parametrize("arguments", [("replies", "--help"), ("replies", "classify", "--help"), ("replies", "review", "--help")])
def test_help_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run_flywheel(*arguments, folder=tmp_path, environment={})
    assert done.returncode == 0
    assert "repl" in done.stdout.lower()
