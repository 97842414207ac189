"""Placeholders as senders write merge fields, {{first_name}}: how one is written, and how to leave those alone that a text has already."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

# "{{first_name}}", "{{ lead.FirstName | default: "there" }}", "{{#if company}}"
PLACEHOLDER = re.compile(r"\{\{[#/^&~\s-]{0,8}[A-Za-z_][\w .:-]{0,60}(?:\|[^{}\n]{0,100})?\}\}")
_LONGEST = 180  # characters of a placeholder


class Part(NamedTuple):
    """The part of a match that a placeholder takes the place of."""

    name: str
    begin: int
    end: int


Judge = Callable[[re.Match[str]], str | Iterable[Part] | None]


def placeholder(name: str) -> str:
    """The placeholder of this name."""
    return f"{{{{{name}}}}}"


def replace_matches(pattern: re.Pattern[str], text: str, judge: Judge, counts: Counter[str]) -> str:
    """The text with placeholders for the matches, or their parts in order, that `judge` names; what stands within a placeholder stays."""
    pieces: list[str] = []
    done = 0
    for found in pattern.finditer(text):
        judged = None if within_placeholder(text, found.start()) else judge(found)
        if judged is None:
            continue
        for name, begin, end in [Part(judged, *found.span())] if isinstance(judged, str) else judged:
            pieces += (text[done:begin], placeholder(name))
            counts[name] += 1
            done = end
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def within_placeholder(text: str, at: int) -> bool:
    """Whether a placeholder that begins before this place ends behind it."""
    begin = text.rfind("{{", max(0, at - _LONGEST), at)
    found = PLACEHOLDER.match(text, begin) if begin >= 0 else None
    return found is not None and found.end() > at
