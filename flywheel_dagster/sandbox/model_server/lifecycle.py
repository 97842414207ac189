"""What moves jobs on: one task a job walks it through its states, writing each step in one transaction. No HTTP here.

Pausing and cancelling stop the task; a restart or a resume begins a new one, which goes on after the last epoch that was written.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel_dagster.sandbox.model_server import learning
from flywheel_dagster.sandbox.model_server.answers import load_pairs, save_pairs
from flywheel_dagster.sandbox.model_server.files import content_path, insert_file
from flywheel_dagster.sandbox.model_server.jobs import Job, JobStatus, add_event, list_open_jobs, require_job, update_job
from flywheel_dagster.sandbox.model_server.learning import Course, Measured, Pair
from flywheel_dagster.sandbox.model_server.models import find_model
from flywheel_dagster.sandbox.model_server.ngram import EVEN_WEIGHTS
from flywheel_dagster.sandbox.model_server.results import add_checkpoint, add_metrics_event, add_model, results_csv
from flywheel_dagster.sandbox.model_server.store import Store, write_whole
from flywheel_dagster.sandbox.model_server.validation import Problem, check_examples
from flywheel_dagster.sandbox.model_server.wire import new_id, now

_LOG = logging.getLogger(__name__)
_SHARE_VALIDATING, _SHARE_QUEUED, _SHARE_RUNNING = 0.1, 0.1, 0.8
_REMEMBERED_SHARE = 0.5  # how much an earlier fine-tune's examples count beside the new ones
_KEPT_CHECKPOINTS = 3
_NO_FILE = Problem(
    "invalid_training_file", "The job failed due to an invalid training file. The file could not be read.", "training_file"
)


@dataclass(frozen=True)
class _Lesson:
    """A job's data made ready: the number of its examples and the tokens of one epoch beside the course itself."""

    course: Course
    examples: int
    tokens: int


