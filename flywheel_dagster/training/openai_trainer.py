"""OpenAI's fine-tuning, through the official client, and anything that speaks the same API under another base URL."""

import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import openai
from openai.types.fine_tuning import FineTuningJob

from flywheel_dagster.errors import PermanentTrainingError, TransientTrainingError, UnansweredError, UnknownJobError
from flywheel_dagster.openai_errors import Failures, checked_key, classified
from flywheel_dagster.training.estimate import Estimate, estimate, free
from flywheel_dagster.training.prices import PriceList, openai_training_cost
from flywheel_dagster.training.trainer import JobState, JobStatus

_KEY = "flywheel_key"
_ENDS = {"succeeded": JobState.SUCCEEDED, "failed": JobState.FAILED, "cancelled": JobState.CANCELLED}
_REMEDIES = {
    "training_not_available": "OpenAI no longer opens fine-tuning jobs for this organization; choose another trainer (FLYWHEEL_TRAINER)",
    "insufficient_quota": "the account has no credit left; add some, then materialize fine_tuned_model again",
    "credit_balance_exhausted": "the account has no credit left; add some, then materialize fine_tuned_model again",
    "invalid_api_key": "the key was refused; set OPENAI_API_KEY to a valid one",
    "model_not_available": "this base model can't be fine-tuned; set FLYWHEEL_BASE_MODEL to one that can",
}
_FAILURES = Failures(PermanentTrainingError, TransientTrainingError, UnansweredError, _REMEDIES)


class OpenAITrainer:
    """Supervised fine-tuning. Nothing is retried by the client: a repeated POST could buy a second job."""

    name = "openai"

    def __init__(
        self,
        *,
        api_key: str,
        base_model: str,
        epochs: int,
        seed: int,
        base_url: str | None = None,
        local: bool = False,
        prices: PriceList | None = None,
    ) -> None:
        self.base_model = base_model
        self._epochs, self._seed, self._local, self._api_key = epochs, seed, local, checked_key(api_key)
        self._prices = prices
        self._client = openai.OpenAI(api_key=self._api_key, base_url=base_url, max_retries=0, timeout=120)
        weakref.finalize(self, self._client.close)  # its connections go with the trainer

    def settings(self) -> Mapping[str, Any]:
        """Base, epochs, seed, and where: a job of the local server must never pass for a real one."""
        endpoint = "local" if self._local else str(self._client.base_url)
        return {
            "base_model": self.base_model,
            "epochs": self._epochs,
            "seed": self._seed,
            "endpoint": endpoint,
            "method": "supervised",
        }

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files."""
        with self._errors("the upload"), path.open("rb") as file:
            return self._client.files.create(file=(name, file), purpose="fine-tune").id

    def find(self, key: str) -> str | None:
        """GET /fine_tuning/jobs with our key in its metadata; an oldest job wins, should there be two."""
        found = None
        with self._errors("listing jobs"):
            for job in self._client.fine_tuning.jobs.list(limit=100, extra_query={f"metadata[{_KEY}]": key}):
                if (job.metadata or {}).get(_KEY) == key:
                    found = job.id
        return found

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """POST /fine_tuning/jobs."""
        with self._errors("creating the job"):
            job = self._client.fine_tuning.jobs.create(
                model=self.base_model,
                training_file=training_file,
                validation_file=validation_file if validation_file is not None else openai.omit,
                suffix=suffix,
                seed=self._seed,
                method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": self._epochs}}},
                metadata={_KEY: key},
            )
        return job.id

    def status(self, job_id: str) -> JobStatus:
        """GET /fine_tuning/jobs/{id} and its newest event."""
        with self._errors(f"looking at job {job_id}"):
            try:
                job = self._client.fine_tuning.jobs.retrieve(job_id)
            except openai.NotFoundError:  # told without its cause, which may quote the key
                raise UnknownJobError(
                    f"OpenAI knows no fine-tuning job {job_id}: it was deleted there, or bought with another account's key; set "
                    "OPENAI_API_KEY to the key that bought it, or materialize fine_tuned_model with resubmit: true to buy a new one"
                ) from None
        state = _ENDS.get(job.status, JobState.RUNNING)
        return JobStatus(
            job_id=job_id,
            state=state,
            provider_status=job.status,
            model_id=job.fine_tuned_model if state is JobState.SUCCEEDED else None,
            trained_tokens=job.trained_tokens,
            error=_job_error(job),
            last_event=self._last_event(job_id),
        )

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """By the dated price list; the local server is free."""
        if self._local:
            return free(self.name, self.base_model, tokens, self._epochs, why="the local server")
        return estimate(self.name, self.base_model, tokens, self._epochs, validation_tokens=validation_tokens, prices=self._prices)

    def cost_usd(self, trained_tokens: int) -> float | None:
        """By the dated price list; the local server is free."""
        return 0.0 if self._local else openai_training_cost(self.base_model, trained_tokens, self._prices)

    def _last_event(self, job_id: str) -> str | None:
        # Only told, never decided upon: a job whose events can't be had still has its state.
        with suppress(openai.APIError):
            for event in self._client.fine_tuning.jobs.list_events(job_id, limit=1).data:
                return event.message
        return None

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return classified(doing, api_key=self._api_key, failures=_FAILURES)


def _job_error(job: FineTuningJob) -> str | None:
    # While all is well, error is null or an object of nulls.
    if job.error is None or not job.error.code:
        return None
    return f"{job.error.message} ({job.error.code})"
