"""What transport does to events."""

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.sandbox.simulator.history import history
from flywheel_dagster.sandbox.simulator.mess import messy
from flywheel_dagster.sandbox.simulator.world import World, demo_world

ANCHOR = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> list[OutcomeEvent]:
    return [event for each in history(demo_world(), ANCHOR) for event in each.events]


def world(**changes: float) -> World:
    return msgspec.structs.replace(demo_world(), **changes)


def test_without_duplicates_and_losses_it_is_a_permutation(events: list[OutcomeEvent]) -> None:
    arriving = messy(events, world(duplicates=0, lost_deliveries=0))
    assert arriving != events
    assert sorted(map(id, arriving)) == sorted(map(id, events))


def test_duplicates_are_exact_redeliveries(events: list[OutcomeEvent]) -> None:
    arriving = Counter(event.event_key for event in messy(events, world(duplicates=0.2, lost_deliveries=0)))
    assert arriving.keys() == {event.event_key for event in events}
    assert 0.15 < sum(count > 1 for count in arriving.values()) / len(events) < 0.25
    assert max(arriving.values()) == 3


def test_only_deliveries_get_lost(events: list[OutcomeEvent]) -> None:
    kept = {event.event_key for event in messy(events, world(lost_deliveries=0.5))}
    lost = [event for event in events if event.event_key not in kept]
    assert {event.event_type for event in lost} == {EventType.DELIVERED}
    assert 0.4 < len(lost) / sum(event.event_type is EventType.DELIVERED for event in events) < 0.6


def test_the_same_events_are_spoilt_whatever_the_batches(events: list[OutcomeEvent]) -> None:
    whole = messy(events, demo_world())
    parts = [event for start in range(0, len(events), 97) for event in messy(events[start : start + 97], demo_world())]
    assert whole != parts
    assert Counter(event.event_key for event in whole) == Counter(event.event_key for event in parts)
    assert whole == messy(events, demo_world())


def test_no_events_stay_no_events() -> None:
    assert messy([], demo_world()) == []
