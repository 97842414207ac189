"""Won and lost deals of a scored lead are feedback, and what becomes of the deal later is, too."""

from datetime import timedelta
from uuid import UUID

import pytest

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.leads.scoring import BEGIN, Connection, outcome_of, scored, told
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

AFTER = (BEGIN - MONDAY).days


@pytest.fixture
def outcome(connection: Connection) -> UUID:
    """A message to a lead that was scored."""
    scored(connection)
    sent = message(sent_at=BEGIN)
    send(connection, [sent])
    connection.commit()
    return sent.id


def happens(connection: Connection, outcome: UUID, kind: str, day: float, deal: str = "D1") -> None:
    record(connection, [event(outcome, kind, AFTER + day, deal_id=deal)])
    connection.commit()


def words(connection: Connection) -> list[tuple[bool | None, int, str]]:
    rows = connection.execute("select outcome, told_at, source from lead_feedback order by id").fetchall()
    connection.rollback()
    return [(outcome, round((at - BEGIN) / timedelta(days=1)), source) for outcome, at, source in rows]


def test_a_won_deal_converts_and_a_lost_one_does_not(connection: Connection, outcome: UUID) -> None:
    happens(connection, outcome, "deal_opened", 1)
    assert outcome_of(connection) is None
    happens(connection, outcome, "deal_lost", 2)
    assert outcome_of(connection) is False
    happens(connection, outcome, "deal_closed", 5, deal="D2")
    assert outcome_of(connection) is True
    happens(connection, outcome, "deal_closed", 6, deal="D3")
    assert [(said, source) for said, _, source in words(connection)] == [(False, "deal"), (True, "deal")]
    row = connection.execute("select distinct outcome_id from lead_feedback").fetchone()
    assert row == (outcome,)


def test_a_deal_that_is_opened_again_takes_the_word_back_and_may_give_it_again(connection: Connection, outcome: UUID) -> None:
    happens(connection, outcome, "deal_closed", 2)
    assert outcome_of(connection) is True
    happens(connection, outcome, "deal_opened", 3)
    assert outcome_of(connection) is None
    happens(connection, outcome, "deal_closed", 4)
    assert outcome_of(connection) is True
    happens(connection, outcome, "deal_lost", 5)
    assert outcome_of(connection) is False


def test_a_correction_with_an_earlier_time_replaces_what_the_deal_said(connection: Connection, outcome: UUID) -> None:
    happens(connection, outcome, "deal_closed", 5)
    connection.execute(
        "update outcome_labels set deal_closed = false, deal_closed_at = null, deal_lost = true, deal_lost_at = %s",
        (BEGIN + timedelta(days=2),),
    )
    connection.commit()
    assert outcome_of(connection) is False


def test_what_the_sales_team_says_later_holds_against_the_deal(connection: Connection, outcome: UUID) -> None:
    told(connection, True, 7)
    happens(connection, outcome, "deal_lost", 5)
    assert outcome_of(connection) is True and len(words(connection)) == 2
    happens(connection, outcome, "deal_opened", 9)  # takes back what it said on day 5, and nothing else
    assert outcome_of(connection) is True


def test_a_won_deal_of_one_message_stands_though_another_ones_is_lost(connection: Connection, outcome: UUID) -> None:
    other = message(sent_at=BEGIN + timedelta(hours=1))
    send(connection, [other])
    happens(connection, outcome, "deal_closed", 2)
    happens(connection, other.id, "deal_lost", 3, deal="D9")
    assert outcome_of(connection) is True
    happens(connection, outcome, "deal_opened", 4)
    assert outcome_of(connection) is False


def test_deals_of_leads_that_were_never_scored_say_nothing(connection: Connection, outcome: UUID) -> None:
    other = message(lead_id="grace", sent_at=BEGIN)
    rivals = message(organization_id="rival", sent_at=BEGIN)
    send(connection, [other, rivals])
    for each in (other.id, rivals.id):
        happens(connection, each, "deal_closed", 2, deal=f"D{each}")
    assert words(connection) == [] and outcome_of(connection) is None


def test_a_redelivered_or_rebuilt_deal_adds_nothing(connection: Connection, outcome: UUID) -> None:
    from flywheel_dagster.outcomes.ledger import rebuild

    for _ in range(2):
        happens(connection, outcome, "deal_closed", 2)
    list(rebuild(connection))
    assert words(connection) == [(True, 2, "deal")]
