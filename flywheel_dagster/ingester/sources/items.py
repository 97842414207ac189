"""The objects of a JSON body, each with the bytes to keep of it, and a hash of what one says. Nothing here knows a vendor."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources.reading import first_sign, read_items
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent


def objects(body: bytes) -> list[tuple[dict[str, Any] | None, bytes]]:
    """The objects of a list, or the one object, with the bytes to keep of each; None for what is none. Raises UnreadableError."""
    items = read_items(body)
    if items and not any(isinstance(item, dict) for item, _ in items):
        raise UnreadableError("the body is neither a JSON object nor a list of them")
    whole = first_sign(body) != b"["
    return [(item if isinstance(item, dict) else None, body if whole else raw) for item, raw in items]


def unreadable(raw: bytes, received: Received, connection: Connection, *, source: str) -> OutcomeEvent:
    """Something in a list that is no object: kept as it is."""
    return OutcomeEvent(
        event_type=EventType.NOTED,
        occurred_at=received.at,
        source=source,
        organization_id=connection.organization_id,
        facts={"kind": "unreadable"},
        identity=f"content:{hashlib.sha256(raw).hexdigest()}",
        raw=raw,
    )


def digest(item: Mapping[str, Any], raw: bytes) -> str:
    """A hash of what the object says, whatever the order of its fields; of its bytes where it can't be written again."""
    try:
        said = json.dumps(item, sort_keys=True).encode()
    except (RecursionError, ValueError):
        said = raw
    return hashlib.sha256(said).hexdigest()
