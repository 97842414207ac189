"""Separates a message's own text from the thread quoted beneath it and from its signature block."""

import re

from flywheel_dagster.replies.quoted_thread import LIMIT, cut_quoted_thread
from flywheel_dagster.replies.signatures import cut_signature

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


def message_text_only(body: str) -> str:
    """The message without quoted thread and signature block; as it was, byte for byte, where it has none or would be empty without.

    Where something goes, the lines that stay are as they were, without blanks at the end. The time is linear in the text's length.
    """
    whole = _plain(body)
    written = _without_thread(whole)
    text = cut_signature(written).text or written
    return body if not text or text == whole.strip() else _lines_of(body, text)


def _without_thread(whole: str) -> str:
    """The text without the thread that begins in the first LIMIT characters; what follows them stays if no thread reaches to it."""
    head = whole[:LIMIT]
    written = cut_quoted_thread(head)
    reaches = written.rstrip()[-1:] != head.rstrip()[-1:] or not head.rstrip().endswith(written[-200:].rstrip())
    return written if reaches or len(whole) <= LIMIT else whole if written == head.strip() else written + whole[LIMIT:]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")


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
