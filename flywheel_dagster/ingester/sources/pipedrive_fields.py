"""What Pipedrive's objects say beside their state: the outcome's id in a custom field, the person and their address, times of an activity."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flywheel_dagster.ingester.received import Connection
from flywheel_dagster.ingester.sources.pipedrive_change import related_id
from flywheel_dagster.ingester.sources.reading import email, mapping, outcome_id, text

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?Z?", re.ASCII)


def field(now: Mapping[str, Any], key: str) -> Any:
    """A field by its name, or a custom one by its 40-digit key: among the others in v1, in `custom_fields` in v2, there as {type, value}."""
    custom = mapping(now.get("custom_fields"))
    found = custom[key] if key in custom else now.get(key)
    return found.get("value") if isinstance(found, dict) else found


def outcome_of(now: Mapping[str, Any], connection: Connection) -> UUID | None:
    """The outcome named in the field of the setting `outcome_field`, or in one that is called outcome_id."""
    keys = (text(connection.settings.get("outcome_field")), "outcome_id")
    return next((found for key in keys if key and (found := outcome_id(field(now, key)))), None)


def person_of(now: Mapping[str, Any]) -> str | None:
    """The id of the person that the object belongs to: their own field, else the only or primary participant."""
    people = [mapping(one) for one in _listed(now.get("participants"))]
    primary = [one for one in people if one.get("primary_flag") is True or one.get("primary") is True] or people
    alone = primary[0].get("person_id") if len(primary) == 1 else None
    return related_id(now.get("person_id")) or related_id(mapping(now.get("person")).get("id")) or related_id(alone)


def email_of(now: Mapping[str, Any], connection: Connection) -> str | None:
    """The person's address: in the field of the setting `email_field`, with the person, or of the one guest of an activity."""
    key = text(connection.settings.get("email_field"))
    guests = [mapping(one) for one in _listed(now.get("attendees")) if mapping(one).get("is_organizer") not in (True, 1)]
    return _first_email(
        (
            field(now, key) if key else None,
            _addresses(mapping(now.get("person"))),
            _addresses(mapping(now.get("person_id"))),
            guests[0].get("email_address") if len(guests) == 1 else None,
        )
    )


def own_email(person: Mapping[str, Any], connection: Connection) -> str | None:
    """A person's own address, the primary one first."""
    key = text(connection.settings.get("email_field"))
    return _first_email((field(person, key) if key else None, _addresses(person)))


def activity_time(now: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """When an activity begins and ends. Both fields are UTC; without an hour it begins with the day, and its end isn't known."""
    try:
        day = date.fromisoformat((text(now.get("due_date")) or "")[:10])
    except ValueError:
        return None, None
    if not 1990 <= day.year <= 2100:
        return None, None
    begins = datetime.combine(day, time(), UTC)
    clock, lasts = _clock(now.get("due_time")), _clock(now.get("duration"))
    if clock is None:
        return begins, None
    return begins + clock, begins + clock + lasts if lasts else None


def is_set(flag: object) -> bool:
    """A boolean, which v1 writes as a number too."""
    return flag is True or flag in (1, "1", "true")


def _clock(value: object) -> timedelta | None:
    found = _CLOCK.fullmatch(text(value) or "")
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0)) if found else None


def _addresses(person: Mapping[str, Any]) -> list[Any]:
    """`email` in v1, `emails` in v2: a list of {value, primary}, or a text."""
    found = person.get("emails") or person.get("email")
    entries = [mapping(one) for one in _listed(found)]
    primary = sorted(entries, key=lambda one: one.get("primary") is not True)
    return [found] if isinstance(found, str) else [one.get("value") for one in primary]


def _first_email(candidates: Iterable[Any]) -> str | None:
    flat = (one for candidate in candidates for one in (candidate if isinstance(candidate, list) else [candidate]))
    return next((found for one in flat if (found := email(one))), None)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
