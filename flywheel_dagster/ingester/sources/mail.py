"""Reads a mail (RFC 5322): the ids in its headers, when it was written, and what it says."""

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from flywheel_dagster.ingester.sources.mime_parts import divide, parameter, rebuilt, split
from flywheel_dagster.replies.html_text import html_text

TEXT_BYTES = 400_000
_DEPTH = 10
_LONGEST_HEADER = 20_000
_LONGEST_ID = 490
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_BRACKETED = re.compile(r"<([^<>\s]+)>")
# Codecs that no mail is in, and that take quadratic time, warn or refuse.
_NO_CHARSETS = frozenset(("punycode", "idna", "undefined", "unicode_escape", "raw-unicode-escape", "unicode-escape"))


def message_ids(header: str) -> list[str]:
    """The ids of a Message-ID, In-Reply-To or References header in their order, without brackets."""
    header = header[-_LONGEST_HEADER:]
    found = _BRACKETED.findall(header) or [word for word in header.replace("<", " ").replace(">", " ").split() if "@" in word]
    return [each for each in found if len(each) <= _LONGEST_ID]


def written_at(headers: Mapping[str, str]) -> datetime | None:
    """The Date header, UTC."""
    try:
        found = parsedate_to_datetime(headers.get("date", "")[:100])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def text_of(message: bytes) -> str:
    """What the mail says: its plain text, else its HTML as text. Attachments aside."""
    whole = divide(message, 0, len(message))
    texts = list(_texts(whole.headers, message[whole.start : whole.end], _DEPTH))
    plain = "\n".join(text for kind, text in texts if kind == "text/plain")
    return plain if plain.strip() else "\n".join(html_text(text) for kind, text in texts if kind == "text/html")


def without_attachments(message: bytes) -> bytes:
    """The mail with nothing in its attachments, byte for byte the same elsewhere."""
    whole = divide(message, 0, len(message))
    return message[: whole.start] + _lean(whole.headers, message[whole.start : whole.end], _DEPTH)


def decoded(content: bytes, charset: str | None) -> str:
    """The characters, in the charset that the sender names; in UTF-8, else Windows-1252, where it names none that is known."""
    beginning = content[:TEXT_BYTES]
    try:
        codec = codecs.lookup((charset or "").strip()[:40]).name
        if codec not in _NO_CHARSETS:
            return beginning.decode(codec, "replace")
    except (LookupError, ValueError):
        pass
    try:
        return beginning.decode()
    except UnicodeDecodeError as error:
        cut = len(content) > TEXT_BYTES and error.start > TEXT_BYTES - 4  # in the middle of a character
        return beginning.decode("utf-8" if cut else "cp1252", "replace")


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "text/plain").partition(";")[0].strip().lower() or "text/plain"


def _is_attachment(headers: Mapping[str, str]) -> bool:
    disposition = headers.get("content-disposition", "")
    if disposition.lower().startswith("attachment") or parameter(disposition, "filename") is not None:
        return True
    return not _kind(headers).startswith(("text/", "multipart/"))


def _texts(headers: Mapping[str, str], content: bytes, depth: int) -> Iterator[tuple[str, str]]:
    kind = _kind(headers)
    if _is_attachment(headers) or depth == 0:
        return
    if kind.startswith("multipart/"):
        found = split(content, _boundary(headers))
        for part in found.parts if found else ():
            yield from _texts(part.headers, content[part.start : part.end], depth - 1)
    elif kind in ("text/plain", "text/html"):
        yield kind, decoded(_transferred(headers, content), parameter(headers.get("content-type", ""), "charset"))


def _lean(headers: Mapping[str, str], content: bytes, depth: int) -> bytes:
    if _is_attachment(headers) or depth == 0:
        return b""
    found = split(content, _boundary(headers)) if _kind(headers).startswith("multipart/") else None
    if found is None:
        return content
    return rebuilt(content, found.parts, [_lean(part.headers, content[part.start : part.end], depth - 1) for part in found.parts])


def _boundary(headers: Mapping[str, str]) -> bytes:
    return (parameter(headers.get("content-type", ""), "boundary") or "").encode("utf-8", "replace")


def _transferred(headers: Mapping[str, str], content: bytes) -> bytes:
    """The content as it was before its transfer encoding (RFC 2045)."""
    match headers.get("content-transfer-encoding", "").lower():
        case "base64":
            digits = _NOT_BASE64.sub(b"", content[: 2 * TEXT_BYTES])
            return binascii.a2b_base64(digits[: len(digits) // 4 * 4 + (len(digits) % 4 if len(digits) % 4 > 1 else 0)] + b"==")
        case "quoted-printable":
            return binascii.a2b_qp(content[: 4 * TEXT_BYTES])
    return content
