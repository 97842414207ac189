"""Reads the values that senders write in many ways: JSON, times, numbers, addresses. Nothing here knows a vendor."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import msgspec

from flywheel_dagster.ingester.received import UnreadableError

ID_LIMIT = 500
OBJECT_ID_LIMIT = 100
TEXT_LIMIT = 2_000
LARGEST_MONEY = Decimal(10) ** 12 - 1
FINEST_MONEY = -1_000  # PostgreSQL reads no numeric with thousands of decimals
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_BOM = b"\xef\xbb\xbf"
# An escape in a JSON string; the group is half of a surrogate pair, which is JSON (RFC 8259, 8.2), but no character.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_PLAIN_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+")


def first_sign(body: bytes) -> bytes:
    """The first byte after a byte-order mark and blanks; b"" where there is none."""
    return body.lstrip(_BOM + b" \t\r\n")[:1]


def read_json(body: bytes) -> Any:
    """The JSON value; a byte-order mark is skipped and broken UTF-8 replaced. Raises UnreadableError."""
    return _decode(body, Any)


def read_list(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """A JSON array of objects (or one object alone): each with the bytes of a list that holds it alone. Raises UnreadableError."""
    pairs = read_items(body)
    if not all(isinstance(value, dict) for value, _ in pairs):
        raise UnreadableError("the body is not a list of JSON objects")
    return pairs


def read_items(body: bytes) -> list[tuple[Any, bytes]]:
    """A JSON array of anything (or one object alone): each item with the bytes of a list that holds it alone, as they came.

    An item that can't be decoded (a number out of range, say) is None, and the others are there. Raises UnreadableError.
    """
    if first_sign(body) != b"[":
        value = read_json(body)
        if not isinstance(value, dict):
            raise UnreadableError("the body is neither a list nor an object")
        return [(value, b"[%b]" % body.removeprefix(_BOM).strip())]
    items = _decode(body, list[msgspec.Raw])
    alone = [b"[%b]" % bytes(item) for item in items]
    try:
        values = msgspec.json.decode(b"[%b]" % b",".join(items))  # all at once: a call for each takes twice as long
    except (msgspec.DecodeError, ValueError, RecursionError):
        values = [_item_or_none(item) for item in alone]
    return list(zip(values, alone, strict=True))


def _item_or_none(alone: bytes) -> Any:
    try:
        return read_json(alone)[0]
    except UnreadableError:
        return None


def _decode(body: bytes, kind: Any) -> Any:
    content = body.removeprefix(_BOM)
    try:
        return msgspec.json.decode(content, type=kind)
    except RecursionError:
        raise UnreadableError("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        return _decode(content.decode("utf-8", "replace").encode(), kind)
    except msgspec.DecodeError as error:
        if "utf-8" in str(error).lower():
            return _decode(content.decode("utf-8", "replace").encode(), kind)
        mended = _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], content)
        if mended != content:
            return _decode(mended, kind)
        raise UnreadableError("the body is not JSON") from None


def text(value: object, *, limit: int = TEXT_LIMIT) -> str | None:
    """A string or number as text of at most `limit` characters; None for nothing, an empty string, or something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:limit] or None


def identifier(value: object) -> str | None:
    """An id as text; None for nothing and for what is too long to be one."""
    found = value.strip() if isinstance(value, str) else text(value, limit=ID_LIMIT + 1)
    return found if found and len(found) <= ID_LIMIT else None


def object_id(value: object) -> str | None:
    """The id of a CRM's object: a whole number beyond 2^31, sent as number or text; None for nothing and for what is too long to be one."""
    found = identifier(value)
    return None if found is None or len(found) > OBJECT_ID_LIMIT else found


def outcome_id(value: object) -> UUID | None:
    """A UUID in any of its spellings; None for whatever is none, such as a placeholder."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip())
    except ValueError:
        return None


def email(value: object) -> str | None:
    """The address in lower case, out of "Ada <ada@example.com>" too; None for whatever is none."""
    if not isinstance(value, str) or len(value) > ID_LIMIT:
        return None
    if _PLAIN_EMAIL.fullmatch(value):
        return value.lower()  # what parseaddr would say, in a tenth of the time
    try:
        _, address = parseaddr(value)
    except RecursionError:  # one comment in another, many times
        return None
    return address.lower() if "@" in address else None


def money(value: object) -> str | None:
    """An amount of at least 0 as a decimal string; None when unknown or impossible."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= LARGEST_MONEY or amount.as_tuple().exponent < FINEST_MONEY:  # type: ignore[operator]
        return None
    return str(amount)


def currency(value: object) -> str | None:
    """A currency code of three capitals, or None."""
    found = text(value, limit=4)
    return found.upper() if found and len(found) == 3 and found.isascii() and found.isalpha() else None


def unix_time(value: object) -> datetime | None:
    """Seconds since 1970, as number or string, or milliseconds where the number is above 1e11; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(value: object) -> datetime | None:
    """ISO 8601; without a zone it is UTC. None for whatever is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def any_time(value: object) -> datetime | None:
    """Unix seconds, milliseconds or ISO 8601; None for whatever is none."""
    return unix_time(value) or iso_time(value)


def possible_time(found: datetime | None, at: datetime) -> datetime:
    """The time if it is one: not before 2000, nor more than a day after the arrival; else the arrival."""
    return found if found is not None and EARLIEST <= found <= at + timedelta(days=1) else at


def listed(value: object, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A setting of several words, as a list or as one text with commas; the default where there are none."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    return tuple(word for part in parts if (word := identifier(part))) or default


def given(**facts: Any) -> dict[str, Any]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}
