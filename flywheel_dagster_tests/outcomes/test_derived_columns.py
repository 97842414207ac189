"""Quality, label and weight derive themselves, whoever writes the row."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster_tests.outcomes.making import row_of
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]


def insert(connection: Connection, **columns: Any) -> UUID:
    values = {"organization_id": "acme", "campaign_id": "c", "lead_id": "l", "channel": "email", "message_body": "Hello"} | columns
    statement = sql.SQL("insert into outcome_labels ({}) values ({}) returning id").format(
        sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
    )
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return UUID(str(row[0]))


@pytest.mark.parametrize(
    ("columns", "quality", "label", "weight"),
    [
        ({}, 0.0, None, None),
        ({"delivered": True}, 0.1, "neutral", 1),
        ({"bounced": True}, 0.1, "negative_example", 0.5),
        ({"delivered": True, "bounced": True}, 0.1, "negative_example", 0.5),
        ({"delivered": True, "opened": True}, 0.2, "neutral", 1),
        ({"opened": True}, 0.2, "neutral", 1),
        ({"delivered": True, "opened": True, "clicked": True}, 0.35, "neutral", 1),
        (
            {"opened": True, "replied": True, "reply_sentiment_score": 0.8, "sentiment_label": "positive", "interest_signal": True},
            0.6,
            "positive_example",
            3,
        ),
        ({"replied": True, "reply_sentiment_score": 0.5}, 0.3, "neutral", 1),
        ({"replied": True, "reply_sentiment_score": 0.0, "sentiment_label": "neutral"}, 0.3, "neutral", 1),
        (
            {"replied": True, "sentiment_label": "negative", "reply_sentiment_score": -0.7, "objection_type": "price"},
            0.3,
            "negative_example",
            2,
        ),
        ({"replied": True, "objection_type": "none"}, 0.3, "neutral", 1),
        ({"delivered": True, "unsubscribed": True}, 0.1, "negative_example", 1),
        ({"delivered": True, "spam_reported": True}, 0.1, "negative_example", 1),
        ({"delivered": True, "meeting_booked": True}, 0.4, "positive_example", 5),
        ({"delivered": True, "meeting_completed": True}, 0.8, "positive_example", 7),
        ({"meeting_booked": True, "meeting_no_show": True}, 0.4, "positive_example", 5),
        ({"deal_closed": True, "deal_value": 15_000}, 0.6, "positive_example", 10),
        ({"opened": True, "deal_closed": True, "deal_value": 50_000, "icp_score": 1.0}, 1.0, "positive_example", 10),
        ({"deal_closed": True, "deal_value": 50_000, "icp_score": 1.0}, 0.9, "positive_example", 10),
        ({"deal_closed": True, "deal_value": 49_999.99}, 0.6, "positive_example", 10),
        ({"deal_opened": True, "deal_value": 90_000}, 0.1, "neutral", 1),
        ({"delivered": True, "icp_score": 0.85}, 0.185, "neutral", 1),
        ({"bounced": True, "deal_closed": True}, 0.6, "positive_example", 10),
        ({"deal_closed": True, "unsubscribed": True}, 0.6, "positive_example", 10),
    ],
)
def test_quality_label_and_weight_follow_the_formula(
    connection: Connection, columns: dict[str, Any], quality: float, label: str | None, weight: float | None
) -> None:
    row = row_of(connection, insert(connection, **columns))
    assert (row["quality_score"], row["training_label"], row["training_weight"]) == (quality, label, weight)


@settings(max_examples=examples(60, quick=25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    flags=st.sets(
        st.sampled_from(
            [
                "delivered",
                "bounced",
                "opened",
                "clicked",
                "unsubscribed",
                "replied",
                "meeting_booked",
                "meeting_completed",
                "deal_closed",
            ]
        )
    ),
    score=st.floats(-1, 1) | st.none(),
    icp=st.floats(0, 1) | st.none(),
    value=st.decimals(0, 200_000, places=2),
)
def test_whatever_happens_quality_stays_between_0_and_1_and_agrees_with_label_and_weight(
    connection: Connection, flags: set[str], score: float | None, icp: float | None, value: Any
) -> None:
    row = row_of(
        connection, insert(connection, **dict.fromkeys(flags, True), reply_sentiment_score=score, icp_score=icp, deal_value=value)
    )
    assert 0 <= row["quality_score"] <= 1
    assert (row["training_label"] is None) == (row["training_weight"] is None) == (not row["delivered"] and not row["bounced"])
    if row["training_label"] == "positive_example":
        assert row["training_weight"] >= 3


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"reply_sentiment_score": 1.01}, "reply_sentiment_score"),
        ({"icp_score": -0.1}, "icp_score"),
        ({"sentiment_label": "meh"}, "sentiment_label"),
        ({"interest_level": "huge"}, "interest_level"),
        ({"objection_type": "weather"}, "objection_type"),
        ({"deal_value": -1}, "deal_value"),
        ({"open_count": -1}, "open_count"),
        ({"experiment_arm": "variant_z"}, "experiment_arm"),
        ({"organization_id": "global"}, "organization_id"),
        ({"lead_id": ""}, "lead_id"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_database(connection: Connection, columns: dict[str, Any], constraint: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        insert(connection, **columns)


def test_five_columns_are_enough_and_the_organization_and_lead_appear(connection: Connection) -> None:
    row = row_of(connection, insert(connection, organization_id="newcomer", lead_id="bob", lead_industry="SaaS"))
    assert row["sent_at"] is not None
    consent = connection.execute(
        "select allows_global_training, training_enabled from organizations where id = 'newcomer'"
    ).fetchone()
    assert consent == (False, False)
    assert connection.execute("select industry from leads where organization_id = 'newcomer' and lead_id = 'bob'").fetchone() == (
        "SaaS",
    )


def test_membership_in_a_dataset_is_not_a_change_but_everything_else_is(connection: Connection) -> None:
    outcome = insert(connection, delivered=True)
    connection.commit()
    before = row_of(connection, outcome)
    connection.execute("update outcome_labels set included_in_training = true where id = %s", (outcome,))
    connection.commit()
    included = row_of(connection, outcome)
    assert included["included_in_training"] is True
    assert (included["changed_xid"], included["updated_at"]) == (before["changed_xid"], before["updated_at"])
    connection.execute("update outcome_labels set included_in_training = false, opened = true where id = %s", (outcome,))
    connection.commit()
    assert int(row_of(connection, outcome)["changed_xid"]) > int(before["changed_xid"])


def test_the_view_of_training_ready_outcomes_has_those_with_a_label_and_text(connection: Connection) -> None:
    ready = insert(connection, delivered=True)
    insert(connection)
    insert(connection, delivered=True, message_body="")
    assert connection.execute("select id from training_ready_outcomes").fetchall() == [(ready,)]
