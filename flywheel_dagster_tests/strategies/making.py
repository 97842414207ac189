"""Makes outcomes of strategies, straight in the table: fast, and with whatever time they should have had."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.strategies.learning import Refreshed, refresh

NOW = datetime.now(UTC)
_INSERT = """insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, framework, tone, agent_decisions, lead_industry,
  delivered, opened, replied, replied_at, reply_sentiment_score, sentiment_label, meeting_booked, deal_closed, deal_value)
select %(organization)s, %(campaign)s, %(lead)s || i, %(channel)s, 'Hello', %(sent_at)s, %(framework)s, %(tone)s, %(decisions)s, %(industry)s,
  true, i < %(replied)s, i < %(replied)s, case when i < %(replied)s then %(sent_at)s + interval '1 day' end,
  case when i < %(replied)s then 0.8 end, case when i < %(replied)s then 'positive' end, i < %(meetings)s, i < %(deals)s,
  case when i < %(deals)s then 1000 end
from generate_series(0, %(count)s - 1) i"""


def sent(connection: psycopg.Connection[TupleRow], strategy: str, count: int, **more: Any) -> None:
    """Messages of acme's campaign spring with a strategy such as PAS_casual, `days` ago (120): so many `replied`, had `meetings`, and `deals` of 1,000."""
    framework, tone = strategy.split("_")
    decisions = {"PersonalizerAgent": {"framework": framework, "tone": tone}, **more.pop("decisions", {})}
    values = {
        "organization": "acme",
        "campaign": "spring",
        "lead": f"{strategy}-",
        "channel": "email",
        "industry": "SaaS",
        "replied": 0,
        "meetings": 0,
        "deals": 0,
    }
    at = NOW - timedelta(days=more.pop("days", 120))
    connection.execute(
        _INSERT,
        {**values, **more, "count": count, "framework": framework, "tone": tone, "decisions": Jsonb(decisions), "sent_at": at},
    )
    connection.commit()


def learn(connection: psycopg.Connection[TupleRow], organization: str | None = None) -> list[Refreshed]:
    """Bring counts and lessons in step."""
    connection.commit()
    connection.autocommit = True
    try:
        return list(refresh(connection, organization))
    finally:
        connection.autocommit = False
