"""Buys each batch of questions once: a row first, then the file, then the batch under the row's key; after any crash the same batch is found
again and its answers are fetched. What a batch is to the provider is in `batch_client.py`."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.errors import ModelError, PermanentModelError, TransientModelError, UnansweredModelError, UnknownBatchError
from flywheel_dagster.patience import Patience
from flywheel_dagster.replies.batch_client import BatchClient, BatchState, BatchStatus, request_line
from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.due import DueReply, Window, due_replies
from flywheel_dagster.replies.judging import LOST, Tally, judge_by_rules, readable_words, write_answers
from flywheel_dagster.replies.model_answer import Answer
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.prices import Price
from flywheel_dagster.replies.questions import ask, asked_before, forget_questions, open_questions

REQUESTS = 20_000  # a batch; OpenAI takes 50,000, but 200 MB too, and a request is some 6 kB
BYTES = 190_000_000
_ATTEMPTS = 7  # with pauses of 1, 2, 4 … seconds about a minute, which a provider's list may also lag behind
_LOOKS = 30  # that may fail in a row while a batch runs
_GIVEN_UP = timedelta(days=7)  # after which a batch that the provider doesn't know is lost
_GROUP = 1_000  # answers a transaction
_BYTES_A_TOKEN, _TOKENS_AN_ANSWER = 3, 150  # cautious, for what a batch may cost


@dataclass(frozen=True)
class Batch:
    """A row of `reply_batches` that is not settled."""

    id: UUID
    model: str
    prompt_version: int
    requests: int
    status: str
    input_file_id: str | None
    provider_batch_id: str | None
    created_at: datetime


class Purse:
    """What may still be spent, in USD; None: without limit."""

    def __init__(self, budget_usd: Decimal | None) -> None:
        self._left, self.refused = budget_usd, False

    def spend(self, cost_usd: Decimal) -> bool:
        """Take so much out; False, and ever after, where it isn't there."""
        if self._left is not None:
            self.refused = self.refused or cost_usd > self._left
            self._left -= 0 if self.refused else cost_usd
        return not self.refused


