"""Asking a model many questions, each answer kept as it comes: what was asked before isn't asked, or paid for, again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import TransientModelError
from flywheel_dagster.models.chat import Answer, Chat
from flywheel_dagster.patience import Patience
from flywheel_dagster.training.examination.prompts import Question

JUDGE = "judge"
_TRIES = 8
_LONGEST_WAIT = 600.0  # seconds that a question may have failed for and still be asked again
Told = Callable[[int], None]


@dataclass(frozen=True)
class Examinee:
    """A model that is examined, or compared with: who made it, its id as in `model_registry`, and how to ask it."""

    trainer: str
    model_id: str
    chat: Chat
    registry_id: UUID | None = None


@dataclass(frozen=True)
class Asking:
    """How to ask: so many questions at a time; the dataset is where the questions are from. `sleep` and `clock` (seconds) are injectable."""

    connection: psycopg.Connection[TupleRow]
    dataset_hash: str
    concurrency: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic


async def ask(
    how: Asking, who: Examinee, questions: Sequence[Question], *, max_tokens: int, told: Told = lambda _: None
) -> list[Answer]:
    """The answers, in the order of the questions. `told` is called with how many are there.

    What fails but may pass by itself is asked again, up to eight times, until it has failed for ten minutes: time spent on answers that never
    came counts like pauses. When asking fails for good, nothing more is asked, what is under way is awaited and kept, and the first failure
    raised: called again, it goes on.
    """
    known = _answered_before(how, who, questions, max_tokens)
    told(len(known))
    pending = iter(list({_key(each): each for each in questions if _key(each) not in known}.values()))
    failures: list[Exception] = []

    async def insist(question: Question) -> Answer:
        waited = 0.0
        for attempt in range(1, _TRIES):
            began = how.clock()
            try:
                return await who.chat.answer(question.messages, max_tokens=max_tokens, seed=question.seed)
            except TransientModelError as error:
                pause = Patience().pause(attempt, error)
                waited += how.clock() - began + pause
                if failures or waited > _LONGEST_WAIT:
                    raise
            await how.sleep(pause)
        return await who.chat.answer(question.messages, max_tokens=max_tokens, seed=question.seed)

    async def work() -> None:
        for question in pending:
            try:
                answer = _storable(await insist(question))
                _keep(how, who, question, answer, max_tokens)
            except Exception as failure:  # raised below, once the others' answers are kept
                failures.append(failure)
            if failures:
                return
            known[_key(question)] = answer
            told(len(known))

    await asyncio.gather(*(work() for _ in range(how.concurrency)))
    if failures:
        raise failures[0]
    return [known[_key(question)] for question in questions]


def _key(question: Question) -> tuple[str, int]:
    return question.hash, question.seed


def _storable(answer: Answer) -> Answer:
    """Without the characters that PostgreSQL can't hold: NUL, and halves of surrogate pairs."""
    refusal = None if answer.refusal is None else _clean(answer.refusal)
    return replace(answer, text=_clean(answer.text), refusal=refusal, finish_reason=_clean(answer.finish_reason))


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _answered_before(how: Asking, who: Examinee, questions: Sequence[Question], max_tokens: int) -> dict[tuple[str, int], Answer]:
    wanted = {_key(question) for question in questions}
    values = {"trainer": who.trainer, "model_id": who.model_id, "max_tokens": max_tokens, "prompts": [each for each, _ in wanted]}
    rows = how.connection.execute(statement("examination_answers"), values).fetchall()
    how.connection.commit()
    return {(prompt, seed): Answer(*rest) for prompt, seed, *rest in rows if (prompt, seed) in wanted}


def _keep(how: Asking, who: Examinee, question: Question, answer: Answer, max_tokens: int) -> None:
    values = {
        "dataset_hash": how.dataset_hash,
        "trainer": who.trainer,
        "model_id": who.model_id,
        "prompt_hash": question.hash,
        "seed": question.seed,
        "max_tokens": max_tokens,
        "outcome_id": question.outcome_id,
        "text": answer.text,
        "refusal": answer.refusal,
        "finish_reason": answer.finish_reason,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "seconds": answer.seconds,
    }
    with how.connection.transaction():
        how.connection.execute(statement("keep_examination_answer"), values)
