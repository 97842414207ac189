"""What fails but may pass by itself is asked again, with pauses, a bounded number of times; what fails for good is not."""

import asyncio
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import ModelError, PermanentModelError, TransientModelError, UnansweredModelError
from flywheel_dagster.models.chat import Answer, Messages
from flywheel_dagster.training.examination.asking import Asking, ask
from flywheel_dagster.training.examination.prompts import Question
from flywheel_dagster_tests.training.examination.making import Scripted

Connection = psycopg.Connection[TupleRow]
BUSY = TransientModelError("busy")
QUESTION = Question(UUID(int=1), [{"role": "user", "content": "Write a message."}], 1)


def asked(connection: Connection, dataset: Dataset, *errors: ModelError) -> tuple[list[Answer], list[float]]:
    """What came of a question of which so many tries fail, one after the other, and how long was waited before each further one."""
    left = list(errors)
    slept: list[float] = []

    def say(messages: Messages, seed: int) -> str:
        if left:
            raise left.pop(0)
        return "Hi"

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    how = Asking(connection, dataset.hash, 1, sleep)
    try:
        return asyncio.run(ask(how, Scripted(say).examinee(), [QUESTION], max_tokens=9)), slept
    except ModelError:
        return [], slept


@pytest.mark.parametrize(
    ("errors", "answered", "slept"),
    [
        ([], True, []),
        ([BUSY, UnansweredModelError("lost")], True, [1, 2]),
        ([TransientModelError("limit", retry_after=30), BUSY], True, [30, 2]),
        ([BUSY] * 7, True, [1, 2, 4, 8, 16, 32, 60]),
        ([BUSY] * 8, False, [1, 2, 4, 8, 16, 32, 60]),
        ([TransientModelError("limit", retry_after=250)] * 3, False, [250, 250]),  # a third one would pass ten minutes
        ([PermanentModelError("gone")], False, []),
        ([BUSY, PermanentModelError("gone")], False, [1]),
    ],
)
def test_asking_again(
    connection: Connection, dataset: Dataset, errors: list[ModelError], answered: bool, slept: list[float]
) -> None:
    answers, waited = asked(connection, dataset, *errors)
    assert (bool(answers), waited) == (answered, slept)
    assert connection.execute("select count(*) from model_answers").fetchone() == (int(answered),)


@pytest.mark.parametrize(("silent_for", "tries"), [(10, 8), (250, 3), (700, 1)])
def test_a_server_that_stays_silent_is_given_up_after_ten_minutes(
    connection: Connection, dataset: Dataset, silent_for: float, tries: int
) -> None:
    now = 0.0

    def stay_silent(messages: Messages, seed: int) -> str:
        nonlocal now
        now += silent_for
        raise UnansweredModelError("no answer")

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    silent = Scripted(stay_silent)
    with pytest.raises(UnansweredModelError, match="no answer"):
        asyncio.run(ask(Asking(connection, dataset.hash, 1, sleep, lambda: now), silent.examinee(), [QUESTION], max_tokens=9))
    assert len(silent.asked) == tries
