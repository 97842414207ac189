"""Takes a MIME multipart apart without decoding it: forms (RFC 7578) and mails (RFC 2046) are built alike.

Written for what arrives rather than for the standards: bare line feeds, a missing end, no blank line. It raises nothing and takes linear
time; the standard library's mail parser takes the product of depth and length, and its header parser raises whatever it meets.
"""

import re
from collections.abc import Mapping
from email.message import Message
from email.utils import collapse_rfc2231_value
from itertools import islice
from typing import NamedTuple

_MOST_PARTS = 1_000
_LONGEST_HEAD = 256 * 1024
_LONGEST_PARAMETERS = 1_000
_FOLD = re.compile(r"\r?\n[ \t]+")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class Part(NamedTuple):
    """Headers by lower-case name, of each the first, and where the content lies: `whole[start:end]`."""

    headers: Mapping[str, str]
    start: int
    end: int


class Multipart(NamedTuple):
    """The parts, and where the first boundary stands, after a preamble."""

    parts: list[Part]
    begin: int


def split(body: bytes, boundary: bytes) -> Multipart | None:
    """The parts between the lines that start with the boundary, at most 1000; None where there is none."""
    if not boundary:
        return None
    line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|\Z)")
    marks = list(islice(line.finditer(b"\n" + body), _MOST_PARTS + 1))
    parts = []
    for number, mark in enumerate(marks):
        if mark[1]:
            break
        start = min(mark.end(), len(body))
        end = len(body) if number + 1 == len(marks) else marks[number + 1].start() - 1
        if end > start and body[end - 1 : end] == b"\r":
            end -= 1
        parts.append(divide(body, start, max(start, end)))
    return Multipart(parts, marks[0].start()) if parts else None


def divide(body: bytes, start: int, end: int) -> Part:
    """The headers at `start`, and what follows after the blank line. A blank line at once: no headers."""
    for nothing in (b"\n", b"\r\n"):
        if body.startswith(nothing, start, end):
            return Part({}, start + len(nothing), end)
    blank = _BLANK_LINE.search(body, start, min(end, start + _LONGEST_HEAD))
    head, content = (end, end) if blank is None else blank.span()
    return Part(read_headers(body[start : min(head, start + _LONGEST_HEAD)]), content, end)


def read_headers(block: bytes) -> dict[str, str]:
    """The headers by lower-case name, unfolded; of several with one name the first, which the last station on the way added."""
    found: dict[str, str] = {}
    for line in _FOLD.sub(" ", block.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")).splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def parameter(header: str, name: str) -> str | None:
    """A parameter of a header such as Content-Type, in any of the ways that RFC 2231 has; None where it is missing."""
    message = Message()
    message["header"] = header[:_LONGEST_PARAMETERS]
    try:
        found = message.get_param(name, header="header")
        return None if found is None else collapse_rfc2231_value(found)
    except (ValueError, LookupError, TypeError):
        return None


def rebuilt(body: bytes, parts: list[Part], contents: list[bytes]) -> bytes:
    """The body with other contents in its parts."""
    pieces: list[bytes] = []
    at = 0
    for part, content in zip(parts, contents, strict=True):
        pieces += (body[at : part.start], content)
        at = part.end
    return b"".join([*pieces, body[at:]])
