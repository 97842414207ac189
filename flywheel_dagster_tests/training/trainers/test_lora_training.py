"""Real training of a tiny model: what is learnt, how it goes on after a kill, and how the adapter is asked."""

import asyncio
import fcntl
import math
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from openai import BadRequestError, OpenAI

from flywheel_dagster.errors import PermanentModelError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.sandbox.services import model_server_url, stop_model_server
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.trainer import JobState, Recipe
from flywheel_dagster.training.trainers.lora import chat_of
from flywheel_dagster.training.trainers.lora.job import JobFolder, Order, begin_job
from flywheel_dagster.training.trainers.lora.trainer import LoraTrainer
from flywheel_dagster_tests.training.trainers.lora_tiny import CONTEXT, make_base, make_dataset, make_tokenizer, prompt

for package in ("torch", "transformers", "peft"):
    pytest.importorskip(package, reason="the extra lora is not installed")
pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"
)  # peft's use of transformers


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here and in the processes that are started: threads wait for each other longer than they compute on so small a model."""
    import torch

    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of training data with a base model and a dataset in it."""
    data = tmp_path_factory.mktemp("training_data")
    make_base(data / "tiny")
    make_dataset(data / "ab12")
    return data


MakeJob = Callable[..., JobFolder]


@pytest.fixture
def make_job(data: Path) -> MakeJob:
    """Makes jobs that nobody has started."""

    def make(name: str = "job", dataset: str = "ab12", **more: Any) -> JobFolder:
        order = {
            "key": name, "base_model": str(data / "tiny"), "method": "supervised", "epochs": 2, "seed": 3, "batch_size": 4,
            "learning_rate": 1e-2, "rank": 4, "alpha": 8, "training_file": str(data / dataset / "train.jsonl"),
            "validation_file": str(data / dataset / "validation.jsonl"),
        }  # fmt: skip
        path = data / "models" / f"{name}-{uuid4().hex[:12]}"
        begin_job(path, Order(**(order | more)))
        return JobFolder(path)

    return make


def run(job: JobFolder) -> JobFolder:
    """Train in this process."""
    from flywheel_dagster.training.trainers.lora.__main__ import carry_out

    carry_out(job)
    return job


def adapter(job: JobFolder) -> bytes:
    return (job.adapter / "adapter_model.safetensors").read_bytes()


def losses(job: JobFolder, kind: str) -> list[float]:
    return [loss for point in job.points() if (loss := getattr(point, kind)) is not None]


def ended(job: JobFolder) -> tuple[JobState, str | None]:
    end = job.ended()
    assert end is not None
    return end.state, end.error


def test_the_loss_goes_down_and_the_adapter_is_what_servers_load(make_job: MakeJob, data: Path) -> None:
    job = run(make_job(epochs=8))
    assert ended(job) == (JobState.SUCCEEDED, None)
    validation = losses(job, "validation")
    assert len(validation) == 1 + 8
    assert validation[-1] < 0.5 * validation[0]
    assert losses(job, "training")[-1] < 0.5 * losses(job, "training")[0]
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= {path.name for path in job.adapter.iterdir()}
    config = orjson.loads((job.adapter / "adapter_config.json").read_bytes())
    assert config["base_model_name_or_path"] == str(data / "tiny")
    assert not list(job.path.glob("checkpoint-*"))


def test_the_same_order_gives_the_same_adapter(make_job: MakeJob) -> None:
    assert adapter(run(make_job("one"))) == adapter(run(make_job("two")))


def test_the_seed_changes_it(make_job: MakeJob) -> None:
    assert adapter(run(make_job("one"))) != adapter(run(make_job("two", seed=4)))


def test_a_killed_training_goes_on_and_ends_with_the_adapter_of_an_undisturbed_one(make_job: MakeJob, data: Path) -> None:
    undisturbed = run(make_job("undisturbed", epochs=10))
    recipe = Recipe(str(data / "tiny"), epochs=10, seed=3, batch_size=4, learning_rate=1e-2)
    trainer = LoraTrainer(recipe, folder=undisturbed.path.parent)
    job = make_job("killed", epochs=10)
    trainer.status(job.id)
    while job.checkpoint_step() == 0:
        assert job.ended() is None
    os.kill(job.starts()[0]["pid"], signal.SIGKILL)
    wait_until_nobody_trains(job)
    reached = job.checkpoint_step()
    assert trainer.status(job.id).state is JobState.RUNNING
    wait_until_nobody_trains(job)
    assert trainer.status(job.id).state is JobState.SUCCEEDED
    assert [start["from_step"] for start in job.starts()] == [0, reached]
    assert 0 < reached < 40
    assert job.points() == undisturbed.points()
    assert adapter(job) == adapter(undisturbed)


