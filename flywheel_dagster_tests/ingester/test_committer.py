"""Waiting requests share a commit; what the database refuses fails alone; nothing is answered before it is there."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.committer import AwayError, Committer
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import send
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message, row_of

Connection = psycopg.Connection[TupleRow]


def play(database: Database, script: Callable[[Committer], Awaitable[None]], **options: int) -> Committer:
    async def run() -> Committer:
        committer = Committer(database.addresses.service, **options)
        await script(committer)
        await committer.close()
        return committer

    return asyncio.run(run())


def one(connection: Connection, query: str) -> object:
    row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]


def test_many_waiting_requests_share_few_transactions(database: Database, connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    connection.commit()

    async def script(committer: Committer) -> None:
        await asyncio.gather(*(committer.commit([event(sent.id, "clicked", day, url=str(day))]) for day in range(200)))
        assert one(connection, "select count(*) from webhook_events") == 200, "answered before the commit"

    committer = play(database, script)
    assert committer.counts.transactions <= 20
    assert row_of(connection, sent.id)["click_count"] == 200


def test_an_event_that_the_database_refuses_harms_no_other(database: Database, connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    connection.commit()
    good = [event(sent.id, "clicked", day, url=str(day)) for day in range(10)]
    bad = OutcomeEvent(
        event_type=EventType.OPENED,
        occurred_at=MONDAY,
        source="test",
        outcome_id=sent.id,
        facts={"machine": "perhaps"},
        raw=b"[{}]",
    )

    async def script(committer: Committer) -> None:
        await asyncio.gather(*(committer.commit([one]) for one in good[:5]), committer.commit([bad, *good[5:]]))
        await committer.commit([bad])

    committer = play(database, script)
    row = row_of(connection, sent.id)
    assert (row["click_count"], row["opened"]) == (10, False)
    assert committer.counts.unstorable == 2
    kept = connection.execute(
        "select facts ->> 'kind', facts ->> 'was', raw from webhook_events where event_type = 'noted'"
    ).fetchall()
    assert kept == [("unstorable", "opened", b"[{}]")]


def test_a_lost_connection_costs_one_round_and_is_replaced(database: Database, connection: Connection, owner: Connection) -> None:
    sent = message()
    send(connection, [sent])
    connection.commit()

    async def script(committer: Committer) -> None:
        await committer.commit([event(sent.id, "clicked", 1)])
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flywheel ingester' and datname = current_database()"
        )
        with pytest.raises(AwayError):
            await committer.commit([event(sent.id, "clicked", 2)])
        await committer.commit([event(sent.id, "clicked", 2)])

    play(database, script, lanes=1)
    assert row_of(connection, sent.id)["click_count"] == 2


def test_a_database_that_is_away_is_told_and_too_much_waiting_too() -> None:
    async def run() -> None:
        committer = Committer("postgresql://nobody@127.0.0.1:1/nothing", limit=3)
        with pytest.raises(AwayError, match="away"):
            await committer.commit([event(message().id, "clicked")])
        with pytest.raises(AwayError, match="too much"):
            await committer.commit([event(message().id, "clicked", day) for day in range(4)])
        await committer.close()

    asyncio.run(run())


def test_closing_writes_what_was_accepted(database: Database, connection: Connection) -> None:
    async def run() -> None:
        committer = Committer(database.addresses.service)
        accepted = [asyncio.create_task(committer.commit([event(message().id, "clicked", day)])) for day in range(50)]
        await asyncio.sleep(0)
        await committer.close()
        await asyncio.gather(*accepted)
        with pytest.raises(AwayError):
            await committer.commit([event(message().id, "clicked")])

    asyncio.run(run())
    assert one(connection, "select count(*) from webhook_events") == 50


def test_writers_of_links_at_once_agree(database: Database, connection: Connection) -> None:
    """Four lanes claim, seek and merge at the same time; nothing deadlocks for good, and the links are those of one writer."""
    sent = [message(lead_id=f"lead-{number}") for number in range(40)]
    send(connection, sent)
    connection.commit()
    events = []
    for number, one_sent in enumerate(sent):
        about = (f"deal:test:{number}", f"deal:other:{number}")
        named = event(one_sent.id, "deal_opened", organization="acme", deal_id=str(number))
        events += [
            OutcomeEvent(**{**{name: getattr(named, name) for name in named.__struct_fields__}, "references": about}),
            OutcomeEvent(
                event_type=EventType.DEAL_CLOSED,
                occurred_at=MONDAY + timedelta(days=3),
                source="test",
                organization_id="acme",
                references=about[1:],
                facts={"deal_id": str(number), "value": "10"},
            ),
        ]

    async def script(committer: Committer) -> None:
        await asyncio.gather(*(committer.commit([one]) for one in (*events[::2], *reversed(events), *events)))

    play(database, script, lanes=4, group=3)
    assert one(connection, "select count(*) from outcome_labels where deal_closed and deal_value = 10") == 40
