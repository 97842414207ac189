"""Counting by strategy: the same whatever came in which order, and nobody else's."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster_tests.strategies.making import NOW, learn, sent

Connection = psycopg.Connection[TupleRow]
_COUNTED = "select * from strategy_weeks order by organization_id, keys, campaign_id, week, channel, strategy"
_SEGMENTS = "select * from strategy_segments order by organization_id, keys, week, channel, industry, role, company_size, strategy"


@pytest.mark.parametrize("seed", range(3))
def test_counting_what_changed_comes_to_the_same_as_counting_all(connection: Connection, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        for _ in range(chance.randint(1, 3)):
            _change(connection, chance)
        connection.commit()
        connection.execute("select refresh_strategies(id) from organizations")
        connection.commit()
        found = connection.execute(_COUNTED).fetchall(), connection.execute(_SEGMENTS).fetchall()
        connection.execute("delete from strategy_refreshes")
        connection.execute("select refresh_strategies(id) from organizations")
        assert found == (connection.execute(_COUNTED).fetchall(), connection.execute(_SEGMENTS).fetchall())
        connection.commit()
        assert connection.execute("select refresh_strategies(id) from organizations").fetchall() == [
            (0,) for _ in connection.execute("select id from organizations").fetchall()
        ]
        _same_as_by_hand(connection)


def _change(connection: Connection, chance: random.Random) -> None:
    match chance.choice(["send", "send", "send", "reply", "move", "delete"]):
        case "send":
            decisions = {
                "CopywriterAgent": {
                    "hooks_used": chance.sample(["curiosity", "proof", "fear"], 2),
                    "cta": chance.choice(["book", "reply"]),
                }
            }
            sent(
                connection, chance.choice(["PAS_casual", "AIDA_direct"]), chance.randint(1, 9), organization=chance.choice(["acme", "other"]),
                campaign=chance.choice(["spring", "autumn"]), days=chance.randint(0, 30), channel=chance.choice(["email", "sms"]), decisions=decisions,
                replied=chance.randint(0, 3), lead=f"{chance.random()}",
            )  # fmt: skip
        case "reply":
            connection.execute(
                "update outcome_labels set replied = true, interest_signal = true where id in (select id from outcome_labels order by id limit 3)"
            )
        case "move":
            connection.execute(
                "update outcome_labels set sent_at = sent_at - interval '9 days' where id in (select id from outcome_labels order by id desc limit 2)"
            )
        case "delete":
            connection.execute("delete from outcome_labels where id in (select id from outcome_labels order by lead_id limit 2)")


def _same_as_by_hand(connection: Connection) -> None:
    expected: Counter[tuple[Any, ...]] = Counter()
    for row in connection.execute(
        "select organization_id, campaign_id, channel, framework, tone, agent_decisions, replied from outcome_labels"
    ):
        organization, campaign, channel, framework, tone, decisions, replied = row
        made = [((), ()), (("framework",), (framework,)), (("tone",), (tone,)), (("framework", "tone"), (framework, tone))]
        made += [(("agent",), (agent,)) for agent in decisions]
        copy = decisions.get("CopywriterAgent", {})
        for hook in copy.get("hooks_used", []):
            made += [(("hooks_used",), (hook,)), (("hooks_used", "cta"), (hook, copy["cta"]))]
        made += [(("cta",), (copy["cta"],))] if copy else []
        for keys, strategy in made:
            expected[organization, campaign, channel, keys, strategy, "sent"] += 1
            expected[organization, campaign, channel, keys, strategy, "replied"] += replied
    found: Counter[tuple[Any, ...]] = Counter()
    for organization, campaign, channel, keys, strategy, count, replied in connection.execute(
        "select organization_id, campaign_id, channel, keys, strategy, sent, replied from strategy_weeks"
    ):
        found[organization, campaign, channel, tuple(keys), tuple(strategy), "sent"] += count
        found[organization, campaign, channel, tuple(keys), tuple(strategy), "replied"] += replied
    assert +found == +expected


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("book_meeting", "book_meeting"), (True, "true"), (3, "3"), (0.85, None), (12345, None), (None, None), ({"a": 1}, None), ("", None),
        ("2025-01-23T14:30:00Z", "14h"), ("2025-99-99T14:30", "14h"), ("team@Rekindle.io", "rekindle.io"), ("https://x.example/a", None),
        ("call 0301234567", None), ("two\nlines", None), ("x" * 61, None), ("Überraschung 🎉", "Überraschung 🎉"), ("a@b and c@d", None),
    ],
)  # fmt: skip
def test_a_decision_as_a_word(connection: Connection, value: Any, word: str | None) -> None:
    assert connection.execute("select decision_word(%s)", (Jsonb(value),)).fetchone() == (word,)


def test_prose_is_no_strategy(connection: Connection) -> None:
    for number in range(40):
        sent(connection, "PAS_casual", 1, lead=f"l{number}", decisions={"A": {"opening": f"Dear {number}", "cta": "book"}})
    learn(connection)
    assert connection.execute("select distinct keys[1] from strategy_weeks where cardinality(keys) = 1 order by 1").fetchall() == [
        ("agent",), ("cta",), ("framework",), ("tone",),
    ]  # fmt: skip


def test_replies_count_at_once_and_young_messages_as_what_they_are(connection: Connection) -> None:
    for days, replied in ((120, 20), (0.01, 1)):
        sent(connection, "PAS_casual", 100, days=days, replied=replied, lead=f"{days}")
    learn(connection)
    values = {"organization_id": "acme", "campaign_id": None, "keys": ["framework", "tone"], "whole_keys": [], "whole": []}
    ages = {"as_of": NOW, "meetings_until": NOW - timedelta(days=30), "deals_until": NOW - timedelta(days=90)}
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = next(each for each in cursor.execute(statement("strategy_counts"), values | ages) if each["keys"])
    assert (row["sent"], row["replied"], row["meeting_trials"], row["deal_trials"]) == (200, 21, 100, 100)
    assert 101 <= row["reply_trials"] < 104


def test_a_member_sees_its_own_rows_only(connection: Connection) -> None:
    for organization in ("acme", "other"):
        sent(connection, "PAS_casual", 40, replied=4, organization=organization, decisions={"CopywriterAgent": {"cta": "book"}})
    learn(connection)
    relations = (
        "strategy_weeks", "strategy_segments", "agent_decision_keys", "strategy_refreshes", "strategy_lessons", "strategy_estimates", "strategy_performance",
        "winning_strategies", "agent_leaderboard", "flywheel_metrics",
    )  # fmt: skip
    connection.execute(statement("see_as_member"), {"organization_id": "acme"})
    for relation in relations:
        assert connection.execute(f"select distinct organization_id from {relation}").fetchall() == [("acme",)], relation  # type: ignore[arg-type]
    assert connection.execute("select sum(outcomes) from flywheel_metrics_of()").fetchone() == (40,)
    for table in relations[:6]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(f"delete from {table}")  # type: ignore[arg-type]


def test_the_metrics_of_a_week(connection: Connection) -> None:
    sent(connection, "PAS_casual", 50, days=14, replied=10, meetings=5, deals=1)
    sent(connection, "AIDA_casual", 50, days=21, replied=5)
    connection.execute(
        "insert into model_requests (id, organization_id, scope, model_id, campaign_id, role, asked_at, latency_ms, tries, success, cost_usd)"
        " values (gen_random_uuid(), 'acme', 'acme', 'm', 'spring', 'assigned', %s, 1, 1, true, 2.5)", (NOW - timedelta(days=14),)
    )  # fmt: skip
    learn(connection)
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        before, week = cursor.execute("select * from flywheel_metrics where organization_id = 'acme' order by week").fetchall()
    assert (before["outcomes"], before["reply_rate"], before["cost_per_meeting"], before["sentiment_change"]) == (
        50,
        0.1,
        None,
        None,
    )
    assert (week["reply_rate"], week["meeting_rate"], week["close_rate"], week["revenue"]) == (0.2, 0.1, 0.02, 1000)
    assert week["training_ready"] == 50 and float(week["cost_per_meeting"]) == 0.5
    assert week["average_sentiment"] == pytest.approx(0.8) and week["sentiment_change"] == pytest.approx(0)