def wait_until_nobody_trains(job: JobFolder) -> None:
    with (job.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_a_cancelled_training_stops_at_the_next_step(make_job: MakeJob) -> None:
    job = make_job()
    job.ask_to_cancel()
    run(job)
    assert ended(job)[0] is JobState.CANCELLED
    assert not job.adapter.exists()


@pytest.mark.parametrize(("weights", "dearer", "cheaper"), [((9.0, 1.0), "abab", "cdcd"), ((1.0, 9.0), "cdcd", "abab")])
def test_what_weighs_more_is_said_more_readily(
    make_job: MakeJob, data: Path, weights: tuple[float, float], dearer: str, cheaper: str
) -> None:
    make_dataset(data / dearer, weights=weights)
    job = run(make_job(dataset=dearer, epochs=8))
    assert surprise(job, dearer, data) < surprise(job, cheaper, data)


def surprise(job: JobFolder, said: str, data: Path) -> float:
    """The trained model's negative log-likelihood of an answer to somebody new, in nats."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from flywheel_dagster.training.trainers.lora.examples import tokenise
    from flywheel_dagster.training.trainers.lora.losses import log_likelihoods

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(data / "tiny"), job.adapter).eval()
    text = tokenise([*prompt(77), {"role": "assistant", "content": said}], make_tokenizer())
    return -float(log_likelihoods(model, [text])[0].detach())


def test_dpo_begins_with_no_preference_and_learns_the_one_that_is_shown(make_job: MakeJob, data: Path) -> None:
    make_dataset(data / "pairs", method="dpo")
    job = run(make_job(dataset="pairs", method="dpo", epochs=8))
    validation = losses(job, "validation")
    assert validation[0] == pytest.approx(math.log(2))
    assert validation[-1] < 0.5 * validation[0]
    assert surprise(job, "abab", data) < surprise(job, "cdcd", data)


def test_likelihoods_are_those_of_each_text_alone(data: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from flywheel_dagster.training.trainers.lora.examples import tokenise
    from flywheel_dagster.training.trainers.lora.losses import log_likelihoods

    model = AutoModelForCausalLM.from_pretrained(data / "tiny").eval()
    texts = [
        tokenise(
            [{"role": "user", "content": "a" * number}, {"role": "assistant", "content": "b" * (12 - number)}], make_tokenizer()
        )
        for number in (1, 9, 4)
    ]
    with torch.no_grad():
        likely, counts = log_likelihoods(model, texts)
    for text, one, count in zip(texts, likely, counts, strict=True):
        told = torch.log_softmax(model(input_ids=torch.tensor([text.ids])).logits[0].detach(), -1)
        expected = sum(told[place - 1, text.ids[place]] for place in range(len(text.ids)) if text.learnt[place])
        assert float(one) == pytest.approx(float(expected), rel=1e-4)
        assert int(count) == sum(text.learnt)


def test_only_what_the_assistant_says_is_learnt_with_its_end() -> None:
    from flywheel_dagster.training.trainers.lora.examples import tokenise

    tokenizer = make_tokenizer()
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Ciao")]
    messages: list[dict[str, Any]] = [{"role": role, "content": content} for role, content in turns]

    def learnt(messages: list[dict[str, Any]]) -> str:
        text = tokenise(messages, tokenizer)
        return str(tokenizer.decode([token for token, learn in zip(text.ids, text.learnt, strict=True) if learn]))

    assert learnt(messages) == "Hello<|im_end|>\nCiao<|im_end|>"
    messages[1]["weight"] = 0
    assert learnt(messages) == "Ciao<|im_end|>"
    assert tokenizer.decode(tokenise(messages, tokenizer).ids).count("Hello") == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"messages": [*prompt(1), {"role": "assistant", "content": "x" * CONTEXT}]}, "more tokens than the 256 .*line 17 has"),
        ({"messages": [*prompt(1), {"role": "assistant", "content": "x"}], "tools": [{}]}, "line 17 .* tools"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}, {"role": "assistant", "content": "x"}]},
            "aren't plain text",
        ),
    ],
)
def test_a_line_that_cannot_be_learnt_whole_fails_the_job_before_the_first_step(
    make_job: MakeJob, data: Path, line: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    make_dataset(tmp_path / "bad")
    (tmp_path / "bad" / "manifest.jsonl").unlink()
    with (tmp_path / "bad" / "train.jsonl").open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")
    job = run(make_job(training_file=str(tmp_path / "bad" / "train.jsonl")))
    state, error = ended(job)
    assert state is JobState.FAILED
    assert error is not None
    assert re.search(reason, error)
    assert not job.points()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda base: (base / "config.json").unlink(), "can't be loaded.*FLYWHEEL_BASE_MODEL"),
        (lambda base: base.rename(base.with_name("gone")), "can't be loaded.*FLYWHEEL_BASE_MODEL"),
        (lambda base: (base / "chat_template.jinja").unlink(), "no chat template"),
    ],
)
def test_a_base_that_cannot_be_used_fails_the_job_with_the_remedy(
    make_job: MakeJob, tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(make_base(tmp_path / "base"))
    state, error = ended(run(make_job(base_model=str(tmp_path / "base"))))
    assert state is JobState.FAILED
    assert error is not None
    assert re.search(reason, error)


class Asking:
    """Asks models of a folder at the local model server, over HTTP."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base = str(settings.training_data_dir / "tiny")

    def ask(self, model: str, *questions: int, **options: Any) -> list[Answer]:
        async def all_at_once() -> list[Answer]:
            chat = chat_of(self.settings, model)
            try:
                return list(await asyncio.gather(*(chat.answer(prompt(number), **options) for number in questions)))
            finally:
                await chat.close()

        return asyncio.run(all_at_once())


@pytest.fixture
def asking(data: Path, tmp_path: Path) -> Iterator[Asking]:
    settings = Settings(TRAINING_DATA_DIR=data, FLYWHEEL_HOME=tmp_path / "home")
    yield Asking(settings)
    stop_model_server(settings.home)


def test_an_adapter_answers_over_http_as_it_was_taught_and_its_base_as_before(
    asking: Asking, make_job: MakeJob, data: Path
) -> None:
    url = model_server_url(asking.settings.home)  # it runs before it is told of any adapter
    make_dataset(data / "loud", said=("EFEF",))
    one, other = (run(make_job("flywheel-v1-0-0", dataset=dataset, epochs=25)).id for dataset in ("ab12", "loud"))
    taught = asking.ask(one, 1, 2, 3, 4, max_tokens=20)
    assert [answer.text for answer in taught] == ["cdcd", "abab", "cdcd", "abab"]
    assert {(answer.finish_reason, answer.completion_tokens) for answer in taught} == {("stop", 4)}
    asked = make_tokenizer().apply_chat_template(prompt(1), tokenize=False, add_generation_prompt=True)
    assert taught[0].prompt_tokens == len(make_tokenizer()(asked)["input_ids"])
    (base,) = asking.ask(asking.base, 1, max_tokens=20)
    assert base.text not in ("abab", "cdcd")
    assert (base.finish_reason, base.completion_tokens) == ("length", 20)
    assert asking.ask(other, 1)[0].text == "EFEF"
    assert asking.ask(one, 1, max_tokens=3)[0].text == "cdc"
    with OpenAI(base_url=url, api_key="local", max_retries=0) as client:
        assert {one, other} <= {model.id for model in client.models.list()}
        assert client.models.retrieve(one).owned_by == "flywheel-lora"
        said = client.chat.completions.create(model=one, messages=prompt(1), stop="dc", n=2)  # type: ignore[call-overload]
        assert [(choice.message.content, choice.finish_reason) for choice in said.choices] == [("c", "stop")] * 2
        stream = client.chat.completions.create(model=one, messages=prompt(1), stream=True)  # type: ignore[call-overload]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "cdcd"
        too_long = [{"role": "user", "content": "x" * CONTEXT}]
        with pytest.raises(BadRequestError, match="maximum context length is 256"):
            client.chat.completions.create(model=one, messages=too_long)  # type: ignore[call-overload]
    with pytest.raises(PermanentModelError, match="model_not_found"):
        asking.ask("flywheel-v9-0-0-cc", 1)
