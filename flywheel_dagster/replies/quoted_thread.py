"""Separates what somebody wrote from the thread that their mail program quoted beneath it."""

import re

import quotequail

LIMIT = 100_000  # characters; beyond is no answer but a document
_LINES = 400
_LONGEST_INTRODUCTION = 200
_MOST_ADDRESSES = 4

# A line that is put aside while the thread is looked for: its number between two characters of the private use area.
_ASIDE = re.compile(">?\ue000(\\d+)\ue001")
_QUOTED = re.compile(r">+( |>|$)")


def cut_quoted_thread(text: str) -> str:
    """The text without the quoted thread, its introduction ("On … wrote:") included; the whole text where nothing else is left.

    Only the first LIMIT characters are read. The time is linear in the text: the patterns of quotequail, some of which are not, only ever
    see the first 400 lines, and of these only lines that could introduce a thread.
    """
    whole = text[:LIMIT].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ").replace("\ue000", "").replace("\ue001", "")
    lines = whole.split("\n")
    head = [_put_aside(number, line) if _is_prose(line) else line for number, line in enumerate(lines[:_LINES])]
    found = quotequail.unwrap("\n".join(head))
    if found is None:
        return _own_words(whole) or whole.strip()
    kept = "\n\n".join(found[part] for part in ("text_top", "text_bottom") if part in found)
    return _own_words(_ASIDE.sub(lambda aside: lines[int(aside[1])], kept)) or whole.strip()


def _is_prose(line: str) -> bool:
    """Too long to introduce a thread, or with more addresses than one sender has."""
    return len(line) > _LONGEST_INTRODUCTION or line.count("<") > _MOST_ADDRESSES or line.count("@") > _MOST_ADDRESSES


def _put_aside(number: int, line: str) -> str:
    return f"{'>' if line.startswith('>') else ''}\ue000{number}\ue001"


def _own_words(text: str) -> str:
    """Without the lines that are quoted between answers."""
    return "\n".join(line for line in text.split("\n") if not _QUOTED.match(line)).strip()
