"""The fold of the ledger: the same row for any order and any repetition, and for a rebuild."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import rebuild, record, send
from flywheel_dagster_tests.outcomes.making import MONDAY, event, facts_of, message, row_of
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "machine": st.booleans(),
    "reason": st.sampled_from(["550 unknown", "mailbox full"]),
    "text": st.sampled_from(["yes", "no", "later"]),
    "method": st.sampled_from(["human", "llm", "rules", "provided"]),
    "version": st.sampled_from(["v1", "v2", "v10"]),
    "score": st.sampled_from([-0.9, 0.0, 0.9]),
    "label": st.sampled_from(["positive", "neutral", "negative"]),
    "interest_signal": st.booleans(),
    "objection_type": st.sampled_from(["price", "none"]),
    "meeting_id": st.sampled_from(["m1", "m2"]),
    "deal_id": st.sampled_from(["d1", "d2"]),
    "value": st.sampled_from(["100", "50000.50"]),
    "currency": st.sampled_from(["USD", "EUR"]),
}
_FACTS: dict[str, tuple[str, ...]] = {
    "opened": ("machine",),
    "bounced": ("reason",),
    "replied": ("text",),
    "reply_classified": ("method", "version", "score", "label", "interest_signal", "objection_type"),
    "meeting_booked": ("meeting_id",),
    "meeting_cancelled": ("meeting_id",),
    "meeting_completed": ("meeting_id",),
    "meeting_no_show": ("meeting_id",),
    "deal_opened": ("deal_id", "value"),
    "deal_updated": ("deal_id", "value"),
    "deal_closed": ("deal_id", "value", "currency"),
    "deal_lost": ("deal_id",),
}


@st.composite
def facts(draw: st.DrawFn) -> tuple[EventType, int, dict[str, Any]]:
    kind = draw(st.sampled_from(list(EventType)))
    hours = draw(st.integers(1, 8))  # few, so that ties are common
    if kind is EventType.SNAPSHOT:
        flags = draw(
            st.sets(st.sampled_from(["delivered", "opened", "clicked", "replied", "meeting_completed", "deal_closed", "bounced"]))
        )
        return kind, hours, dict.fromkeys(flags, True) | ({"open_count": draw(st.integers(0, 3))} if "opened" in flags else {})
    return kind, hours, {name: draw(_VALUES[name]) for name in _FACTS.get(kind, ()) if draw(st.booleans())}


@settings(max_examples=examples(40, quick=15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(facts(), min_size=1, max_size=10), seed=st.randoms(use_true_random=False))
def test_any_permutation_with_any_duplicates_in_any_batches_gives_the_same_row(
    connection: Connection, story: list[tuple[EventType, int, dict[str, Any]]], seed: random.Random
) -> None:
    sent = message()
    events = [
        OutcomeEvent(
            event_type=kind,
            occurred_at=MONDAY + timedelta(hours=hours),
            source="test",
            outcome_id=sent.id,
            source_event_id=str(number),
            facts=said,
        )
        for number, (kind, hours, said) in enumerate(story)
    ]
    send(connection, [sent])
    record(connection, events)
    expected = facts_of(connection, sent.id)
    connection.rollback()

    spoilt = events + seed.choices(events, k=seed.randint(0, 6))
    seed.shuffle(spoilt)
    cuts = sorted(seed.randint(0, len(spoilt)) for _ in range(2))
    batches = [spoilt[: cuts[0]], spoilt[cuts[0] : cuts[1]], spoilt[cuts[1] :]]
    sent_before = seed.randint(0, 2)
    for number, batch in enumerate(batches):
        if number == sent_before:
            send(connection, [sent])
        record(connection, batch)
    assert facts_of(connection, sent.id) == expected
    connection.commit()
    assert sum(changed for _, changed in rebuild(connection)) == 0


def test_a_rebuild_restores_what_was_damaged_and_leaves_rows_without_events_alone(connection: Connection) -> None:
    told, silent = message(), message(lead_id="bob")
    send(connection, [told, silent])
    record(connection, [event(told.id, "deal_closed", value="100", currency="USD")])
    before = facts_of(connection, told.id)
    connection.execute("update outcome_labels set deal_closed = false, opened = true, deal_value = null where id = %s", (told.id,))
    connection.execute("update outcome_labels set opened = true where id = %s", (silent.id,))
    connection.commit()
    assert sum(changed for _, changed in rebuild(connection)) == 1
    assert facts_of(connection, told.id) == before
    assert row_of(connection, silent.id)["opened"] is True


def test_machine_opens_are_counted_apart_and_are_not_engagement(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [event(sent.id, "opened", 1, machine=True), event(sent.id, "opened", 2, machine=True)])
    row = row_of(connection, sent.id)
    assert (row["opened"], row["open_count"], row["machine_open_count"], row["delivered"]) == (False, 0, 2, True)


def test_a_human_beats_the_newest_version_which_beats_rules(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    reply = (MONDAY + timedelta(days=1)).isoformat()

    def judged(day: float, method: str, label: str, version: str | None = None) -> OutcomeEvent:
        more = {"version": version} if version else {}
        return event(sent.id, "reply_classified", day, method=method, label=label, replied_at=reply, **more)

    record(connection, [event(sent.id, "replied", 1, text="hm"), judged(9, "rules", "negative")])
    assert row_of(connection, sent.id)["sentiment_label"] == "negative"
    record(connection, [judged(2, "llm", "positive", "prompt-10"), judged(8, "llm", "negative", "prompt-9")])
    assert row_of(connection, sent.id)["sentiment_label"] == "positive"
    record(connection, [judged(1, "human", "neutral")])
    assert row_of(connection, sent.id)["sentiment_label"] == "neutral"
    record(
        connection,
        [event(sent.id, "replied", 5, text="yes, gladly"), event(sent.id, "reply_classified", 5, method="rules", label="positive")],
    )
    assert (row_of(connection, sent.id)["sentiment_label"], row_of(connection, sent.id)["reply_text"]) == (
        "positive",
        "yes, gladly",
    )


@pytest.mark.parametrize(
    ("story", "booked", "completed", "no_show"),
    [
        (["meeting_booked"], True, False, False),
        (["meeting_completed"], True, True, False),
        (["meeting_booked", "meeting_completed"], True, True, False),
        (["meeting_booked", "meeting_cancelled"], False, False, False),
        (["meeting_booked", "meeting_completed", "meeting_no_show"], True, False, True),
        (["meeting_booked", "meeting_cancelled", "meeting_booked"], True, False, False),
    ],
)
def test_a_meeting_stands_as_its_latest_event_says(
    connection: Connection, story: list[str], booked: bool, completed: bool, no_show: bool
) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [event(sent.id, kind, day, meeting_id="m") for day, kind in enumerate(story, 1)])
    row = row_of(connection, sent.id)
    assert (row["meeting_booked"], row["meeting_completed"], row["meeting_no_show"]) == (booked, completed, no_show)
    assert (row["meeting_booked_at"] is not None) == booked


def test_a_deal_that_is_reopened_and_lost_takes_its_revenue_back_but_not_the_reply(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection,
        [
            event(sent.id, "replied", 1, text="yes"),
            event(sent.id, "reply_classified", 1, interest_signal=True, label="positive", score=0.9),
        ],
    )
    record(connection, [event(sent.id, "deal_closed", 10, deal_id="d", value="60000", currency="USD")])
    won = row_of(connection, sent.id)
    assert (won["deal_closed"], won["deal_value"], won["time_to_close_days"], won["training_weight"]) == (
        True,
        Decimal("60000.00"),
        10.0,
        10,
    )
    record(connection, [event(sent.id, "deal_opened", 11, deal_id="d"), event(sent.id, "deal_lost", 12, deal_id="d")])
    lost = row_of(connection, sent.id)
    assert (lost["deal_closed"], lost["deal_lost"], lost["deal_value"], lost["deal_opened"]) == (False, True, None, True)
    assert (lost["training_label"], lost["training_weight"]) == ("positive_example", 3)


def test_values_of_several_won_deals_add_up_in_the_currency_of_the_last(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection,
        [
            event(sent.id, "deal_closed", 3, deal_id="a", value="100.50", currency="USD"),
            event(sent.id, "deal_closed", 4, deal_id="b", value="999", currency="EUR"),
            event(sent.id, "deal_closed", 5, deal_id="c", value="10", currency="USD"),
            event(sent.id, "deal_updated", 6, deal_id="c", value="20"),
        ],
    )
    row = row_of(connection, sent.id)
    assert (row["deal_currency"], row["deal_closed"], row["deal_value"]) == ("USD", True, Decimal("120.50"))


def test_opens_after_a_snapshot_add_to_its_count_and_those_before_are_in_it(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection,
        [event(sent.id, "opened", 1), event(sent.id, "snapshot", 2, opened=True, open_count=3), event(sent.id, "opened", 3)],
    )
    assert row_of(connection, sent.id)["open_count"] == 4


def test_facts_written_straight_into_a_row_survive_the_first_event(connection: Connection) -> None:
    connection.execute(
        "insert into outcome_labels (id, organization_id, campaign_id, lead_id, channel, message_body, opened, open_count, replied, reply_text)"
        " values ('00000000-0000-0000-0000-000000000001', 'acme', 'c', 'l', 'email', 'Hi', true, 2, true, 'tell me more')"
    )
    record(connection, [event(UUID(int=1), "deal_closed", 400, value="5")])
    row = row_of(connection, UUID(int=1))
    assert (row["opened"], row["open_count"], row["replied"], row["reply_text"], row["deal_closed"]) == (
        True,
        2,
        True,
        "tell me more",
        True,
    )


def test_a_report_counts_before_what_was_inferred_whenever_it_is_dated(connection: psycopg.Connection[TupleRow]) -> None:
    sent = message()
    send(connection, [sent])
    record(
        connection,
        [
            event(sent.id, "meeting_booked", 1, meeting_id="m"),
            event(sent.id, "meeting_completed", 3, meeting_id="m", source="inferred"),
        ],
    )
    assert row_of(connection, sent.id)["meeting_completed"] is True
    record(connection, [event(sent.id, "meeting_no_show", 2.9, meeting_id="m")])
    row = row_of(connection, sent.id)
    assert (row["meeting_completed"], row["meeting_no_show"]) == (False, True)
    record(
        connection,
        [
            event(sent.id, "meeting_booked", 4, meeting_id="m"),
            event(sent.id, "meeting_completed", 6, meeting_id="m", source="inferred"),
        ],
    )
    assert row_of(connection, sent.id)["meeting_completed"] is True, "booked anew and held"


def test_deals_of_any_size_add_up_to_what_the_column_holds(connection: psycopg.Connection[TupleRow]) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [event(sent.id, "deal_closed", day, deal_id=str(day), value="999999999999") for day in (1, 2)])
    assert str(row_of(connection, sent.id)["deal_value"]) == "999999999999.99"
