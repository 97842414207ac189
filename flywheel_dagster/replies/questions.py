"""The book of questions: what a model was asked is written down before it goes out."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.replies.due import DueReply
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION


def ask(connection: psycopg.Connection[TupleRow], replies: Sequence[DueReply], *, batch_id: UUID | None = None) -> set[UUID]:
    """Write these questions down, in a transaction; returns the outcomes whose reply was not asked about before, at this version."""
    with connection.transaction():
        found = connection.execute(
            statement("ask_questions"),
            {**_named(replies), "batch_id": batch_id},
        ).fetchall()
    return {row[0] for row in found}


def release(connection: psycopg.Connection[TupleRow], replies: Sequence[DueReply]) -> None:
    """Take questions back that were not taken, let alone paid for, in a transaction."""
    with connection.transaction():
        connection.execute(
            statement("release_questions"),
            _named(replies),
        )


def asked_before(connection: psycopg.Connection[TupleRow], replies: Sequence[DueReply]) -> set[UUID]:
    """The outcomes whose reply was asked about already, at this version."""
    with connection.transaction():
        found = connection.execute(
            statement("asked_before"),
            _named(replies),
        ).fetchall()
    return {row[0] for row in found}


def open_questions(
    connection: psycopg.Connection[TupleRow], batch_id: UUID, outcome_ids: Sequence[UUID] | None = None, *, page: int = 1_000
) -> Iterator[list[DueReply]]:
    """The questions of a batch that have no answer yet, in pages; with `outcome_ids`, those of them."""
    after = UUID(int=0)
    while True:
        with connection.transaction():
            found = connection.execute(
                statement("questions_of_batch"),
                {
                    "batch_id": batch_id,
                    "ids": None if outcome_ids is None else list(outcome_ids),
                    "after": after,
                    "limit": page,
                },
            ).fetchall()
        if not found:
            return
        replies = [DueReply(*row) for row in found]
        after = replies[-1].outcome_id
        yield replies


def forget_questions(connection: psycopg.Connection[TupleRow], batch_id: UUID) -> None:
    """Take back what a batch left without an answer; nothing was paid for it."""
    connection.execute("delete from reply_questions where batch_id = %s and answered_at is null", (batch_id,))


def _named(replies: Sequence[DueReply]) -> dict[str, Any]:
    return {
        "outcome_ids": [reply.outcome_id for reply in replies],
        "replied_at": [reply.replied_at for reply in replies],
        "prompt_version": PROMPT_VERSION,
    }
