"""The ledger keeps every fact once, waits for outcomes, and never crosses tenants; also when everybody writes at once."""

import threading

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import Recorded, rebuild, record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message, row_of

Connection = psycopg.Connection[TupleRow]


def test_an_event_that_comes_twice_is_kept_once(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    opened = event(sent.id, "opened")
    assert record(connection, [opened, opened]) == Recorded(1, 1, 0)
    assert record(connection, [opened]) == Recorded(0, 1, 0)
    assert row_of(connection, sent.id)["open_count"] == 1


def test_an_event_waits_for_its_outcome_and_is_folded_when_it_appears(connection: Connection) -> None:
    sent = message()
    assert record(connection, [event(sent.id, "opened")]).unmatched == 1
    assert connection.execute("select unmatched_reason from webhook_events").fetchone() == ("outcome not known yet",)
    send(connection, [sent])
    assert row_of(connection, sent.id)["opened"] is True
    assert connection.execute("select matched, organization_id from webhook_events").fetchone() == (True, "acme")


def test_an_event_without_an_outcome_is_kept_with_a_reason(connection: Connection) -> None:
    lost = OutcomeEvent(event_type=EventType.OPENED, occurred_at=MONDAY, source="test")
    assert record(connection, [lost]) == Recorded(1, 0, 1)
    assert connection.execute("select unmatched_reason from webhook_events").fetchone() == ("names no outcome",)


def test_an_event_of_another_organization_never_reaches_the_outcome(connection: Connection) -> None:
    sent = message()
    forged = event(sent.id, "deal_closed", value="1000000", organization="rival")
    record(connection, [forged])  # before the outcome is known …
    send(connection, [sent])
    record(connection, [event(sent.id, "unsubscribed", organization="rival")])  # … and after
    row = row_of(connection, sent.id)
    assert (row["deal_closed"], row["unsubscribed"], row["event_count"]) == (False, False, 0)
    genuine = event(sent.id, "deal_closed", value="1000000", organization="acme")
    assert record(connection, [genuine]) == Recorded(1, 0, 0), "a forged copy must not take the genuine event's place"
    assert row_of(connection, sent.id)["deal_closed"] is True


def test_the_raw_payload_is_kept_byte_for_byte(connection: Connection) -> None:
    sent = message()
    raw = b'\xff\x00{"event":"open"}\r\n'
    record(connection, [OutcomeEvent(event_type=EventType.OPENED, occurred_at=MONDAY, source="test", outcome_id=sent.id, raw=raw)])
    assert connection.execute("select raw from webhook_events").fetchone() == (raw,)


def test_text_that_postgres_has_no_place_for_is_stored_as_near_as_possible(connection: Connection) -> None:
    sent = message(message_body='tab\tquote"back\\slash \U0001f600 nul\0 half\ud800')
    send(connection, [sent])
    record(connection, [event(sent.id, "replied", text="a\0b\udfff")])
    row = row_of(connection, sent.id)
    assert row["message_body"] == 'tab\tquote"back\\slash \U0001f600 nul\ufffd half\ufffd'
    assert row["reply_text"] == "a\ufffdb\ufffd"


def test_the_service_role_can_add_to_the_ledger_but_not_change_or_delete_what_stands_in_it(connection: Connection) -> None:
    record(connection, [event(message().id, "opened")])
    connection.commit()
    for forbidden in (
        "update webhook_events set occurred_at = now()",
        "update webhook_events set facts = '{}'",
        "delete from webhook_events",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forbidden)
        connection.rollback()


def test_many_writers_of_the_same_outcomes_lose_nothing_and_do_not_deadlock(database: Database) -> None:
    messages = [message(lead_id=f"lead {number}") for number in range(6)]
    events = [
        event(sent.id, kind, day)
        for sent in messages
        for day, kind in enumerate(["delivered", "opened", "clicked", "opened", "replied"], 1)
    ]
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with connect(database.addresses.service) as own:
                mine = events[number:] + events[:number]
                for start in range(0, len(mine), 7):
                    record(own, mine[start : start + 7])
                    own.commit()
                    if number % 3 == 0:
                        send(own, messages[number % len(messages) :])
                        own.commit()
                send(own, messages)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with connect(database.addresses.service) as connection:
        assert connection.execute("select count(*), count(*) filter (where matched) from webhook_events").fetchone() == (30, 30)
        for sent in messages:
            row = row_of(connection, sent.id)
            assert (row["event_count"], row["open_count"], row["click_count"], row["replied"]) == (5, 2, 1, True)
        connection.commit()
        assert sum(changed for _, changed in rebuild(connection)) == 0


def test_an_event_and_its_outcome_that_arrive_at_the_same_moment_find_each_other(database: Database) -> None:
    sent = message()
    with connect(database.addresses.service) as sender, connect(database.addresses.service) as reporter:
        send(sender, [sent])  # not committed yet: the reporter cannot see it
        done = threading.Event()

        def report() -> None:
            record(reporter, [event(sent.id, "opened")])
            reporter.commit()
            done.set()

        thread = threading.Thread(target=report)
        thread.start()
        assert not done.wait(0.3), "the reporter waits for the sender's bucket"
        sender.commit()
        thread.join(10)
        assert row_of(sender, sent.id)["opened"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": 3},
        {"label": "meh"},
        {"value": "-1"},
        {"value": "NaN"},
        {"value": "much"},
        {"currency": "dollars"},
        {"method": "guess"},
        {"open_count": -1},
    ],
)
def test_a_fact_that_the_table_would_refuse_is_refused_when_the_event_is_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        event(message().id, "noted", **wrong)


def test_times_without_a_zone_are_refused() -> None:
    nowhere = MONDAY.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        OutcomeEvent(event_type=EventType.OPENED, occurred_at=nowhere, source="test")
    with pytest.raises(ValueError, match="time zone"):
        SentMessage(organization_id="a", campaign_id="b", lead_id="c", channel="email", message_body="d", sent_at=nowhere)
