"""Which questions to an adapter are answered together, and which not at all: its network is a script here, which needs no extra."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from flywheel_dagster.sandbox.model_server.adapters import Adapters
from flywheel_dagster.sandbox.model_server.adapters_answers import AdapterAnswers
from flywheel_dagster.sandbox.model_server.adapters_generation import Asked, Generated, Networks
from flywheel_dagster.sandbox.model_server.chat_requests import read_chat_request
from flywheel_dagster.sandbox.model_server.wire import ApiError


class Script(Networks):
    """Says each question in capitals, once `may_answer`; `batches` are the questions that came together."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []
        self.began, self.may_answer = Event(), Event()
        self.may_answer.set()

    def answer(self, questions: Sequence[Asked]) -> list[Generated | ApiError]:
        """Nothing is loaded for it."""
        self.batches.append([asked.messages[0][1] for asked in questions])
        self.began.set()
        assert self.may_answer.wait(10)
        return [Generated(asked.messages[0][1].upper(), "stop", 1, 1) for asked in questions]


@pytest.fixture
def adapters(tmp_path: Path) -> Adapters:
    for name in ("one", "other"):
        (tmp_path / name / "adapter").mkdir(parents=True)
        (tmp_path / name / "adapter" / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "base"}))
        (tmp_path / name / "job.json").write_text(json.dumps({"base_model": "base"}))
    return Adapters(tmp_path)


async def ask(answers: AdapterAnswers, question: str, model: str = "one") -> str:
    asked = read_chat_request({"model": model, "messages": [{"role": "user", "content": question}]})
    said = await answers.complete(asked)
    assert said is not None
    return said[1][0].text


def test_what_is_asked_at_once_is_answered_at_once(adapters: Adapters) -> None:
    script = Script()
    questions = [f"q{number}" for number in range(11)]

    async def all_at_once() -> list[str]:
        answers = AdapterAnswers(adapters, script)
        return await asyncio.gather(*(ask(answers, each) for each in questions), ask(answers, "q0", "other"))

    assert asyncio.run(all_at_once()) == [*(each.upper() for each in questions), "Q0"]
    assert script.batches == [questions[:8], questions[8:], ["q0"]]


def test_who_gives_up_waiting_and_asks_again_gets_the_answer_that_is_on_its_way(adapters: Adapters) -> None:
    script = Script()
    script.may_answer.clear()

    async def twice() -> list[str]:
        answers = AdapterAnswers(adapters, script)
        first = asyncio.create_task(ask(answers, "q"))
        await asyncio.to_thread(script.began.wait, 10)
        again = asyncio.create_task(ask(answers, "q"))
        await asyncio.sleep(0)
        script.may_answer.set()
        return [await first, await again]

    assert asyncio.run(twice()) == ["Q", "Q"]
    assert script.batches == [["q"]]


def test_who_comes_once_it_is_answered_is_answered_anew(adapters: Adapters) -> None:
    script = Script()

    async def one_by_one() -> list[str]:
        answers = AdapterAnswers(adapters, script)
        return [await ask(answers, "q"), await ask(answers, "q")]

    assert asyncio.run(one_by_one()) == ["Q", "Q"]
    assert script.batches == [["q"], ["q"]]


def test_what_goes_wrong_is_told_to_all_and_ends_with_them(adapters: Adapters, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()

    async def asked() -> tuple[list[str | BaseException], str]:
        answers = AdapterAnswers(adapters, script)
        with monkeypatch.context() as broken:
            broken.setattr(script, "answer", lambda questions: Path("no such weights").read_bytes())
            failed = await asyncio.gather(ask(answers, "q"), ask(answers, "r"), ask(answers, "q"), return_exceptions=True)
        return failed, await ask(answers, "q")

    failed, later = asyncio.run(asked())
    assert [str(error).startswith("The model's weights can't be loaded: ") for error in failed] == [True] * 3
    assert later == "Q"
