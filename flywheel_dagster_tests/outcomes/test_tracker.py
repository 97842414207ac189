"""OutcomeTracker, as an agent uses it."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, row_of

Connection = psycopg.Connection[TupleRow]

NESTED = {
    "PersonalizerAgent": {"framework": "PAS", "tone": "professional"},
    "CopywriterAgent": {"subject": "Transform your sales", "hooks": ["curiosity"]},
}


async def _send(tracker: OutcomeTracker, **more: Any) -> UUID:
    return await tracker.track_message_sent(
        organization_id="acme",
        campaign_id="spring",
        lead_id="ada",
        channel="email",
        message_body="Hi {{first_name}}",
        agent_decisions=NESTED,
        lead_context={"industry": "SaaS", "role": "VP Sales", "company_size": 120, "icp_score": 0.85},
        **more,
    )


def test_the_whole_life_of_a_message(database: Database, connection: Connection) -> None:
    async def live() -> UUID:
        async with OutcomeTracker(database.addresses.service) as tracker:
            outcome = await _send(tracker, sent_at=MONDAY)
            await tracker.track_delivery(outcome, occurred_at=MONDAY)
            await tracker.track_opened(str(outcome))
            await tracker.track_clicked(outcome, url="https://example.com")
            await tracker.track_reply(outcome, "Interested!", sentiment_score=0.8, interest_signal=True, interest_level="high")
            await tracker.track_meeting_booked(outcome, meeting_time=MONDAY + timedelta(days=9))
            await tracker.track_meeting_completed(outcome)
            await tracker.track_deal_closed(outcome, deal_value=15000, currency="USD", closed_at=MONDAY + timedelta(days=30))
            return outcome

    row = row_of(connection, asyncio.run(live()))
    assert (row["framework"], row["tone"], row["subject_line"]) == ("PAS", "professional", "Transform your sales")
    assert (row["lead_industry"], row["lead_role"], row["company_size"], row["icp_score"]) == ("SaaS", "VP Sales", "120", 0.85)
    assert (row["sentiment_label"], row["classification_method"]) == ("positive", "provided")
    assert (row["deal_value"], row["deal_currency"], row["time_to_close_days"]) == (Decimal("15000.00"), "USD", 30.0)
    assert (row["training_label"], row["training_weight"], row["quality_score"]) == ("positive_example", 10, 1.0)


def test_flat_decisions_fill_the_same_columns(database: Database, connection: Connection) -> None:
    async def live() -> UUID:
        async with OutcomeTracker(database.addresses.service) as tracker:
            return await tracker.track_message_sent(
                "acme",
                "c",
                "l",
                "email",
                "Hello",
                {"framework": "PAS", "tone": "consultative", "personalization_score": 0.85},
                "A subject",
            )

    row = row_of(connection, asyncio.run(live()))
    assert (row["framework"], row["tone"], row["subject_line"]) == ("PAS", "consultative", "A subject")


def test_a_bounce_and_a_lost_deal_and_a_no_show_are_told_by_their_flags(database: Database, connection: Connection) -> None:
    async def live() -> tuple[UUID, UUID]:
        async with OutcomeTracker(database.addresses.service) as tracker:
            bounced, lost = await _send(tracker), await _send(tracker)
            await tracker.track_delivery(bounced, delivered=False, bounce_reason="550 unknown user")
            await tracker.track_meeting_booked(lost, occurred_at=MONDAY)
            await tracker.track_meeting_completed(lost, completed=False)
            await tracker.track_deal_closed(lost, won=False)
            await tracker.track_unsubscribed(lost)
            await tracker.track_spam_reported(lost)
            return bounced, lost

    first, second = asyncio.run(live())
    bounced, lost = row_of(connection, first), row_of(connection, second)
    assert (bounced["bounced"], bounced["bounce_reason"], bounced["delivered"]) == (True, "550 unknown user", False)
    assert (lost["meeting_no_show"], lost["meeting_completed"], lost["deal_lost"], lost["unsubscribed"], lost["spam_reported"]) == (
        True,
        False,
        True,
        True,
        True,
    )


def test_a_call_with_an_event_id_can_be_repeated(database: Database, connection: Connection) -> None:
    async def live() -> UUID:
        async with OutcomeTracker(database.addresses.service) as tracker:
            outcome = await _send(tracker)
            for _ in range(3):
                await tracker.track_opened(outcome, event_id="open-1")  # now, which is another time
            return outcome

    assert row_of(connection, asyncio.run(live()))["open_count"] == 1


def test_training_ready_outcomes_are_the_organizations_own_best_first(database: Database) -> None:
    async def live() -> list[dict[str, Any]]:
        async with OutcomeTracker(database.addresses.service) as tracker:
            dull, good = await _send(tracker), await _send(tracker)
            other = await tracker.track_message_sent("rival", "c", "l", "email", "Hello")
            await tracker.track_delivery(dull)
            await tracker.track_deal_closed(good, 100)
            await tracker.track_deal_closed(other, 100)
            return await tracker.get_training_ready_outcomes("acme", min_quality_score=0.05)

    found = asyncio.run(live())
    assert [row["organization_id"] for row in found] == ["acme", "acme"]
    assert found[0]["deal_closed"] is True
    assert found[0]["quality_score"] > found[1]["quality_score"]


def test_many_calls_at_once_share_the_pool(database: Database, connection: Connection) -> None:
    async def live() -> UUID:
        async with OutcomeTracker(database.addresses.service, pool_size=3) as tracker:
            outcome = await _send(tracker)
            await asyncio.gather(*(tracker.track_clicked(outcome, event_id=str(number)) for number in range(30)))
            return outcome

    assert row_of(connection, asyncio.run(live()))["click_count"] == 30