class Trainer:
    """Runs the open jobs. `job_seconds` is the least time a whole job takes; 0 means as fast as it computes."""

    def __init__(self, store: Store, *, job_seconds: float) -> None:
        self._store = store
        self._job_seconds = job_seconds
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._looks: Counter[str] = Counter()
        self._looked = asyncio.Event()

    def start_open_jobs(self) -> None:
        """Go on with every job that a restart interrupted."""
        for job_id in list_open_jobs(self._store):
            self.start(job_id)

    def start(self, job_id: str) -> None:
        """Begin or go on with a job, from the state it is in."""
        task = asyncio.get_running_loop().create_task(self._run(job_id))
        self._tasks[job_id] = task
        task.add_done_callback(lambda done: self._forget(job_id, done))

    def stop(self, job_id: str) -> None:
        """Let go of a job; nothing more is written for it."""
        task = self._tasks.pop(job_id, None)
        if task:
            task.cancel()

    def cancel(self, job_id: str) -> None:
        """Stop a job for good, because somebody asked for it."""
        self.stop(job_id)
        with self._store.transaction() as database:
            update_job(database, job_id, status=JobStatus.CANCELLED.value, finished_at=now())
            add_event(database, job_id, "Fine-tuning job cancelled")

    def note_look(self, job_id: str) -> None:
        """Somebody asked for this job, and was shown it."""
        self._looks[job_id] += 1
        self._looked.set()

    async def close(self) -> None:
        """Let go of all jobs; the next start goes on with them."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, job_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(job_id) is task:
            del self._tasks[job_id]
        if task.cancelled() or task.exception() is None:
            return
        _LOG.error("Job %s broke the model server's own code", job_id, exc_info=task.exception())
        self._fail(job_id, Problem("server_error", "The job failed due to an internal error.", None))

    async def _run(self, job_id: str) -> None:
        steps = {JobStatus.VALIDATING: self._validate, JobStatus.QUEUED: self._leave_queue, JobStatus.RUNNING: self._train}
        while (job := require_job(self._store, job_id)).status in steps:
            await self._play_fault(job)
            if require_job(self._store, job_id).status == job.status:
                await steps[job.status](job)

    async def _play_fault(self, job: Job) -> None:
        """A fault set for this job stops it for good, or fails it, in the state it names (running unless said)."""
        fault = job.fault or {}
        if fault.get("during", JobStatus.RUNNING) != job.status:
            return
        if fault.get("kind") == "job_stuck":
            await asyncio.Event().wait()
        if fault.get("kind") == "job_fails":
            await self._pass(job, _SHARE_QUEUED)
            self._fail(job.id, Problem(fault["code"], fault["message"], fault.get("param")))

    async def _pass(self, job: Job, share: float) -> None:
        """Let a share of the job's time go by."""
        fault = job.fault or {}
        await asyncio.sleep(share * (fault["seconds"] if fault.get("kind") == "job_slow" else self._job_seconds))

    async def _wait_for_looks(self, job: Job) -> None:
        """A job that was made slow is not done before it was asked for often enough."""
        while self._looks[job.id] < (job.fault or {}).get("looks", 0):
            self._looked.clear()
            await self._looked.wait()

    def _fail(self, job_id: str, problem: Problem) -> None:
        error = {"code": problem.code, "message": problem.message, "param": problem.param}
        with self._store.transaction() as database:  # finished_at stays null on failure, as OpenAI's does
            update_job(database, job_id, status=JobStatus.FAILED.value, error=error)
            add_event(database, job_id, problem.message, level="error")

    async def _validate(self, job: Job) -> None:
        await self._pass(job, _SHARE_VALIDATING)
        _, _, problem = await asyncio.to_thread(_read_files, self._store.contents, job)
        if problem:
            self._fail(job.id, problem)
            return
        with self._store.transaction() as database:
            update_job(database, job.id, status=JobStatus.QUEUED.value, checked=1)
            add_event(database, job.id, "Files validated, moving job to queued state")

    async def _leave_queue(self, job: Job) -> None:
        await self._pass(job, _SHARE_QUEUED)
        examples, _, _ = await asyncio.to_thread(_read_files, self._store.contents, job)
        numbers = learning.resolve_hyperparameters(job.hyperparameters, examples=len(examples), base=job.base)
        finish = now() + round(_SHARE_RUNNING * self._job_seconds)
        with self._store.transaction() as database:
            update_job(database, job.id, status=JobStatus.RUNNING.value, hyperparameters=numbers, estimated_finish=finish)
            add_event(database, job.id, "Fine-tuning job started" if not job.progress else "Fine-tuning job goes on")

    async def _train(self, job: Job) -> None:
        parent = find_model(self._store, job.model)
        remembered = self._store.models / f"{parent.job_id}.json" if parent and parent.job_id else None
        lesson = await asyncio.to_thread(_prepare, self._store, job, remembered)
        epochs = job.hyperparameters["n_epochs"]
        steps_an_epoch = -(-lesson.examples // job.hyperparameters["batch_size"])
        if not job.progress:
            first = lesson.course.measure(parent.weights if parent and parent.weights else EVEN_WEIGHTS)
            job = self._write_epoch(job, first, step=0, total=epochs * steps_an_epoch, checkpoint=False)
        while len(job.progress) <= epochs:  # progress[0] is the state before the first epoch
            await self._pass(job, _SHARE_RUNNING / epochs)
            measured = await asyncio.to_thread(lesson.course.run_epoch, job.progress[-1]["weights"])
            done = len(job.progress)
            late = done > epochs - _KEPT_CHECKPOINTS
            job = self._write_epoch(job, measured, step=done * steps_an_epoch, total=epochs * steps_an_epoch, checkpoint=late)
        await self._wait_for_looks(job)
        self._succeed(job, tokens=lesson.tokens * epochs)

    def _write_epoch(self, job: Job, measured: Measured, *, step: int, total: int, checkpoint: bool) -> Job:
        """Write one epoch's outcome: progress, metrics event and checkpoint together, so that a restart repeats none of them."""
        state = {"step": step, "weights": measured.weights, "train_loss": measured.train_loss, "valid_loss": measured.valid_loss}
        with self._store.transaction() as database:
            update_job(database, job.id, progress=[*job.progress, state])
            if step:
                add_metrics_event(database, job.id, measured, step=step, total=total)
            if checkpoint:
                add_checkpoint(database, job, measured, step=step)
        return require_job(self._store, job.id)

    def _succeed(self, job: Job, *, tokens: int) -> None:
        content, file_id = results_csv(job.progress), new_id("file-")
        write_whole(content_path(self._store, file_id), content)
        with self._store.transaction() as database:
            insert_file(database, file_id, size=len(content), filename="step_metrics.csv", purpose="fine-tune-results")
            add_model(database, job, name=job.fine_tuned_model, weights=job.progress[-1]["weights"], step=None)
            update_job(
                database,
                job.id,
                status=JobStatus.SUCCEEDED.value,
                finished_at=now(),
                trained_tokens=tokens,
                result_files=[file_id],
            )
            add_event(database, job.id, f"New fine-tuned model created: {job.fine_tuned_model}")
            add_event(database, job.id, "The job has successfully completed")


def _read_files(contents: Path, job: Job) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None, Problem | None]:
    """A job's training and validation examples, and what is wrong with them."""
    try:
        content = (contents / job.training_file).read_bytes()
        examples, problem = check_examples(content, method=job.method, model=job.base, fewest=job.fewest_examples)
        if problem or job.validation_file is None:
            return examples, None, problem
        content = (contents / job.validation_file).read_bytes()
    except FileNotFoundError:
        return [], None, _NO_FILE
    validation, problem = check_examples(content, method=job.method, model=job.base, param="validation_file")
    return examples, validation, problem


def _prepare(store: Store, job: Job, remembered: Path | None) -> _Lesson:
    """Write what the model will remember, and make the course ready; the heavy part, off the event loop."""
    examples, validation, _ = _read_files(store.contents, job)
    pairs = learning.read_pairs(examples)
    earlier = load_pairs(remembered) if remembered else []
    kept = [Pair(pair.prompt, pair.answer, pair.share * _REMEMBERED_SHARE) for pair in earlier]
    save_pairs(store.models / f"{job.id}.json", [*pairs, *kept])
    course = Course(pairs, learning.read_pairs(validation) if validation is not None else None)
    return _Lesson(course, len(examples), learning.count_example_tokens(examples))
