"""Working time, in which messages are sent and meetings held: it runs from 8 to 18 UTC, Monday to Friday, and stands still otherwise."""

from datetime import UTC, datetime, timedelta

_MONDAY = datetime(2001, 1, 1, tzinfo=UTC)
_DAY, _WEEK = 36_000, 180_000
_SLOT = 1_800


def working_seconds(time: datetime) -> int:
    """Seconds of working time from the first Monday of 2001 until `time` (aware)."""
    days, seconds = divmod(int((time - _MONDAY).total_seconds()), 86_400)
    weeks, weekday = divmod(days, 7)
    today = min(max(seconds - 8 * 3_600, 0), _DAY) if weekday < 5 else 0
    return weeks * _WEEK + min(weekday * _DAY + today, _WEEK)


def working_time(seconds: int) -> datetime:
    """The moment with so many seconds of working time before it; the end of a day is the beginning of the next."""
    weeks, rest = divmod(seconds, _WEEK)
    weekday, today = divmod(rest, _DAY)
    return _MONDAY + timedelta(days=7 * weeks + weekday, seconds=8 * 3_600 + today)


def next_slot(time: datetime) -> datetime:
    """The first half hour of working time that begins at `time` or later."""
    return working_time(-(-working_seconds(time) // _SLOT) * _SLOT)
