"""A change in Pipedrive as both versions of its webhooks tell it, in one shape.

v2 [pipedrive.readme.io/docs/guide-for-webhooks-v2]: {meta {action, entity, entity_id, id, timestamp}, data, previous}; `previous` has only
the fields that changed, a deletion has no `data`. v1 [pipedrive.readme.io/docs/guide-for-webhooks]: {meta {action, object, id, timestamp},
current, previous}; `previous` is the whole object.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from flywheel_dagster.ingester.sources.reading import any_time, identifier, mapping, object_id, text
from flywheel_dagster.outcomes.events import json_bytes


class Action(StrEnum):
    """What was done to the object."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    MERGED = "merged"
    OTHER = "other"


_ACTIONS = {
    "create": Action.CREATED,
    "added": Action.CREATED,
    "change": Action.CHANGED,
    "updated": Action.CHANGED,
    "delete": Action.DELETED,
    "deleted": Action.DELETED,
    "merged": Action.MERGED,
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One notification. `now` is the object as it is, or as it was when it was deleted; `before` what is known of it before the change.

    `name` is what the sender calls the event ("change.deal", "updated.deal"). `identity` is None where the notification has no marks of
    its own. `merged` and `into` are the ids of objects of this kind that became one.
    """

    name: str
    action: Action
    entity: str
    id: str | None
    company: str
    now: Mapping[str, Any]
    before: Mapping[str, Any]
    at: datetime | None
    event_id: str | None
    identity: str | None
    merged: str | None
    into: str | None

    def was(self, field: str) -> Any:
        """The field's value before this change, as far as it changed; None otherwise."""
        return self.before[field] if self.changed(field) else None

    def changed(self, field: str) -> bool:
        """Whether this change gave the field another value. False where nothing is known of before."""
        return field in self.before and _plain(self.before[field]) != _plain(self.now.get(field))


def change_of(body: Mapping[str, Any]) -> Change:
    """The notification; with empty parts where the body isn't quite one."""
    meta = mapping(body.get("meta"))
    second = "entity" in meta or "data" in body
    return _second(body, meta) if second else _first(body, meta)


def related_id(value: object) -> str | None:
    """An object's id. v1 writes a related object as {"value": id, …} in places."""
    return object_id(value.get("value") if isinstance(value, dict) else value)


def _second(body: Mapping[str, Any], meta: Mapping[str, Any]) -> Change:
    before = mapping(body.get("previous"))
    now = mapping(body.get("data")) or before
    action, entity = text(meta.get("action"), limit=50) or "", text(meta.get("entity"), limit=50) or ""
    own, event = related_id(meta.get("entity_id")) or related_id(now.get("id")), identifier(meta.get("id"))
    company = related_id(meta.get("company_id")) or ""
    into, merged = related_id(meta.get("merged_to_id")), related_id(meta.get("merged_from_id"))
    return Change(
        name=f"{action}.{entity}" if action and entity else "unknown",
        action=_ACTIONS.get(action, Action.OTHER),
        entity=entity,
        id=own,
        company=company,
        now=now,
        before=before,
        at=any_time(meta.get("timestamp")) or any_time(now.get("update_time")),
        event_id=event,
        identity=_said("v2", company, action, entity, own, event) if event else None,
        merged=own if into else merged,
        into=into or (own if merged else None),
    )


def _first(body: Mapping[str, Any], meta: Mapping[str, Any]) -> Change:
    before = _object(body.get("previous"))
    now = _object(body.get("current")) or before
    action, entity = text(meta.get("action"), limit=50) or "", text(meta.get("object"), limit=50) or ""
    own, company = related_id(meta.get("id")) or related_id(now.get("id")), related_id(meta.get("company_id")) or ""
    seconds, micro = identifier(meta.get("timestamp")), identifier(meta.get("timestamp_micro"))
    correlation = identifier(meta.get("correlation_id"))
    merged = related_id(now.get("merge_what_id")) or (related_id(before.get("id")) if before.get("id") != now.get("id") else None)
    merging = action == "merged" and merged is not None and merged != own
    return Change(
        name=f"{action}.{entity}" if action and entity else "unknown",
        action=_ACTIONS.get(action, Action.OTHER),
        entity=entity,
        id=own,
        company=company,
        now=now,
        before=before,
        at=_first_time(meta) or any_time(now.get("update_time")),
        event_id=None,
        identity=_said("v1", company, action, entity, own, seconds, micro, correlation)
        if seconds and (micro or correlation)
        else None,
        merged=merged if merging else None,
        into=own if merging else None,
    )


def _object(value: object) -> Mapping[str, Any]:
    """v1 sends a user in a list."""
    return mapping(value[0] if isinstance(value, list) and value else value)


def _first_time(meta: Mapping[str, Any]) -> datetime | None:
    """v1 gives the second, and beside it the same with microseconds, which keeps the order of what happens in one second."""
    micro = meta.get("timestamp_micro")
    found = any_time(meta.get("timestamp"))
    if found is not None and isinstance(micro, int) and not isinstance(micro, bool) and 0 <= micro < 10**17:
        exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
        return exact if abs(exact - found) < timedelta(seconds=1) else found
    return found


def _plain(value: object) -> object:
    """What can be compared: a list or an object is something, the same as any other."""
    return ... if isinstance(value, list | dict) else value


def _said(*parts: str | None) -> str:
    return json_bytes(parts).decode()
