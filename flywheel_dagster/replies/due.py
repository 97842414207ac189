"""Which replies are to be judged: those that nobody judged, or that an older version did. The rule itself is `reply_is_due` in `sql/`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.weeks import FIRST_WEEK, Changes, changes_since
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.rules.classify import RULES_VERSION

_FIRST = UUID(int=0)


class DueReply(NamedTuple):
    """An outcome's latest reply, with what it answers; `sent_at` is the message's."""

    outcome_id: UUID
    organization_id: str
    replied_at: datetime
    reply_text: str
    original_message: str
    context: dict[str, Any]
    sent_at: datetime


@dataclass(frozen=True)
class Window:
    """Messages sent from `start` until before `end`, and whether there is a model to ask about their replies."""

    start: datetime
    end: datetime
    by_model: bool

    def parameters(self) -> dict[str, Any]:
        """What the statements bind."""
        return {"start": self.start, "end": self.end, **versions(by_model=self.by_model)}


def versions(*, by_model: bool) -> dict[str, int | None]:
    """The versions of today, by which a statement tells what is due."""
    return {"prompt_version": PROMPT_VERSION if by_model else None, "rules_version": RULES_VERSION}


def count_due(connection: psycopg.Connection[TupleRow], window: Window) -> int:
    """How many replies to messages of the window are to be judged."""
    row = connection.execute(statement("count_due_replies"), window.parameters()).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])


def due_replies(connection: psycopg.Connection[TupleRow], window: Window, *, page: int = 500) -> Iterator[list[DueReply]]:
    """The replies in pages, each read when it is asked for, in a transaction of its own, and each reply once; what is done with a page
    doesn't disturb the next."""
    sent_at, outcome_id = window.start, _FIRST
    while True:
        found = connection.execute(
            statement("due_replies"), {**window.parameters(), "after_sent_at": sent_at, "after_id": outcome_id, "limit": page}
        ).fetchall()
        connection.commit()
        if not found:
            return
        replies = [DueReply(*row) for row in found]
        sent_at, outcome_id = replies[-1].sent_at, replies[-1].outcome_id
        yield replies


def weeks_with_new_replies(connection: psycopg.Connection[TupleRow], cursor: str | None, *, by_model: bool) -> Changes:
    """The weeks to whose messages replies came since the cursor was taken that are to be judged."""
    return changes_since(connection, cursor, "weeks_of_due_replies", versions(by_model=by_model))


def weeks_to_judge(connection: psycopg.Connection[TupleRow], *, by_model: bool) -> list[date]:
    """All weeks that have a partition and replies to be judged."""
    return [week for week in weeks_with_new_replies(connection, None, by_model=by_model).weeks if week >= FIRST_WEEK]
