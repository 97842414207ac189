"""Decisions, leads and deals of every size and shape: whatever one organization sends, all are counted, and nothing twice."""

import random
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster_tests.strategies.making import learn, sent

Connection = psycopg.Connection[TupleRow]


def _letters(count: int) -> str:
    """That can't be compressed."""
    return "".join(random.Random(count).choices([chr(each) for each in range(0x4E00, 0x9000)], k=count))


def _sent_by(connection: Connection, *keys: str) -> dict[tuple[str, ...], int]:
    rows = connection.execute(
        "select strategy, sum(sent)::int from strategy_weeks where keys = %s group by strategy", (list(keys),)
    ).fetchall()
    return {tuple(strategy): count for strategy, count in rows}


@pytest.mark.parametrize(
    ("decisions", "lead"),
    [
        ({"A": {_letters(3_000): "yes"}}, {}),
        ({_letters(3_001): {"cta": "book"}}, {}),
        ({}, {"lead_industry": _letters(1_000), "lead_role": _letters(999), "company_size": _letters(998)}),
    ],
    ids=["a key", "an agent", "a lead"],
)
def test_nothing_is_too_long_to_be_counted(connection: Connection, decisions: dict[str, Any], lead: dict[str, str]) -> None:
    sent(connection, "PAS_casual", 2, decisions=decisions)
    for column, value in lead.items():
        connection.execute(f"update outcome_labels set {column} = %s", (value,))  # type: ignore[arg-type]
    sent(connection, "PAS_casual", 2, organization="other")
    assert [each.organization_id for each in learn(connection)] == ["acme", "other"]
    assert _sent_by(connection, "framework", "tone") == {("PAS", "casual"): 4}


def test_no_revenue_is_too_large_to_be_counted(connection: Connection) -> None:
    sent(connection, "PAS_casual", 150, deals=150)
    connection.execute("update outcome_labels set deal_value = 999999999999.99")
    learn(connection)
    assert connection.execute("select sum(revenue) from strategy_weeks where keys = '{}'").fetchone() == (
        150 * Decimal("999999999999.99"),
    )


def test_a_week_of_few_messages_counts_as_any_other(connection: Connection) -> None:
    frameworks = ["PAS", "AIDA", "BAB", "QVC", "STAR", "FAB", "SCQA", "4P"]
    for framework in frameworks:
        sent(connection, f"{framework}_casual", 1, decisions={"CopywriterAgent": {"cta": f"to {framework}"}})
    learn(connection)
    assert _sent_by(connection, "framework", "tone") == {(each, "casual"): 1 for each in frameworks}
    assert _sent_by(connection, "cta") == {(f"to {each}",): 1 for each in frameworks}


def test_what_several_agents_decide_alike_counts_once(connection: Connection) -> None:
    decisions = {
        "CopywriterAgent": {"hooks": ["proof", "proof"], "hooks_used": ["proof"], "cta": "book"},
        "EditorAgent": {"cta": "book", "hook": "proof"},
        "call_to_action": "book",
    }
    sent(connection, "PAS_casual", 4, decisions=decisions)
    learn(connection)
    assert _sent_by(connection, "cta") == {("book",): 4}
    assert _sent_by(connection, "hooks_used", "cta") == {("proof", "book"): 4}
    assert connection.execute("select agent, key from agent_decision_keys where key = 'cta' order by agent").fetchall() == [
        ("CopywriterAgent", "cta"),
        ("EditorAgent", "cta"),
    ]


def test_of_a_long_list_the_first_ten_count(connection: Connection) -> None:
    sent(connection, "PAS_casual", 3, decisions={"A": {"hooks": [f"h{i}" for i in range(30)], "cta": [f"c{i}" for i in range(30)]}})
    learn(connection)
    assert len(_sent_by(connection, "hooks_used")) == 10 and len(_sent_by(connection, "hooks_used", "cta")) == 100


def test_keys_that_are_made_up_for_each_message_do_not_grow_the_counts(connection: Connection) -> None:
    for number in range(130):
        sent(connection, "PAS_casual", 1, lead=f"l{number}", decisions={f"Agent {number}": {f"variant of {number}": "a"}})
    learn(connection)
    assert connection.execute("select count(distinct keys) < 110, count(*) < 120 from strategy_weeks").fetchone() == (True, True)
    assert _sent_by(connection, "framework", "tone") == {("PAS", "casual"): 130}
