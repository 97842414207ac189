"""Separates a message's own text from the thread quoted beneath it and from its signature block."""

import re

from flywheel_dagster.replies.closing_words import REGARDS, is_ordinary
from flywheel_dagster.replies.quoted_thread import LIMIT, cut_quoted_thread
from flywheel_dagster.replies.signatures import cut_signature

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_SIGNS_OF_THREAD = ("\n>", "\n >", "--", "__", "==", "**", "##", "：", ":\n", ":\r", ": \n", ">\n", ">\r", "寫道", "写道")
_SIGNS_OF_INTRODUCTION = ("wrote", "schrieb", "écrit", "escribió", "escreveu")
_LONGEST_HEADER = 34  # characters with its colon
# The usual end, "Best,\nSam", beneath a sentence.
_USUAL_END = re.compile(r"[.!?)]\n\n([^\W\d_][^\W\d_ ]{1,12}(?: [^\W\d_]{2,12}){0,2}),?\n([^\W\d_]{2,20}(?: [^\W\d_]{2,20})?)\s*\Z")
_LONGEST_END = 100  # characters


def message_text_only(body: str) -> str:
    """The message without quoted thread and signature block; as it was, byte for byte, where it has none or would be empty without.

    Where something goes, the lines that stay are as they were, without blanks at the end. The time is linear in the text's length.
    """
    if not _may_have_thread(body):
        tail = max(0, len(body) - _LONGEST_END)
        end = _USUAL_END.search(body, tail)
        if end and REGARDS.fullmatch(end[1]) and end[2].istitle() and not is_ordinary(end[2]):
            return body[: end.start() + 1]
    return _cut(body)


def _may_have_thread(body: str) -> bool:
    """Whether there is a quoted line, a ruled title, what ends like an introduction, or two lines like headers: a cheap, generous look."""
    if body.startswith(">") or body.endswith((":", ">")) or any(sign in body for sign in _SIGNS_OF_THREAD):
        return True
    lower = body.lower()
    return any(sign in lower for sign in _SIGNS_OF_INTRODUCTION) or (
        lower.count(":") > 1 and sum(":" in line[:_LONGEST_HEADER] for line in lower.split("\n")) > 1
    )


def _cut(body: str) -> str:
    whole = body.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    written = _without_thread(whole)
    text = cut_signature(written).text or written
    return body if not text or text == whole.strip() else _lines_of(body, text)


def _without_thread(whole: str) -> str:
    """The text without the thread that begins in the first LIMIT characters; what follows them stays if no thread reaches to it."""
    if len(whole) <= LIMIT:
        return cut_quoted_thread(whole)
    head = whole[:LIMIT]
    written = cut_quoted_thread(head)
    if written == head.strip():
        return whole
    return written + whole[LIMIT:] if head.rstrip().endswith(written[-200:]) else written


def _lines_of(body: str, text: str) -> str:
    """Those lines of the body that the text consists of, in their order."""
    wanted = iter(text.split("\n"))
    line = next(wanted, None)
    kept: list[str] = []
    for found in _LINE.finditer(body):
        if line is not None and found[1].replace("\xa0", " ").strip() == line.strip():
            kept.append(found[0])
            line = next(wanted, None)
    return "".join(kept).rstrip()