class Batches:
    """The batches at one model's address, over one connection without an open transaction; every step is committed."""

    def __init__(self, connection: psycopg.Connection[TupleRow], model: ChatModel, patience: Patience, tally: Tally) -> None:
        self._connection, self._model, self._patience, self._tally = connection, model, patience, tally
        self._client = BatchClient(model)
        self._endpoint = model.base_url or "https://api.openai.com/v1"

    def __enter__(self) -> "Batches":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def buy(self, window: Window, purse: Purse) -> None:
        """Submit what is due, as far as the purse reaches. What was asked before and never answered is judged by rules."""
        requests = self._requests(window)
        while not purse.refused:
            with tempfile.TemporaryDirectory(prefix="flywheel-") as folder:
                path = Path(folder) / "questions.jsonl"
                batch = self._plan(requests, path, purse)
                if batch is None:
                    return
                self._submit(batch, path)
                self._tally.batches += 1

    def settle(self, progress: Callable[[int], None]) -> None:
        """Wait for the batches that were bought, whoever bought them, and write their answers down; `progress` is told how many there are."""
        waiting = self._open()
        of = self._tally.judged + sum(batch.requests for batch in waiting)
        for batch in waiting:
            provider_id = batch.provider_batch_id or self._submit(batch, None)
            try:
                ended = self._wait(provider_id, lambda: progress(of))
            except UnknownBatchError:
                if datetime.now(UTC) - batch.created_at < _GIVEN_UP:
                    raise
                self._update(batch.id, status="failed", error="the provider no longer knows the batch")
                continue
            self._collect(batch, ended, lambda: progress(of))

    def _requests(self, window: Window) -> Iterator[tuple[DueReply, bytes]]:
        for page in due_replies(self._connection, window):
            known = asked_before(self._connection, page)
            if known:
                lost = [reply for reply in page if reply.outcome_id in known]
                judge_by_rules(self._connection, lost, self._tally, reason=LOST, again=False)
            yield from self._lines((reply for reply in page if reply.outcome_id not in known), self._model.name)

    def _lines(self, replies: Iterable[DueReply], model: str) -> Iterator[tuple[DueReply, bytes]]:
        for reply, words in readable_words(replies, self._tally):
            yield reply, request_line(str(reply.outcome_id), words, reply.original_message, reply.context, model)

    def _plan(self, requests: Iterator[tuple[DueReply, bytes]], path: Path, purse: Purse) -> Batch | None:
        """Write the next requests to `path` and their questions into the book; None when there are no more, or none can be paid."""
        taken: list[DueReply] = []
        price, size = (self._model.price or Price.free()).batch(), 0
        with path.open("wb") as file:
            for reply, line in requests:
                if not purse.spend(price.cost_usd(len(line) // _BYTES_A_TOKEN, _TOKENS_AN_ANSWER)):
                    break
                size += file.write(line)
                taken.append(reply._replace(reply_text="", original_message=""))
                if len(taken) == REQUESTS or size >= BYTES:
                    break
        if not taken:
            return None
        batch_id = uuid4()
        with self._connection.transaction():
            self._connection.execute(
                statement("plan_reply_batch"),
                {
                    "id": batch_id,
                    "model": self._model.name,
                    "endpoint": self._endpoint,
                    "prompt_version": PROMPT_VERSION,
                    "requests": len(taken),
                },
            )
            ask(self._connection, taken, batch_id=batch_id)
        return self._read(batch_id)

    def _submit(self, batch: Batch, path: Path | None) -> str:
        """Find the batch at the provider, or create it; returns its id there. `path` has its requests, else they are written again."""

        def found_or_created() -> str:
            # `submitted` without an id: a create was sent, perhaps by a process that is dead now, and its answer is not known.
            now = self._read(batch.id)
            if now.status == "submitted":
                for _ in self._patience.tries(_ATTEMPTS):
                    if (found := self._client.find(str(batch.id), since=batch.created_at)) is not None:
                        return found
            file_id = now.input_file_id or self._upload(batch, path)
            self._update(
                batch.id, status="submitted"
            )  # said before it is done; it also proves that the connection lives, and with it the lock
            try:
                return self._client.create(str(batch.id), file_id)
            except UnansweredModelError:
                raise
            except ModelError:
                self._update(batch.id, status="planned", input_file_id=None)  # it did not come about; the file may be why
                raise

        provider_id = self._patience.insist(found_or_created, attempts=_ATTEMPTS, on=TransientModelError)
        self._update(batch.id, status="submitted", provider_batch_id=provider_id)
        return provider_id

    def _upload(self, batch: Batch, path: Path | None) -> str:
        with tempfile.TemporaryDirectory(prefix="flywheel-") as folder:
            if path is None:
                path = Path(folder) / "questions.jsonl"
                with path.open("wb") as file:
                    for replies in open_questions(self._connection, batch.id):
                        file.writelines(line for _, line in self._lines(replies, batch.model))
            file_id = self._client.upload(path, name=f"replies-{batch.id}.jsonl")
        self._update(batch.id, input_file_id=file_id)
        return file_id

    def _wait(self, provider_id: str, progress: Callable[[], None]) -> BatchStatus:
        for _ in self._patience.looks():
            seen = self._patience.insist(lambda: self._client.status(provider_id), attempts=_LOOKS, on=TransientModelError)
            progress()
            if seen.state is not BatchState.RUNNING:
                return seen
        raise TransientModelError(
            f"batch {provider_id} is still {seen.provider_status} after {self._patience.limit}; materialize reply_sentiment again to go on waiting"
        )

    def _collect(self, batch: Batch, ended: BatchStatus, progress: Callable[[], None]) -> None:
        """Write the answers down in groups, each committed; a group that was written already is left out. What has none may be asked again."""
        files = [file_id for file_id in (ended.output_file_id, ended.error_file_id) if file_id]
        for file_id in files:
            results = self._client.results(file_id)
            while group := dict(islice(results, _GROUP)):
                self._write(batch, group)
                progress()
        with self._connection.transaction():
            forget_questions(self._connection, batch.id)
            failed = ended.state is BatchState.FAILED
            self._update(
                batch.id, status="failed" if failed else "recorded", provider_status=ended.provider_status, error=ended.error
            )
        for used in (*files, self._read(batch.id).input_file_id):
            if used:
                with suppress(ModelError):  # it goes by itself after a while
                    self._client.delete_file(used)
        if failed:
            raise PermanentModelError(
                f"batch {ended.batch_id} failed: {ended.error or 'no reason given'}; nothing was paid for: mend the cause, then materialize reply_sentiment again"
            )

    def _write(self, batch: Batch, answers: dict[str, Answer]) -> None:
        named = [UUID(custom_id) for custom_id in answers]
        for replies in open_questions(self._connection, batch.id, named):
            told = [(reply, answers[str(reply.outcome_id)]) for reply in replies]
            write_answers(self._connection, told, self._tally, prompt_version=batch.prompt_version)

    def _open(self) -> list[Batch]:
        with self._connection.transaction(), self._connection.cursor(row_factory=class_row(Batch)) as cursor:
            return cursor.execute(statement("open_reply_batches"), {"endpoint": self._endpoint}).fetchall()

    def _read(self, batch_id: UUID) -> Batch:
        with self._connection.transaction(), self._connection.cursor(row_factory=class_row(Batch)) as cursor:
            row = cursor.execute(statement("reply_batch"), {"id": batch_id}).fetchone()
        assert row is not None
        return row

    def _update(self, batch_id: UUID, **changes: Any) -> None:
        with self._connection.transaction():
            self._connection.execute(statement("update_reply_batch"), {"id": batch_id, "changes": Jsonb(changes)})
