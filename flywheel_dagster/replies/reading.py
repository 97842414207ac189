"""Judges all replies of a span of messages: by rules, by a model one by one, or by the Batch API. Killed anywhere, the next run goes on."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock, held_lock
from flywheel_dagster.errors import ModelError, SettingsError
from flywheel_dagster.patience import Patience
from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.due import DueReply, Window, count_due, due_replies
from flywheel_dagster.replies.judging import LOST, Tally, judge_by_rules, readable_words, write_answers
from flywheel_dagster.replies.model_answer import Answer, Reason
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.questions import ask, release

Progress = Callable[[Tally, int], None]


@dataclass(frozen=True)
class Means:
    """Who reads replies and within which limits: `model` None means rules alone; from `batch_from` replies on, the Batch API is used;
    `budget_usd` is the most that a run may spend (None: no ceiling)."""

    model: ChatModel | None = None
    timeout: float = 30
    concurrency: int = 8
    batch_from: int = 500
    budget_usd: Decimal | None = None
    patience: Patience = Patience()


def read_replies(
    connection: psycopg.Connection[TupleRow],
    start: datetime,
    end: datetime,
    means: Means,
    *,
    progress: Progress = lambda tally, of: None,
) -> Tally:
    """Judge the replies to messages sent from `start` until before `end` that nobody judged, or an older version did.

    Every step is committed, on a connection without an open transaction. One run reads at a time; another one waits. A model is asked
    about a reply once a version: what a killed run had asked online without writing down the answer is judged by rules, and what it
    had put into a batch is fetched. `progress` is told the tally so far and how many there were to judge. Raises SettingsError for a
    ceiling without a known price, ModelError when the provider won't have us at all.
    """
    if means.model is not None and means.budget_usd is not None and means.model.price is None:
        raise SettingsError(
            f"FLYWHEEL_REPLY_BUDGET_USD is set, but what {means.model.name} costs is not known; set FLYWHEEL_REPLY_PRICE (USD for a million tokens, read and written)"
        )
    tally, window = Tally(), Window(start, end, by_model=means.model is not None)
    connection.commit()
    with held_lock(connection, Lock.REPLIES):
        if means.model is None:
            of = count_due(connection, window)
            for page in due_replies(connection, window):
                judge_by_rules(connection, page, tally)
                progress(tally, of)
            return tally
        from flywheel_dagster.replies.batches import Batches, Purse  # the official client takes most of a second to import

        with Batches(connection, means.model, means.patience, tally) as batches:
            batches.settle(lambda of: progress(tally, of))
            due = count_due(connection, window)
            if due >= means.batch_from:
                batches.buy(window, Purse(means.budget_usd))
                batches.settle(lambda of: progress(tally, of))
        if due < means.batch_from:
            of = tally.judged + due
            asyncio.run(_one_by_one(connection, means, means.model, window, tally, lambda: progress(tally, of)))
        tally.left = count_due(connection, window) - tally.unreadable
    return tally


def _affordable(tally: Tally, budget_usd: Decimal | None) -> bool:
    return budget_usd is None or (tally.usage.cost_usd or 0) < budget_usd


def _vain(tally: Tally) -> Reason | None:
    """Why it is of no use to ask any more."""
    return next((reason for reason in (Reason.NO_CREDIT, Reason.UNREACHABLE) if tally.fallbacks[reason]), None)


def _claimed(
    connection: psycopg.Connection[TupleRow], source: Iterator[DueReply], count: int, tally: Tally
) -> list[tuple[DueReply, OwnWords]]:
    """The next replies to ask about, up to `count`, written down as asked. Those that were asked before are judged by rules on the way."""
    found: list[tuple[DueReply, OwnWords]] = []
    while len(found) < count and (taken := list(islice(source, count - len(found)))):
        readable = readable_words(taken, tally)
        new = ask(connection, [reply for reply, _ in readable])
        found += [(reply, words) for reply, words in readable if reply.outcome_id in new]
        if lost := [reply for reply, _ in readable if reply.outcome_id not in new]:
            judge_by_rules(connection, lost, tally, reason=LOST, again=False)
    return found


async def _one_by_one(
    connection: psycopg.Connection[TupleRow],
    means: Means,
    model: ChatModel,
    window: Window,
    tally: Tally,
    progress: Callable[[], None],
) -> None:
    """Ask about as many at a time as may be, and write answers down as they come: what a kill can lose is in flight."""
    from flywheel_dagster.replies.model_client import ModelClient

    source = (reply for page in due_replies(connection, window) for reply in page)
    client = ModelClient(model, timeout=means.timeout, concurrency=means.concurrency)
    asked: dict[asyncio.Task[Answer], DueReply] = {}
    failure: ModelError | None = None
    try:
        while True:
            if failure is None and not _vain(tally) and _affordable(tally, means.budget_usd):
                for reply, words in _claimed(connection, source, means.concurrency - len(asked), tally):
                    asked[asyncio.create_task(client.ask(words, reply.original_message, reply.context))] = reply
            if not asked:
                break
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            refused = [(task, error) for task in done if isinstance(error := task.exception(), ModelError)]
            if refused:  # by the account or the address: no question was taken
                failure = refused[0][1]
                release(connection, [asked.pop(task) for task, _ in refused])
            write_answers(connection, [(asked.pop(task), task.result()) for task in done if task in asked], tally)
            progress()
        if failure is not None:
            raise failure
        if reason := _vain(tally):
            while rest := list(islice(source, 500)):
                judge_by_rules(connection, rest, tally, reason=reason)
                progress()
    finally:
        for task in asked:
            task.cancel()
        await client.close()
