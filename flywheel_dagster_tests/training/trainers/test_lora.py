"""The jobs of the trainer `lora`: found again, started again, ended once. What trains is a tiny program; the training is in test_lora_training."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import PermanentModelError, PermanentTrainingError, SettingsError, UnknownJobError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.patience import Patience
from flywheel_dagster.sandbox.services import stop_model_server
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobState, LossPoint, Recipe
from flywheel_dagster.training.trainers.lora import chat_of
from flywheel_dagster.training.trainers.lora import trainer as lora
from flywheel_dagster.training.trainers.lora.job import JobFolder
from flywheel_dagster_tests.sandbox.model_server.served import Served

PROGRAM = "flywheel_dagster_tests.training.trainers.lora_program"
DIES = "raise SystemExit('out of memory, as it were')"
KEY = "5f2b:81aa:1"


class Jobs:
    """Trainers over one folder, whose jobs behave as told; what they leave running is ended with the test."""

    def __init__(self, models: Path) -> None:
        self.models = models

    def trainer(self, behaviour: str) -> lora.LoraTrainer:
        program = (sys.executable, "-c", DIES) if behaviour == "dies" else (sys.executable, "-m", PROGRAM, behaviour)
        return lora.LoraTrainer(Recipe("tiny"), folder=self.models, program=program)

    def create(self, behaviour: str, *, key: str = KEY) -> JobFolder:
        made = self.trainer(behaviour).create(key=key, training_file="train.jsonl", validation_file=None, suffix="flywheel-v1-0-0")
        return JobFolder(self.models / made)

    def all(self) -> list[JobFolder]:
        return [JobFolder(path.parent) for path in self.models.glob("*/job.json")]


def wait_until_nobody_trains(job: JobFolder) -> None:
    with (job.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path / "training_data" / "models")
    yield jobs
    for job in jobs.all():
        job.ask_to_cancel()
        wait_until_nobody_trains(job)


def test_a_job_that_is_done_names_its_folder_as_the_model(jobs: Jobs) -> None:
    job = jobs.create("succeeds")
    wait_until_nobody_trains(job)
    trainer = jobs.trainer("succeeds")
    status = trainer.status(job.id)
    assert (status.state, status.model_id, status.trained_tokens) == (JobState.SUCCEEDED, job.id, 20)
    assert status.last_event == "step 2 of 2: loss 1.500, validation loss 1.750"
    assert trainer.loss_curve(job.id) == [LossPoint(1, 2.5), LossPoint(2, 1.5, 1.75)]
    assert job.id.startswith("flywheel-v1-0-0-")
    assert len(job.starts()) == 1


def test_a_failed_job_tells_why_and_is_not_started_again(jobs: Jobs) -> None:
    job = jobs.create("fails")
    wait_until_nobody_trains(job)
    status = jobs.trainer("succeeds").status(job.id)
    assert (status.state, status.model_id, status.error) == (JobState.FAILED, None, "line 3 is too long")
    assert len(job.starts()) == 1


def test_a_job_is_found_by_its_key_alone(jobs: Jobs) -> None:
    trainer = jobs.trainer("succeeds")
    assert trainer.find(KEY) is None
    job = jobs.create("succeeds")
    assert trainer.find(KEY) == job.id
    assert trainer.find(f"{KEY}0") is None


def test_creates_at_the_same_time_for_one_key_make_one_job_and_one_process(jobs: Jobs) -> None:
    def create(number: int) -> str:
        return jobs.trainer("waits").create(key=KEY, training_file="t", validation_file=None, suffix=f"flywheel-v1-{number}-0")

    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(create, range(8)))
    (job,) = jobs.all()
    assert made == {job.id}
    assert len(job.starts()) == 1


def test_a_job_that_was_killed_is_started_again_by_whoever_looks_and_only_once(jobs: Jobs) -> None:
    job = jobs.create("waits")
    os.kill(job.starts()[0]["pid"], signal.SIGKILL)
    wait_until_nobody_trains(job)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: jobs.trainer("waits").status(job.id).state, range(8)))
    assert seen == [JobState.RUNNING] * 8
    assert len(job.starts()) == 2
    (job.path / "go").touch()
    wait_until_nobody_trains(job)
    assert jobs.trainer("waits").status(job.id).state is JobState.SUCCEEDED


def test_a_job_that_dies_again_and_again_ends_with_the_last_words_of_its_log(jobs: Jobs) -> None:
    job, trainer = jobs.create("dies"), jobs.trainer("dies")
    for _ in range(lora.MOST_STARTS):
        wait_until_nobody_trains(job)
        status = trainer.status(job.id)
    assert status.state is JobState.FAILED
    assert status.error is not None
    assert status.error.endswith("ends: out of memory, as it were")
    assert len(job.starts()) == lora.MOST_STARTS


def test_progress_gives_a_dying_job_new_starts(jobs: Jobs) -> None:
    job, trainer = jobs.create("dies"), jobs.trainer("dies")
    for step in range(2 * lora.MOST_STARTS):
        wait_until_nobody_trains(job)
        job.save_checkpoint(step + 1, lambda folder: (folder / "state").touch())
        assert trainer.status(job.id).state is JobState.RUNNING
    assert [path.name for path in job.path.glob("checkpoint-*")] == ["checkpoint-00000006"]


def test_a_running_job_is_cancelled(jobs: Jobs) -> None:
    job, trainer = jobs.create("waits"), jobs.trainer("waits")
    assert trainer.status(job.id).state is JobState.RUNNING
    trainer.cancel(job.id)
    wait_until_nobody_trains(job)
    assert trainer.status(job.id).state is JobState.CANCELLED


def test_a_job_that_nobody_is_at_is_cancelled_at_once(jobs: Jobs) -> None:
    job, trainer = jobs.create("dies"), jobs.trainer("dies")
    wait_until_nobody_trains(job)
    trainer.cancel(job.id)
    assert trainer.status(job.id).state is JobState.CANCELLED
    assert len(job.starts()) == 1


def test_cancelling_what_is_done_changes_nothing(jobs: Jobs) -> None:
    job, trainer = jobs.create("succeeds"), jobs.trainer("succeeds")
    wait_until_nobody_trains(job)
    trainer.cancel(job.id)
    assert trainer.status(job.id).state is JobState.SUCCEEDED


@pytest.mark.parametrize("ask", [lora.LoraTrainer.status, lora.LoraTrainer.cancel, lora.LoraTrainer.loss_curve])
def test_a_job_whose_folder_is_gone_is_unknown(jobs: Jobs, ask: Callable[[lora.LoraTrainer, str], object]) -> None:
    with pytest.raises(UnknownJobError, match="TRAINING_DATA_DIR"):
        ask(jobs.trainer("succeeds"), "flywheel-v1-0-0-0123456789ab")


def test_lines_that_a_kill_tore_are_no_losses(jobs: Jobs) -> None:
    job = jobs.create("succeeds")
    wait_until_nobody_trains(job)
    with (job.path / "progress.jsonl").open("a") as file:
        file.write('{"step":3,"ste')
    assert [point.step for point in job.points()] == [1, 2]
    job.forget_points_after(1)
    assert (job.path / "progress.jsonl").read_text().count("\n") == len(job.points()) == 1


def test_a_file_is_named_by_its_place_beside_the_models_and_not_copied(jobs: Jobs, tmp_path: Path) -> None:
    trainer = jobs.trainer("succeeds")
    line = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
    for name, expected in (
        ("training_data/ab12/train.jsonl", "ab12/train.jsonl"),
        ("elsewhere.jsonl", str(tmp_path / "elsewhere.jsonl")),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line)
        file_id = trainer.upload(path, name="any")
        assert file_id == expected
        assert JobFolder(jobs.models / "a-job").file(file_id).samefile(path)
    path.write_text(line + '{"prompt": "Hi"}\n')
    with pytest.raises(PermanentTrainingError, match="line 2: messages is missing"):
        trainer.upload(path, name="any")


def test_the_settings_say_what_was_left_to_the_trainer(jobs: Jobs) -> None:
    settings = jobs.trainer("succeeds").settings()
    assert {"base_model", "method", "epochs", "seed", "batch_size", "learning_rate", "rank", "alpha"} == settings.keys()


def test_a_training_is_bought_once_and_goes_on_after_its_process_was_killed(
    jobs: Jobs, connection: psycopg.Connection[TupleRow], dataset: Dataset
) -> None:
    jobs.models = dataset.directory.parent / "models"
    looks = iter(range(1_000_000))

    def disturb(_: object) -> None:
        (job,) = jobs.all()
        match next(looks):
            case 0:
                os.kill(job.starts()[-1]["pid"], signal.SIGKILL)
                wait_until_nobody_trains(job)
            case 1:
                (job.path / "go").touch()

    trained = train(
        connection,
        jobs.trainer("waits"),
        dataset,
        suffix="killed",
        patience=Patience(poll=timedelta(milliseconds=5)),
        progress=disturb,
    )
    (job,) = jobs.all()
    assert (trained.model_id, trained.job_id, trained.cost_usd) == (job.id, job.id, 0)
    assert trained.loss_curve == (LossPoint(1, 2.5), LossPoint(2, 1.5, 1.75))
    assert job.order().training_file == f"{dataset.hash}/train.jsonl"
    assert len(job.starts()) == 2
    again = train(connection, jobs.trainer("waits"), dataset, suffix="killed")
    assert again == trained


def test_without_the_extra_the_trainer_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lora, "find_spec", lambda name: None if name in ("torch", "peft") else object())
    with pytest.raises(SettingsError, match=r"torch, peft is not installed: pip install 'flywheel-dagster\[lora\]'"):
        lora.trainer_of(Settings(TRAINING_DATA_DIR=tmp_path))


def test_adapters_are_asked_where_a_server_has_loaded_them(provider: Served) -> None:
    settings = Settings(FLYWHEEL_LORA_BASE_URL=f"{provider.url}/v1", FLYWHEEL_LORA_API_KEY="sk-ours")
    assert asked(settings, "gpt-4o-mini").text.startswith("Hi")


def test_an_adapter_that_cannot_be_loaded_is_a_plain_error(tmp_path: Path) -> None:
    settings = Settings(TRAINING_DATA_DIR=tmp_path / "data", FLYWHEEL_HOME=tmp_path / "home")
    folder = settings.training_data_dir / "models" / "flywheel-v1-0-0-0123456789ab"
    (folder / "adapter").mkdir(parents=True)
    (folder / "job.json").write_text('{"base_model": "some/base"}')
    (folder / "adapter" / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{tmp_path}/gone"}}')
    installed = all(find_spec(name) for name in ("torch", "transformers", "peft"))
    try:
        for model in (folder.name, "some/base"):
            with pytest.raises(PermanentModelError, match="can't be loaded" if installed else "needs the extra lora"):
                asked(settings, model)
    finally:
        stop_model_server(settings.home)


def asked(settings: Settings, model: str) -> Answer:
    async def ask() -> Answer:
        chat = chat_of(settings, model)
        try:
            return await chat.answer([{"role": "user", "content": "Name: Ada\nWrite a message"}])
        finally:
            await chat.close()

    return asyncio.run(ask())


def test_choosing_the_trainer_imports_no_torch() -> None:
    code = "import sys, flywheel_dagster.training.trainers.lora; sys.exit(any(each in sys.modules for each in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
