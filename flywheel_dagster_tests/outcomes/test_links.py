"""Events that don't name their outcome find it, whatever came first; between two candidates nobody guesses."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, facts_of, message, row_of
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]
DEAL = "deal:test:7"


def fact(kind: str, day: float = 1, *, organization: str | None = "acme", **given: Any) -> OutcomeEvent:
    return OutcomeEvent(
        event_type=EventType(kind), occurred_at=MONDAY + timedelta(days=day), source="test", organization_id=organization, **given
    )


def reason(connection: Connection) -> Any:
    rows = connection.execute("select distinct unmatched_reason from webhook_events where not named").fetchall()
    return [row[0] for row in rows]


def know(connection: Connection, lead: str, email: str, organization: str = "acme") -> None:
    connection.execute(
        "insert into leads (organization_id, lead_id, email) values (%s, %s, %s) "
        "on conflict (organization_id, lead_id) do update set email = excluded.email",
        (organization, lead, email),
    )


def linked(connection: Connection) -> list[UUID | None]:
    return [row[0] for row in connection.execute("select outcome_id from webhook_events where not named order by id").fetchall()]


@pytest.mark.parametrize("claim_first", [True, False])
def test_a_later_event_about_the_same_deal_follows_the_one_that_names_the_outcome(
    connection: Connection, claim_first: bool
) -> None:
    sent = message()
    send(connection, [sent])
    events = [
        fact("deal_opened", outcome_id=sent.id, references=(DEAL,)),
        fact("deal_closed", 3, references=(DEAL,), facts={"deal_id": "7", "value": "900"}),
    ]
    for event in events if claim_first else reversed(events):
        record(connection, [event])
    assert row_of(connection, sent.id)["deal_closed"] is True
    assert reason(connection) == [None]


def test_a_claim_that_waits_for_its_outcome_holds_when_that_appears(connection: Connection) -> None:
    sent = message()
    record(connection, [fact("deal_opened", outcome_id=sent.id, references=(DEAL,)), fact("deal_closed", 3, references=(DEAL,))])
    assert reason(connection) == ["its message, deal or meeting is not known yet"]
    send(connection, [sent])
    assert row_of(connection, sent.id)["deal_closed"] is True


def test_a_reply_finds_the_message_it_answers(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [fact("replied", 2, mentions=("message:unknown", "message:abc"), facts={"text": "Yes"})])
    record(connection, [fact("delivered", 1, outcome_id=sent.id, references=("message:abc",))])
    assert row_of(connection, sent.id)["reply_text"] == "Yes"


def test_mentions_claim_nothing(connection: Connection) -> None:
    first, second = message(), message()
    send(connection, [first, second])
    record(
        connection,
        [fact("replied", 2, outcome_id=second.id, mentions=("message:abc",)), fact("opened", 2, references=("message:abc",))],
    )
    assert linked(connection) == [None]


def test_two_claims_to_one_thing_are_never_decided_between_even_afterwards(connection: Connection) -> None:
    first, second = message(), message()
    send(connection, [first, second])
    record(connection, [fact("noted", outcome_id=first.id, references=(DEAL,)), fact("deal_closed", 3, references=(DEAL,))])
    assert linked(connection) == [first.id]
    record(connection, [fact("noted", 2, outcome_id=second.id, references=(DEAL,))])
    assert linked(connection) == [None]
    assert reason(connection) == ["several outcomes could be meant"]
    assert row_of(connection, first.id)["deal_closed"] is False


def test_a_lead_with_one_message_in_the_window_is_enough(connection: Connection) -> None:
    sent, long_ago, later = message(), message(sent_at=MONDAY - timedelta(days=120)), message(sent_at=MONDAY + timedelta(days=9))
    send(connection, [sent, long_ago, later])
    record(connection, [fact("meeting_booked", 5, lead_id="ada")])
    assert linked(connection) == [sent.id]


def test_a_second_message_to_the_lead_takes_back_what_only_its_address_linked(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    know(connection, "ada", "Ada@Example.com")
    record(connection, [fact("deal_closed", 5, lead_email="ada@example.com")])
    assert linked(connection) == [sent.id]
    send(connection, [message(sent_at=MONDAY + timedelta(days=2))])
    assert reason(connection) == ["several outcomes could be meant"]
    assert row_of(connection, sent.id)["deal_closed"] is False


def test_an_address_learnt_later_links_what_waited_for_it(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [fact("deal_closed", 5, lead_email="ada@example.com")])
    assert reason(connection) == ["its lead is not known yet"]
    know(connection, "ada", "ada@example.com")
    assert row_of(connection, sent.id)["deal_closed"] is True


def test_an_outcome_sent_later_by_the_books_but_recorded_now_links_what_waited(connection: Connection) -> None:
    record(connection, [fact("deal_closed", 5, lead_id="ada")])
    sent = message()
    send(connection, [sent])
    assert row_of(connection, sent.id)["deal_closed"] is True


def test_a_lead_is_looked_for_only_inside_the_connections_organization(connection: Connection) -> None:
    sent = message(organization_id="rival")
    send(connection, [sent])
    know(connection, "ada", "ada@example.com", "rival")
    record(
        connection,
        [fact("deal_closed", 5, lead_email="ada@example.com"), fact("opened", 5, organization=None, lead_email="ada@example.com")],
    )
    assert linked(connection) == [None, None]
    assert set(reason(connection)) == {"its lead is not known yet", "its connection is bound to no organization"}


def test_anothers_claim_is_not_heard(connection: Connection) -> None:
    sent = message(organization_id="rival")
    send(connection, [sent])
    record(
        connection,
        [fact("noted", outcome_id=sent.id, organization="rival", references=(DEAL,)), fact("deal_closed", 3, references=(DEAL,))],
    )
    assert linked(connection) == [None]


def test_a_connection_of_no_organization_follows_claims_and_takes_their_organization(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [fact("opened", 2, organization=None, references=("message:abc",))])
    record(connection, [fact("delivered", organization=None, outcome_id=sent.id, references=("message:abc",))])
    assert row_of(connection, sent.id)["opened"] is True
    assert connection.execute("select distinct organization_id from webhook_events").fetchall() == [("acme",)]


@pytest.mark.parametrize("merged_first", [True, False])
def test_merged_contacts_are_one_lead(connection: Connection, merged_first: bool) -> None:
    sent = message(lead_id="55")
    send(connection, [sent])
    events = [fact("merged", facts={"merged": ["lead:55"], "into": "lead:77"}), fact("deal_closed", 3, lead_id="77")]
    for event in events if merged_first else reversed(events):
        record(connection, [event])
    assert row_of(connection, sent.id)["deal_closed"] is True


def test_one_event_about_a_deal_tells_the_lead_of_all(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    record(connection, [fact("deal_closed", 5, references=(DEAL,), facts={"deal_id": "7"})])
    record(connection, [fact("deal_opened", 2, references=(DEAL,), lead_id="ada", facts={"deal_id": "7"})])
    assert row_of(connection, sent.id)["deal_closed"] is True


ONE, TWO = message(), message(lead_id="bob", sent_at=MONDAY + timedelta(hours=1))
EVENTS = (
    fact("delivered", outcome_id=ONE.id, references=("message:abc",)),
    fact("opened", 2, references=("message:abc",)),
    fact("replied", 3, mentions=("message:abc",), facts={"text": "Yes"}),
    fact("deal_opened", 3, references=(DEAL,), lead_email="bob@example.com", facts={"deal_id": "7"}),
    fact("deal_closed", 5, references=(DEAL,), facts={"deal_id": "7", "value": "100"}),
    fact("deal_opened", 4, references=("deal:test:8",), lead_id="99", facts={"deal_id": "8"}),
    fact("merged", 4, facts={"merged": ["lead:bob"], "into": "lead:99"}),
    fact("merged", 5, facts={"merged": ["deal:test:8"], "into": DEAL}),
    fact("meeting_booked", 6, lead_email="ada@example.com"),
)


@settings(max_examples=examples(40, quick=12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations([*range(len(EVENTS)), *range(len(EVENTS)), "one", "two", "ada", "bob"]), cuts=st.sets(st.integers(1, 21))
)
def test_any_order_links_alike(connection: Connection, order: list[Any], cuts: set[int]) -> None:
    def play(order: list[Any], cuts: set[int]) -> list[dict[str, Any]]:
        with connection.transaction(force_rollback=True):
            batch: list[OutcomeEvent] = []
            for place, step in enumerate([*order, "end"]):
                if place in cuts or isinstance(step, str):
                    record(connection, batch)
                    batch = []
                if isinstance(step, int):
                    batch.append(EVENTS[step])
                elif step in ("one", "two"):
                    send(connection, [ONE if step == "one" else TWO])
                elif step != "end":
                    know(connection, step, f"{step}@example.com")
            return [facts_of(connection, sent.id) for sent in (ONE, TWO)]

    expected = play([*range(len(EVENTS)), "one", "two", "ada", "bob"], set())
    assert expected[0]["reply_text"] == "Yes"
    assert expected[1]["deal_closed"] is True
    for got, wanted in zip(play(order, cuts), expected, strict=True):
        assert {name: (value, wanted[name]) for name, value in got.items() if value != wanted[name]} == {}, (order, cuts)


def test_the_address_given_with_a_message_is_the_leads(connection: Connection) -> None:
    first = message(lead_email="ada@example.com")
    send(connection, [first])
    send(connection, [message(lead_email="other@example.com", sent_at=MONDAY - timedelta(days=200))])
    assert connection.execute("select email from leads").fetchall() == [("ada@example.com",)]
    record(connection, [fact("deal_closed", 5, lead_email="Ada@example.com")])
    assert linked(connection) == [first.id]


async def _send_known(url: str) -> UUID:
    async with OutcomeTracker(url) as tracker:
        return await tracker.track_message_sent("acme", "spring", "ada", "email", "Hello", message_id="<abc@mail.example>")


def test_a_message_id_given_when_sending_links_what_carries_it(connection: Connection, database: Database) -> None:
    outcome = asyncio.run(_send_known(database.addresses.service))
    record(connection, [fact("opened", references=("message:abc@mail.example",))])
    assert linked(connection) == [outcome]


def test_a_sending_to_many_under_one_message_id_is_told_apart_by_address(connection: Connection) -> None:
    first, second = message(lead_email="ada@example.com"), message(lead_id="bob", lead_email="bob@example.com")
    send(connection, [first, second])
    for one in (first, second):
        record(connection, [fact("delivered", outcome_id=one.id, references=(message_reference("abc", one.lead_email),))])
    opened = fact("opened", 2, references=(message_reference("<abc>", "Bob@example.com"),), mentions=(message_reference("abc"),))
    record(connection, [opened, fact("clicked", 2, references=(message_reference("abc"),))])
    assert linked(connection) == [second.id, None]


def test_a_deal_belongs_to_the_message_before_it_began(connection: Connection) -> None:
    first, second = message(), message(sent_at=MONDAY + timedelta(days=5))
    send(connection, [first, second])
    events = [
        fact("deal_opened", 3, references=(DEAL,), lead_id="ada", facts={"deal_id": "7"}),
        fact("deal_closed", 9, references=(DEAL,), lead_id="ada", facts={"deal_id": "7"}),
    ]
    record(connection, [events[1]])
    assert reason(connection) == ["several outcomes could be meant"]
    record(connection, [events[0]])
    assert linked(connection) == [first.id, first.id]


def test_names_too_long_for_an_index_still_link(connection: Connection) -> None:
    sent = message()
    send(connection, [sent])
    names = ("message:" + "ü" * 500,)
    record(connection, [fact("noted", outcome_id=sent.id, references=names), fact("opened", 2, references=names)])
    assert linked(connection) == [sent.id]
