"""What transport does to events: redelivers some, loses some, and brings them in any order."""

import random
from collections.abc import Iterable

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.sandbox.simulator.draws import stream
from flywheel_dagster.sandbox.simulator.world import World


def messy(events: Iterable[OutcomeEvent], world: World) -> list[OutcomeEvent]:
    """The events of a batch as they would arrive: shuffled across messages, some twice or thrice, some `delivered` never.

    Which ones is decided event by event, from the seed and the event's own id, so that another batch size spoils the same ones.
    """
    draw = stream(world.seed, b"mess")
    arriving: list[OutcomeEvent] = []
    for event in events:
        u = draw((event.source_event_id or event.event_key.hex).encode())
        if event.event_type is EventType.DELIVERED and u[0] < world.lost_deliveries:
            continue
        arriving.append(event)
        if u[1] < world.duplicates:
            arriving.append(event)
            if u[2] < 0.2:
                arriving.append(event)
    first = min((event.source_event_id or "" for event in arriving), default="")
    random.Random(f"{world.seed}:{first}").shuffle(arriving)  # noqa: S311
    return arriving
