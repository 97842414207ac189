"""What tables say of leads, from text: outcomes in many words, and times. Features are read in `fields.py`."""

from datetime import UTC, datetime, timedelta

_CONVERTED = frozenset(
    ("true", "t", "1", "1.0", "yes", "y", "won", "win", "converted", "closed won", "closed-won", "closedwon", "success", "customer")
)
_LOST = frozenset(
    ("false", "f", "0", "0.0", "no", "n", "lost", "loss", "lose", "not converted", "unconverted", "closed lost", "closed-lost", "closedlost", "failure")
)  # fmt: skip
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def read_outcome(text: str) -> bool | None:
    """Converted or lost, in any case; None where the text is blank. Raises ValueError for any other word."""
    said = " ".join(text.casefold().split())
    if not said:
        return None
    if said in _CONVERTED or said in _LOST:
        return said in _CONVERTED
    raise ValueError(
        f"{text.strip()[:40]!r} is no outcome; true, yes, won, converted or 1 say that the lead converted, false, no, lost or 0 that it didn't"
    )


def read_time(text: str, *, now: datetime) -> datetime | None:
    """An ISO 8601 time (without a zone in UTC), or a day, which is its last moment; None where the text is blank.

    Raises ValueError for what can't be read, and what isn't between the year 2000 and now.
    """
    given = text.strip()
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given[:40]!r} is no time; write it as 2026-03-01 or 2026-03-01T14:05:00+01:00") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if ":" not in given and "T" not in given:
        at = min(at + timedelta(days=1, microseconds=-1), max(at, now))
    if not _EARLIEST <= at <= now + timedelta(days=1):
        raise ValueError(f"{given[:40]} isn't between the year 2000 and now")
    return at
