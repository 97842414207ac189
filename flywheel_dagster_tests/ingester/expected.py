"""What is expected of a sample: the HTTP status, and what its events say. The tables, one a vendor, are the `expected_*.py` beside this."""

from collections.abc import Iterable
from typing import NamedTuple

from flywheel_dagster.outcomes.events import OutcomeEvent


class Expected(NamedTuple):
    """The answer to a sample (200 taken, 400 not the format, 401 not genuine) and its events in order.

    An event is its type followed by what is telling, each as "name=value": a fact of that name, else a field of the event;
    "name=" says that there is none.
    """

    status: int
    events: tuple[tuple[str, ...], ...] = ()


def told(events: Iterable[OutcomeEvent], expected: Expected) -> tuple[tuple[str, ...], ...]:
    """What the events say of what `expected` asks; equal to `expected.events` when all is as it should be."""
    found = list(events)
    asked = [*expected.events, *[()] * len(found)]
    return tuple(
        (event.event_type.value, *(_said(event, each) for each in wanted[1:])) for event, wanted in zip(found, asked, strict=False)
    )


def _said(event: OutcomeEvent, wanted: str) -> str:
    name = wanted.partition("=")[0]
    value = event.facts[name] if name in event.facts else getattr(event, name, None)
    if isinstance(value, tuple | list):
        value = " ".join(map(str, value))
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    return f"{name}={'' if value is None else value}"
