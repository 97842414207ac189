"""The trainer `lora`: its jobs are folders, and each is trained by a process that outlives whoever asked for it. How, is in `training.py`."""

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flywheel_dagster.datasets.chat_format import problems
from flywheel_dagster.datasets.dpo_format import dpo_problems
from flywheel_dagster.errors import PermanentTrainingError, SettingsError, TransientTrainingError, UnknownJobError
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import Estimate, free
from flywheel_dagster.training.recipe import recipe_of
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Offer, Recipe
from flywheel_dagster.training.trainers.lora.base import DEFAULT_BASE, INSTALL
from flywheel_dagster.training.trainers.lora.job import Ended, JobFolder, Order, Point, begin_job, job_folders

MOST_STARTS = 3  # from one checkpoint: who dies there again will always
_PROGRAM = (sys.executable, "-m", "flywheel_dagster.training.trainers.lora")
_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait by spinning are many times slower on cores that others use, too
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_PATIENT = 600  # seconds for an answer: a machine without a GPU takes its time, and first of all loads the weights
_RATES = {"supervised": 2e-4, "dpo": 5e-5}  # of AdamW; small models take more
_ADAPTER = {"rank": 16, "alpha": 32}


class LoraTrainer:
    """Supervised and direct-preference fine-tuning of open weights. A job is a folder in `folder`; `program` is what trains it.

    Whoever looks at a job whose process is gone starts it again, and it goes on from its last checkpoint; two never train one job.
    """

    name = "lora"
    offer = Offer(
        methods=("supervised", "dpo"),
        least_examples=1,
        most_file_bytes=None,
        most_example_tokens=None,
        weights=True,
        model_id="the folder in TRAINING_DATA_DIR/models with the adapter in it (adapter_model.safetensors), which vLLM, PEFT and the local "
        "model server load; asked at FLYWHEEL_LORA_BASE_URL, or else at the local model server",
    )

    def __init__(self, recipe: Recipe, *, folder: Path, program: Sequence[str] = _PROGRAM) -> None:
        self.recipe, self._folder, self._program = recipe, folder, program

    def settings(self) -> Mapping[str, Any]:
        """The recipe with everything that it left to us."""
        return self.recipe.settings() | self._chosen()

    def upload(self, path: Path, *, name: str) -> str:
        """The file stays where it is; only its format is checked. The id is its path within the folder of training data, if it is there."""
        with self._disk():
            wrong = (dpo_problems if self.recipe.method == "dpo" else problems)(path, at_most=3)
        if wrong:
            raise PermanentTrainingError(f"{path} can't be trained on: {'; '.join(map(str, wrong))}; assemble the dataset again")
        path, home = path.resolve(), self._folder.parent.resolve()
        return str(path.relative_to(home) if path.is_relative_to(home) else path)

    def imported(self, file_id: str) -> bool:
        """At once: nothing is copied."""
        return True

    def find(self, key: str) -> str | None:
        """The folder whose order has this key."""
        with self._disk():
            return next((job.id for job in job_folders(self._folder, f"*-{_short(key)}") if job.order().key == key), None)

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """Make the folder, unless it is there, and start the training."""
        with self._disk(), self._alone():
            job_id = self.find(key)
            if job_id is None:
                job_id = f"{suffix}-{_short(key)}"
                recipe = self.recipe
                order = Order(
                    key=key, base_model=recipe.base_model, method=recipe.method, epochs=recipe.epochs, seed=recipe.seed,
                    training_file=training_file, validation_file=validation_file, **self._chosen(),
                )  # fmt: skip
                begin_job(self._folder / job_id, order)
        self._keep_going(self._job(job_id))
        return job_id

    def status(self, job_id: str) -> JobStatus:
        """Read how far it is; a training whose process is gone is started again, or given up when that has been in vain."""
        job = self._job(job_id)
        ended = self._keep_going(job)
        with self._disk():
            points = job.points()
        if ended is None:
            last = points[-1] if points else None
            return JobStatus(
                job_id=job_id,
                state=JobState.RUNNING,
                provider_status="training" if last else "starting",
                trained_tokens=last.tokens if last else None,
                last_event=_told(last) if last else None,
            )
        return JobStatus(
            job_id=job_id,
            state=ended.state,
            provider_status=ended.state.value,
            model_id=job_id if ended.state is JobState.SUCCEEDED else None,
            trained_tokens=ended.tokens,
            error=ended.error,
            last_event=_told(points[-1]) if points else None,
        )

    def cancel(self, job_id: str) -> None:
        """Leave a note that the training reads before its next step; one that nobody is at ends here."""
        job = self._job(job_id)
        with self._disk():
            job.ask_to_cancel()
        self._keep_going(job)

    def loss_curve(self, job_id: str) -> list[LossPoint]:
        """The losses by step; step 0 is the base model's."""
        points: dict[int, LossPoint] = {}
        with self._disk():
            told = self._job(job_id).points()
        for point in told:
            known = points.get(point.step, LossPoint(point.step))
            training = known.training if point.training is None else point.training
            validation = known.validation if point.validation is None else point.validation
            points[point.step] = LossPoint(point.step, training, validation)
        return [points[step] for step in sorted(points)]

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """Nothing."""
        return free(self.name, self.recipe.base_model, tokens, self.recipe.epochs, why="this machine")

    def cost_usd(self, trained_tokens: int) -> float:
        """Nothing."""
        return 0.0

    def _chosen(self) -> dict[str, Any]:
        recipe = self.recipe
        return {
            **_ADAPTER,
            "batch_size": recipe.batch_size or 8,
            "learning_rate": recipe.learning_rate or _RATES[recipe.method],
        }

    def _job(self, job_id: str) -> JobFolder:
        job = JobFolder(self._folder / job_id)
        if job.exists():
            return job
        raise UnknownJobError(
            f"there is no training job {job_id} in {self._folder}: its folder was deleted, or TRAINING_DATA_DIR is another one; set it as it "
            "was, or materialize fine_tuned_model with resubmit: true to train anew"
        )

    def _keep_going(self, job: JobFolder) -> Ended | None:
        """Start the training unless it runs or has ended; returns the end, if there is one."""
        with self._disk(), job.held() as lock:
            if lock is None or (ended := job.ended()) is not None:
                return job.ended()
            if job.is_to_cancel():
                ended = Ended(JobState.CANCELLED, error="cancelled before it was done")
            elif job.starts_without_progress() >= MOST_STARTS:
                ended = Ended(
                    JobState.FAILED, error=f"the training died {MOST_STARTS} times in a row; {job.log} ends: {job.last_words()}"
                )
            else:
                self._start(job, lock)
                return None
            job.end(ended)
            return ended

    def _start(self, job: JobFolder, lock: int) -> None:
        """A process that holds the lock from its first moment to its last."""
        with job.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own module
                [*self._program, str(job.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock,),
                env=_ENVIRONMENT | os.environ,
            )
        job.note_start(process.pid)
        threading.Thread(target=process.wait, daemon=True).start()  # or its process id would stay taken while we live

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".creating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise PermanentTrainingError(
                f"{error.filename} can't be used: {error.strerror}; set TRAINING_DATA_DIR to a folder that you may write"
            ) from error
        except OSError as error:  # a disk that is full or, when machines share it, away
            raise TransientTrainingError(f"the training jobs in {self._folder} can't be reached: {error}") from error


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _told(point: Point) -> str:
    losses = {"loss": point.training, "validation loss": point.validation}
    return f"step {point.step} of {point.steps}: " + ", ".join(
        f"{name} {loss:.3f}" for name, loss in losses.items() if loss is not None
    )


