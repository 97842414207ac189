"""Messages and replies written down by HTTP: all or none, once, and nothing that the database can't hold."""

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.api.keys import Role
from flywheel_dagster_tests.api.serving import Serving
from flywheel_dagster_tests.api.test_strategies import failed, shown
from flywheel_dagster_tests.outcomes.making import row_of

Connection = psycopg.Connection[TupleRow]
MESSAGES, REPLIES = "/strategies/messages", "/strategies/replies"
JSON = {"Content-Type": "application/json"}
MESSAGE = {
    "campaign_id": "spring", "lead_id": "ada", "channel": "email", "message_body": "Hi {{first_name}}",
    "agent_decisions": {"PersonalizerAgent": {"framework": "PAS", "tone": "professional"}}, "lead_context": {"industry": "SaaS", "company_size": 200},
}  # fmt: skip


def count(connection: Connection) -> int:
    row = connection.execute("select count(*) from outcome_labels").fetchone()
    connection.rollback()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def test_a_message_by_a_suggestion_and_its_reply(served: Serving, connection: Connection) -> None:
    client = served.asking("acme", Role.OPERATOR)
    suggestion = shown(client.post("/strategies/suggest", json={"allowed": [["PAS", "casual"], ["AIDA", "direct"]]}))
    sent = {**MESSAGE, "agent_decisions": {}, "suggestion": suggestion, "sent_at": "2026-01-05T09:00:00+01:00"}
    (outcome,) = shown(client.post(MESSAGES, json=sent), 201)["outcome_ids"]
    row = row_of(connection, outcome)
    assert (row["organization_id"], row["company_size"], row["sent_at"].isoformat()) == ("acme", "200", "2026-01-05T08:00:00+00:00")
    assert {"framework": row["framework"], "tone": row["tone"]} == suggestion["decisions"]
    assert row["strategy_propensity"] == suggestion["propensity"]
    connection.rollback()
    reply = {"outcome_id": outcome, "reply_text": "Interested! Can we schedule a call next week?", "event_id": "mail 7"}
    judged = shown(client.post(REPLIES, json=reply))
    assert judged["interest_signal"] and judged["sentiment_score"] > 0 and judged["method"] == "rules"
    assert shown(client.post(REPLIES, json=reply)) == judged
    row = row_of(connection, outcome)
    assert row["replied"] and row["reply_sentiment_score"] == judged["sentiment_score"]
    assert connection.execute("select count(*) from webhook_events where event_type = 'replied'").fetchone() == (1,)


def test_many_messages_are_written_together_or_not_at_all(served: Serving, connection: Connection) -> None:
    client = served.asking("acme")
    many = [{**MESSAGE, "lead_id": f"lead {number}", "outcome_id": str(uuid4())} for number in range(1_000)]
    for _ in range(2):
        assert shown(client.post(MESSAGES, json=many), 201)["outcome_ids"] == [each["outcome_id"] for each in many]
    assert count(connection) == 1_000
    failed(client.post(MESSAGES, json=[*many, MESSAGE]), 422, "invalid_request")
    failed(client.post(MESSAGES, json=[]), 422, "invalid_request")
    error = failed(client.post(MESSAGES, json=[MESSAGE, {**MESSAGE, "channel": "pigeon"}]), 422, "invalid_request")
    assert error["field"] == "body.messages.1.channel"
    assert count(connection) == 1_000


def test_what_the_database_cannot_hold_is_refused_with_its_place(served: Serving, connection: Connection) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"agent_decisions": {"a": {"b": ["x\x00"]}}}, "agent_decisions"),
        ({"agent_decisions": {"a": float("nan")}}, "agent_decisions"),
        ({"agent_decisions": [1]}, "agent_decisions"),
        ({"message_body": "a\x00b"}, "message_body"),
        ({"lead_id": ""}, "lead_id"),
        ({"sent_at": "2026-01-05T09:00:00"}, "sent_at"),
        ({"sent_at": "1026-01-05T09:00:00Z"}, "sent_at"),
        ({"sent_at": 1767600000}, "sent_at"),
        ({"lead_context": {"icp_score": 2}}, "lead_context.icp_score"),
        ({"lead_context": {"shoe_size": 43}}, "lead_context.shoe_size"),
        ({"outcome_id": "7"}, "outcome_id"),
        ({"strategy_propensity": 1}, "strategy_propensity"),
    ]
    deep: Any = "x"
    for _ in range(12):
        deep = {"a": deep}
    for change, field in [*wrong, ({"agent_decisions": deep}, "agent_decisions")]:
        error = failed(
            served.asking("acme").post(MESSAGES, content=json.dumps({**MESSAGE, **change}), headers=JSON), 422, "invalid_request"
        )
        assert error["field"] == f"body.message.{field}", error
    surrogate = json.dumps(MESSAGE).replace('"PAS"', '"\\ud800"')
    failed(served.asking("acme").post(MESSAGES, content=surrogate, headers=JSON), 422, "invalid_request")
    failed(served.asking("acme").post(MESSAGES, json={**MESSAGE, "organization_id": "global"}), 404, "organization_unknown")
    failed(served.asking("*").post(MESSAGES, json={**MESSAGE, "organization_id": "global"}), 422, "invalid_request")
    assert count(connection) == 0


@pytest.mark.parametrize("text", ["", " \n", "x" * 100_001])
def test_no_reply_is_recorded_that_says_nothing_or_too_much(served: Serving, connection: Connection, text: str) -> None:
    (outcome,) = shown(served.asking("acme").post(MESSAGES, json=MESSAGE), 201)["outcome_ids"]
    failed(served.asking("acme").post(REPLIES, json={"outcome_id": outcome, "reply_text": text}), 422, "invalid_request")
    assert row_of(connection, outcome)["replied"] is False


def test_large_bodies_are_for_messages_only(served: Serving) -> None:
    large = [{**MESSAGE, "message_body": "x" * 90_000}] * 2
    shown(served.asking("acme").post(MESSAGES, json=large), 201)
    assert served.asking("acme").post(MESSAGES, json=large * 25).status_code == 413
    assert served.asking("acme").post("/strategies/suggest", json=large).status_code == 413
