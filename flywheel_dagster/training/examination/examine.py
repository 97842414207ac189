"""Examines a model before it is registered: candidate and control answer the same requests, and their answers meet the criteria."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock, held_lock
from flywheel_dagster.datasets.files import TRAIN, verify
from flywheel_dagster.datasets.published import Dataset, require_not_erased
from flywheel_dagster.errors import InputError, PermanentModelError
from flywheel_dagster.models.chat import Chat
from flywheel_dagster.training.examination.asking import JUDGE, Asking, Examinee, ask
from flywheel_dagster.training.examination.examples import read_examples
from flywheel_dagster.training.examination.judge import MOST_TOKENS as MOST_JUDGE_TOKENS
from flywheel_dagster.training.examination.judge import questions_for, verdict_of
from flywheel_dagster.training.examination.measuring import Answers, measure
from flywheel_dagster.training.examination.profile import Profile, profile_of
from flywheel_dagster.training.examination.prompts import Prompt, choose_prompts
from flywheel_dagster.training.examination.report import Examination, Limits, Subject, store, stored

_LOG = logging.getLogger(__name__)
_LEAST_TOKENS = 2_048  # some think before they write
_TOKENS_A_WORD = 4  # generously: whoever needs more was cut off by right

Progress = Callable[[str, int, int], None]


def examine(
    connection: psycopg.Connection[TupleRow],
    scope: str,
    dataset: Dataset,
    candidate: Examinee,
    control: Examinee | None = None,
    *,
    limits: Limits,
    judge: Chat | None = None,
    progress: Progress = lambda who, at, of: None,
) -> Examination:
    """Examine a candidate on the test side of a dataset, against the control or, without one, against the messages that people sent.

    Commits what is open in `connection`, and closes the chats. Answers are kept as they come, so that an examination that was killed goes on
    when it is called again; the same subject gives the stored report. `progress` is told who is asked, and how many answers of how many are
    there. A control that can't be asked for good (deleted, its key gone) is left out: what is stored then is the examination without control.
    Raises ModelError when another model can't be asked, InputError when the dataset's files are gone or changed, or a lead of it was erased.
    """
    subject = Subject(scope, candidate, control, dataset.hash, limits, judge.name if judge else None)
    chats = [chat for chat in (candidate.chat, control.chat if control else None, judge) if chat is not None]
    with held_lock(connection, Lock.EXAMINATION, _key(scope)):
        if (before := stored(connection, subject)) is not None:
            asyncio.run(_close(chats))
            return before
        require_not_erased(connection, dataset)
        verify(dataset)
        profile = profile_of(read_examples(dataset, TRAIN))
        if not profile.messages:
            raise InputError(f"dataset {dataset.hash[:12]} has no messages to train on; materialize training_jsonl again")
        prompts = choose_prompts(connection, dataset, at_most=limits.max_prompts)
        connection.commit()
        asking = Asking(connection, dataset.hash, limits.concurrency)
        answers = asyncio.run(_gather(asking, subject, judge, prompts, _most_tokens(profile), chats, progress))
        if answers.silent is not None:
            subject = replace(subject, control=None)
        findings = measure(connection, scope, dataset, profile, answers, min_prompts=limits.min_prompts)
        require_not_erased(connection, dataset)
        examination = store(connection, subject, findings, prompts=len(prompts))
        connection.commit()
        return examination


async def _gather(
    asking: Asking,
    subject: Subject,
    judge: Chat | None,
    prompts: list[Prompt],
    max_tokens: int,
    chats: list[Chat],
    progress: Progress,
) -> Answers:
    """One model after the other, the chats closed in the loop that they were used in."""
    questions = [prompt.question for prompt in prompts]

    def told(who: str, of: int) -> Callable[[int], None]:
        return lambda at: progress(who, at, of)

    try:
        candidate = await ask(asking, subject.candidate, questions, max_tokens=max_tokens, told=told("candidate", len(questions)))
        answers = Answers(prompts, candidate)
        if subject.control is not None:
            try:
                said = await ask(asking, subject.control, questions, max_tokens=max_tokens, told=told("control", len(questions)))
                answers = replace(answers, control=said)
            except PermanentModelError as error:
                _LOG.warning("the control can't be asked, so messages that people sent take its place: %s", error)
                answers = replace(answers, silent=subject.control.model_id)
        if judge is not None:
            compared = [each for prompt, text, other in answers.pairs() for each in questions_for(prompt, text, other)]
            by = Examinee(JUDGE, judge.name, judge)
            letters = await ask(asking, by, compared, max_tokens=MOST_JUDGE_TOKENS, told=told(JUDGE, len(compared)))
            answers = replace(answers, verdicts=[verdict_of(*both) for both in zip(letters[::2], letters[1::2], strict=True)])
        return answers
    finally:
        await _close(chats)


async def _close(chats: list[Chat]) -> None:
    for chat in chats:
        await chat.close()


def _most_tokens(profile: Profile) -> int:
    """Enough for one and a half of the longest message, as a power of two, so that it changes seldom and the control's answers stay good."""
    wanted = max(_LEAST_TOKENS, round(1.5 * profile.longest_words * _TOKENS_A_WORD))
    return 1 << (wanted - 1).bit_length()


def _key(scope: str) -> int:
    """The scope as a signed 32-bit number."""
    return int.from_bytes(hashlib.sha256(scope.encode()).digest()[:4], "big", signed=True)