def trainer_of(settings: Settings) -> LoraTrainer:
    """Training beside the datasets, which may be a disk that machines share. Raises SettingsError where the extra is not installed."""
    missing = [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"FLYWHEEL_TRAINER is lora, but {', '.join(missing)} is not installed: {INSTALL}; or choose another trainer"
        )
    recipe = recipe_of(settings, DEFAULT_BASE)
    if Path(recipe.base_model).is_dir():  # it must mean the same to the process that trains, wherever that is started
        recipe = replace(recipe, base_model=str(Path(recipe.base_model).resolve()))
    return LoraTrainer(recipe, folder=_models(settings))


def chat_of(settings: Settings, model_id: str, *, retries: int = RETRIES) -> Chat:
    """An adapter, or its base, at the server that has loaded it."""
    if settings.lora_base_url is not None and not settings.local:
        key = settings.lora_api_key.get_secret_value() if settings.lora_api_key else "none"
        return OpenAIChat(
            model_id,
            api_key=key,
            base_url=settings.lora_base_url,
            timeout=_PATIENT,
            provider=settings.lora_base_url,
            retries=retries,
        )
    from flywheel_dagster.sandbox.services import model_server_url

    url = model_server_url(settings.home, adapters=_models(settings))
    return OpenAIChat(model_id, api_key="local", base_url=url, timeout=_PATIENT, provider="the local model server", retries=retries)


def _models(settings: Settings) -> Path:
    return settings.training_data_dir / "models"
