"""What a policy would have earned, from messages whose strategy was drawn."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.replies.analyzer import SentimentAnalyzer
from flywheel_dagster.strategies.evaluating import PolicyValue
from flywheel_dagster.strategies.integration import AgentOutcomeIntegration
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.strategies.making import NOW, sent

Connection = psycopg.Connection[TupleRow]


def _value(database: Database, policy: Any, metric: str = "reply_rate", **more: Any) -> PolicyValue:
    async def ask() -> PolicyValue:
        async with AgentOutcomeIntegration(database.addresses.service, analyzer=SentimentAnalyzer(offline=True)) as agent:
            return await agent.estimate_policy("acme", policy, metric, **more)

    return asyncio.run(ask())


def _drawn(connection: Connection, strategy: str, count: int, propensity: float, **more: Any) -> None:
    sent(connection, strategy, count, **more)
    connection.execute(
        "update outcome_labels set strategy_propensity = %s where framework || '_' || tone = %s and strategy_propensity is null",
        (propensity, strategy),
    )
    connection.commit()


def test_a_strategy_that_was_drawn_seldom_is_valued_by_what_it_earned(database: Database, connection: Connection) -> None:
    _drawn(connection, "PAS_casual", 800, 0.8, replied=80)
    _drawn(connection, "AIDA_direct", 200, 0.2, replied=60)
    sent(connection, "AIDA_direct", 500, lead="not-drawn")
    found = _value(database, "AIDA_direct")
    assert (found.messages, found.leads, found.logged) == (1000, 1000, 0.14)
    for value, low, high in (found.inverse_propensity, found.self_normalized, found.doubly_robust):
        assert value == pytest.approx(0.3, abs=0.01) and low < 0.3 < high and high - low < 0.2
    assert found.effective_messages == pytest.approx(200) and found.largest_weight == 5 and found.unsupported == 0
    mixed = _value(database, {"AIDA_direct": 0.5, "PAS_casual": 0.5})
    assert mixed.doubly_robust[0] == pytest.approx(0.2, abs=0.01)
    assert _value(database, {"AIDA_direct": 0.5, "X_y": 0.5}).unsupported == 0.5


def test_a_framework_may_have_a_name_of_several_words(database: Database, connection: Connection) -> None:
    _drawn(connection, "OPENING_casual", 100, 0.5, replied=10)
    _drawn(connection, "AIDA_direct", 100, 0.5, replied=30)
    connection.execute("update outcome_labels set framework = 'cold_opening' where framework = 'OPENING'")
    connection.commit()
    found = _value(database, "cold_opening_casual")
    assert found.unsupported == 0 and found.doubly_robust[0] == pytest.approx(0.1, abs=0.01)


def test_only_what_is_old_enough_counts(database: Database, connection: Connection) -> None:
    _drawn(connection, "PAS_casual", 50, 0.5, days=120, replied=5, deals=5)
    _drawn(connection, "PAS_casual", 50, 0.5, days=20, lead="younger", replied=5)
    assert (_value(database, "PAS_casual").messages, _value(database, "PAS_casual", "close_rate").messages) == (100, 50)
    assert _value(database, "PAS_casual", since=NOW - timedelta(days=30)).messages == 50
    with pytest.raises(InputError, match="no drawn message is old enough"):
        _value(database, "PAS_casual", "close_rate", since=NOW - timedelta(days=30))
    with pytest.raises(InputError, match="is no strategy"):
        _value(database, "PAS")
    with pytest.raises(InputError, match="sum 1"):
        _value(database, {"PAS_casual": 0.5})
    connection.execute("update outcome_labels set replied = false")
    connection.commit()
    with pytest.raises(InputError, match=r"100 drawn messages .* all came to the same"):
        _value(database, "PAS_casual")
