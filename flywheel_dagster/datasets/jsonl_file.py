"""A JSONL file as providers take it: its size, encoding and number of lines, read a line at a time. What a line must say is in `*_format.py`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from flywheel_dagster.datasets.tokens import MOST_TOKENS

MOST_BYTES = 512_000_000  # of a file; "512 MB" read the strict way
FEWEST_EXAMPLES = 10  # in a file to train on; one to validate with may have fewer
# A token is at least a byte, and JSON's own signs are more than the tokens that frame a message: shorter lines need no counting.
_SURELY_SHORT = MOST_TOKENS - 100
_LONGEST_LINE = 64 * 2**20  # bytes; more than 65,536 tokens of the longest kind, all escaped
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Problem:
    """What is wrong with which line (from 1; 0 is the whole file)."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


@dataclass(frozen=True)
class Format:
    """What an example must be: `rules` tell what is wrong with it, `tokens` how many a trainer reads of it.

    `plain` tells in a fraction of the time that nothing is wrong with what nearly all examples look like; it may also raise TypeError,
    KeyError or AttributeError for others.
    """

    plain: Callable[[Any], bool]
    rules: Callable[[dict[str, Any]], Iterator[str]]
    tokens: Callable[[dict[str, Any]], int]


def file_problems(path: Path, form: Format, *, at_most: int, fewest: int) -> list[Problem]:
    """The first `at_most` problems of a file, an empty list for a good one. Nothing is mended. Memory holds one line."""
    if (size := path.stat().st_size) > MOST_BYTES:
        return [Problem(0, f"the file has {size:,} bytes, but must have at most {MOST_BYTES:,}")]
    found: list[Problem] = []
    lines = 0
    with path.open("rb") as file:
        for lines, line in enumerate(_lines(file.readline), 1):
            if not _is_plain(line, form):
                found.extend(Problem(lines, reason) for reason in line_problems(line, form, first=lines == 1))
                if len(found) >= at_most:
                    return found[:at_most]
    if lines < fewest:
        found.append(Problem(0, f"the file has {lines} example(s), but must have at least {fewest} examples"))
    return found[:at_most]


def line_problems(line: bytes, form: Format, *, first: bool = False) -> Iterator[str]:
    """What is wrong with one line."""
    if first and line.startswith(_BOM):
        yield "starts with a byte order mark; save the file as UTF-8 without one"
        line = line[len(_BOM) :]
    if len(line) > _LONGEST_LINE:
        yield f"the line has more than {_LONGEST_LINE:,} bytes"
        return
    if not line.strip():
        yield "the line is empty"
        return
    try:
        example = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        yield f"cannot be parsed, the line contains invalid JSON: {error}" if _is_utf8(line) else "is not UTF-8"
        return
    if not isinstance(example, dict):
        yield "is not a JSON dictionary"
        return
    broken = False
    for reason in form.rules(example):
        broken = True
        yield reason
    if not broken and len(line) > _SURELY_SHORT and (tokens := form.tokens(example)) > MOST_TOKENS:
        yield f"has {tokens:,} tokens, but must have at most {MOST_TOKENS:,}"


def _is_plain(line: bytes, form: Format) -> bool:
    try:
        return len(line) <= _SURELY_SHORT and form.plain(orjson.loads(line))
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
        return False


def _lines(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines, of which an endless one comes cut."""
    for line in iter(partial(readline, _LONGEST_LINE + 1), b""):
        cut = len(line) > _LONGEST_LINE and not line.endswith(b"\n")
        yield line
        while cut:
            rest = readline(2**20)
            cut = rest != b"" and not rest.endswith(b"\n")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
