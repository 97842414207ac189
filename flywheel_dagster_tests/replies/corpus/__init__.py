"""Replies written for this project, with their labels, in three parts: rules are made on train, the head on train and head; test is only measured.

Rules are never made on head (writer C): on replies that they were made on they look better than they are, and a head would trust them too much.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

_FOLDER = Path(__file__).parent


def load(part: Literal["train", "test", "head"]) -> list[dict[str, Any]]:
    """The labelled replies of a part, in the writers' order. The part follows from a reply's id and text, so it never changes."""
    lines = (line for file in sorted(_FOLDER.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines() if line.strip())
    return [reply for reply in map(json.loads, lines) if part_of(reply["id"], reply["reply_text"]) == part]


def part_of(identifier: str, reply_text: str) -> str:
    """head for writer C; of the others test for four replies in ten, else train."""
    if identifier.startswith("c"):
        return "head"
    return "test" if int(hashlib.sha256((identifier + reply_text).encode()).hexdigest()[:8], 16) % 10 < 4 else "train"
