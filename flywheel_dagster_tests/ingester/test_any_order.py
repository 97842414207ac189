"""All vendors at once: any order of their webhooks, any repetition and any grouping give the same outcomes."""

import random
from datetime import UTC, datetime

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.connections import from_environment
from flywheel_dagster.ingester.doors import DOORS
from flywheel_dagster.ingester.received import Received
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import rebuild, record, send
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.ingester.deliveries import ENVIRONMENT, make_sent, others, sendgrid, sendgrid_events
from flywheel_dagster_tests.outcomes.making import facts_of, message
from flywheel_dagster_tests.thoroughness import examples

SENT = make_sent(6)
AT = datetime(2026, 6, 1, tzinfo=UTC)


def all_events() -> list[OutcomeEvent]:
    """What every vendor's adapter makes of what it says of six messages."""
    chance = random.Random(6)
    through = {one.provider: one for one in from_environment(Settings(**ENVIRONMENT))}
    deliveries = [delivery for number, sent in enumerate(SENT) for delivery in others(sent, number, chance)]
    deliveries += [sendgrid(sendgrid_events(sent, chance)) for sent in SENT]
    return [
        event
        for delivery in deliveries
        for event in DOORS[delivery.provider].read(
            Received(target=delivery.path, body=delivery.body, headers={"content-type": delivery.content_type}, at=AT),
            through[delivery.provider],
        )
    ]


EVENTS = all_events()
MESSAGES = [message(id=sent.outcome, lead_id=sent.email, lead_email=sent.email, sent_at=sent.at) for sent in SENT]


@settings(max_examples=examples(25, quick=8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_outcomes(connection: psycopg.Connection[TupleRow], chance: random.Random) -> None:
    def play(events: list[OutcomeEvent], late: int, size: int) -> list[dict[str, object]]:
        with connection.transaction(force_rollback=True):
            send(connection, MESSAGES[late:])
            for place in range(0, len(events), size):
                record(connection, events[place : place + size])
                if place <= len(events) // 2 < place + size:
                    send(connection, MESSAGES[:late])
            rows = [facts_of(connection, sent.outcome) for sent in SENT]
            assert sum(changed for _, changed in rebuild(connection)) == 0
            return rows

    calm = play(EVENTS, 0, len(EVENTS))
    assert sum(bool(row["deal_closed"]) for row in calm) == 4
    assert [row["replied"] for row in calm] == [True, False, False, False, False, False]
    assert sum(bool(row["meeting_booked"]) for row in calm) == 1
    shuffled = [*EVENTS, *chance.choices(EVENTS, k=len(EVENTS))]
    chance.shuffle(shuffled)
    assert play(shuffled, chance.randrange(4), chance.randrange(1, 20)) == calm
