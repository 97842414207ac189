"""Outcomes for the warehouse's tests, and what a reader finds of them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

WEEKS = [date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19)]
WEEK = WEEKS[0]


def write(connection: psycopg.Connection[TupleRow], count: int, *, week: int = 0, **given: Any) -> list[UUID]:
    """Delivered messages, sent so many weeks after MONDAY; each third was answered."""
    sent = [
        message(
            **{
                "lead_id": f"lead {week}-{number}",
                "message_body": f"idea {number}",
                "sent_at": MONDAY + timedelta(weeks=week, minutes=number),
            }
            | given
        )
        for number in range(count)
    ]
    send(connection, sent)
    events = [event(each.id, "delivered", week * 7 + 1) for each in sent]
    events += [event(each.id, "replied", week * 7 + 2, reply_text="Call me on Monday") for each in sent[::3]]
    record(connection, events)
    connection.commit()
    return [each.id for each in sent]


def rows_by_week(folder: Path, table: str = "training_ready_outcomes") -> dict[date, int]:
    """What DuckDB reads of the whole table, as hive partitions."""
    if not list(folder.glob(f"{table}/v1/*/*.parquet")):
        return {}
    found = duckdb.sql(
        f"select week, count(*) from read_parquet('{folder}/{table}/v1/*/*.parquet', hive_partitioning = true) group by week order by week"
    ).fetchall()
    return dict(found)
