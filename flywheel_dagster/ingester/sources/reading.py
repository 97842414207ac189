"""Reads the values that senders write in many ways: JSON, times, numbers, addresses. Nothing here knows a vendor."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from typing import Any
from uuid import UUID

import msgspec

from flywheel_dagster.ingester.received import UnreadableError

ID_LIMIT = 500
TEXT_LIMIT = 2_000
LARGEST_MONEY = Decimal(10) ** 12 - 1


def read_json(body: bytes) -> Any:
    """The JSON value; a byte-order mark is skipped and broken UTF-8 replaced. Raises UnreadableError."""
    return _decode(body, Any)


def read_list(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """A JSON array of objects (or one object alone): each with the bytes of a list that holds it alone. Raises UnreadableError."""
    items = _decode(body, list[msgspec.Raw]) if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[" else [msgspec.Raw(body)]
    pairs = [(read_json(bytes(item)), b"[" + bytes(item) + b"]") for item in items]
    if not all(isinstance(value, dict) for value, _ in pairs):
        raise UnreadableError("the body is not a list of JSON objects")
    return pairs


def _decode(body: bytes, kind: Any) -> Any:
    content = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(content, type=kind)
    except RecursionError:
        raise UnreadableError("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        return _decode(content.decode("utf-8", "replace").encode(), kind)
    except msgspec.DecodeError as error:
        if "utf-8" in str(error).lower():
            return _decode(content.decode("utf-8", "replace").encode(), kind)
        raise UnreadableError("the body is not JSON") from None


def text(value: object, *, limit: int = TEXT_LIMIT) -> str | None:
    """A string or number as text of at most `limit` characters; None for nothing, an empty string, or something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:limit] or None


def identifier(value: object) -> str | None:
    """An id as text; None for nothing and for what is too long to be one."""
    found = text(value, limit=ID_LIMIT + 1)
    return None if found is None or len(found) > ID_LIMIT else found


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
    _, address = parseaddr(value)
    return address.lower() if "@" in address else None


def money(value: object) -> str | None:
    """An amount of at least 0 as a decimal string; None when unknown or impossible."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return str(amount) if amount.is_finite() and 0 <= amount <= LARGEST_MONEY else None


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


def given(**facts: Any) -> dict[str, Any]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}
