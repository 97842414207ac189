"""Outcomes with replies for the tests, and who reads them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.patience import Patience
from flywheel_dagster.replies.judging import Tally
from flywheel_dagster.replies.reading import Means, read_replies
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message
from flywheel_dagster_tests.replies.asking import model_at
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
BY_RULES = Means()
AT_ONCE = Patience(poll=timedelta(milliseconds=5), limit=timedelta(minutes=2))
TEXTS = (
    "Sure, let's talk on Tuesday.",
    "Not interested, thanks.",
    "We already use another tool.",
    "Could you tell me more?",
    "Noted.",
)


def write_replies(connection: Connection, texts: Sequence[str] = TEXTS, *, week: int = 0, name: str = "reply") -> list[UUID]:
    """A message for each text, and that reply a day later. The same call writes the same."""
    outcomes = [uuid5(NAMESPACE_URL, f"{name}/{week}/{number}") for number in range(len(texts))]
    at = MONDAY + timedelta(weeks=week)
    send(
        connection,
        [message(id=outcome, lead_id=f"{name}-{number}", sent_at=at, lead_role="CFO") for number, outcome in enumerate(outcomes)],
    )
    record(connection, [event(outcome, "replied", 7 * week + 1, text=text) for outcome, text in zip(outcomes, texts, strict=True)])
    connection.commit()
    return outcomes


def means_at(server: Served, *, batch_from: int = 10_000, budget_usd: Decimal | None = None, **model: Any) -> Means:
    """The model server is asked, without batches unless told otherwise."""
    return Means(
        model_at(server, **model), timeout=20, concurrency=4, batch_from=batch_from, budget_usd=budget_usd, patience=AT_ONCE
    )


def read_all(
    connection: Connection, means: Means = BY_RULES, *, start: datetime = MONDAY - timedelta(hours=9), weeks: int = 4
) -> Tally:
    """Read the replies to the messages of some weeks."""
    return read_replies(connection, start, start + timedelta(weeks=weeks), means)


def judged(connection: Connection) -> dict[str, tuple[str | None, str | None, str | None]]:
    """By reply: label, method and version."""
    rows = connection.execute(
        "select reply_text, sentiment_label, classification_method, classification_version from outcome_labels where replied"
    ).fetchall()
    connection.commit()
    return {row[0]: row[1:] for row in rows}


def billed(server: Served, kind: str = "chat") -> dict[str, int]:
    """How often each request was answered."""
    found: dict[str, int] = server.http.get(f"/sandbox/billed/{kind}").json()
    return found
