"""Separates what somebody wrote from the thread that their mail program quoted beneath it."""

import re

from flywheel_dagster.replies.thread_openings import Opening, closes_address, opening_at

LIMIT = 100_000  # characters; beyond is no answer but a document
_LINES = 1_000  # in which the beginning of a thread is looked for

# ">50 people" is no quotation, unless several lines begin like it.
_SURELY_QUOTED = re.compile(r" ?>+( |>|$)")
_FEW = 3
_RULED = re.compile(r"[-_=*]{3,}\s*")


def cut_quoted_thread(text: str) -> str:
    """The text without the quoted thread, its introduction ("On … wrote:") included; the whole text where nothing else is left.

    Answers between or beneath quoted lines are kept; a thread without such marks ends with the text. Only the first LIMIT characters are
    read. The time is linear in the text: each of the first 1,000 lines is judged by a few lines around it, of which 240 characters are seen;
    beyond them only the signs of quotation count.
    """
    whole = text[:LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return _written(whole.split("\n")) or whole.strip()


def _written(lines: list[str]) -> str:
    lenient = sum(line.startswith(">") for line in lines) >= _FEW
    kept: list[str] = []
    number = first = 0
    while number < len(lines):
        wrapped = number > first and closes_address(lines[number]) and "<" in lines[number - 1][-120:]
        if not wrapped and _is_quoted(lines[number], lenient=lenient):
            number = first = number + 1
            continue
        opening = opening_at(lines, number, first) if number < _LINES else None
        if opening is None:
            kept.append(lines[number])
            number += 1
            continue
        del kept[len(kept) - (number - opening.begin) :]
        after = _after(lines, opening)
        if after is not None:
            number = first = after
        elif any(line.strip() for line in kept):
            break
        elif opening.titled:
            return ""  # all of it is a thread
        else:
            number = first = opening.end
    while kept and (not kept[-1].strip() or _RULED.fullmatch(kept[-1])):
        kept.pop()
    return "\n".join(kept).strip()


def _after(lines: list[str], opening: Opening) -> int | None:
    """Where the lines end that are quoted by a sign at their beginning; None if the thread has no such signs."""
    at = opening.end
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at == len(lines) or not lines[at].startswith((">", "|")):
        return None
    sign = lines[at][0]
    while at < len(lines) and (
        lines[at].startswith(sign) or (not lines[at].strip() and lines[at + 1 : at + 2] and lines[at + 1][:1] == sign)
    ):
        at += 1
    return at


def _is_quoted(line: str, *, lenient: bool) -> bool:
    return line.startswith(">") if lenient else _SURELY_QUOTED.match(line) is not None
