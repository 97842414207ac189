"""OpenAI's fine-tuning, through the official client, and anything that speaks the same API under another base URL."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import openai
from openai.types.fine_tuning import FineTuningJob

from flywheel_dagster.datasets.tokens import MOST_TOKENS
from flywheel_dagster.errors import PermanentTrainingError, SettingsError, TransientTrainingError, UnansweredError, UnknownJobError
from flywheel_dagster.http_errors import Failures
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.openai_errors import checked_key, classified
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.endpoint_name import written_address
from flywheel_dagster.training.estimate import Estimate, estimate, free
from flywheel_dagster.training.prices import PriceList, openai_training_cost, price_list
from flywheel_dagster.training.recipe import recipe_of
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Offer, Recipe

DEFAULT_BASE = "gpt-4o-2024-08-06"
LOCAL_KEY = "sk-local-development"

_KEY = "flywheel_key"
_ENDS = {"succeeded": JobState.SUCCEEDED, "failed": JobState.FAILED, "cancelled": JobState.CANCELLED}
_REFUSED_KEY = "the key was refused; set OPENAI_API_KEY to a valid one"
_REMEDIES = {
    "training_not_available": "OpenAI no longer opens fine-tuning jobs for this organization; choose another trainer (FLYWHEEL_TRAINER)",
    "insufficient_quota": "the account has no credit left; add some, then materialize fine_tuned_model again",
    "credit_balance_exhausted": "the account has no credit left; add some, then materialize fine_tuned_model again",
    "invalid_api_key": _REFUSED_KEY,
    "401": _REFUSED_KEY,
    "403": "the key may not do this; give it the permission for files, models and fine-tuning at platform.openai.com, or set OPENAI_API_KEY to another one",
    "404": "there is no such thing at this address; correct OPENAI_BASE_URL, or choose another trainer (FLYWHEEL_TRAINER) if nothing is fine-tuned there",
    "model_not_found": "this base model isn't offered, or not to this account; set FLYWHEEL_BASE_MODEL to one that is",
    "model_not_available": "this base model can't be fine-tuned; set FLYWHEEL_BASE_MODEL to one that can",
}


class OpenAITrainer:
    """Supervised and direct-preference fine-tuning. Nothing is retried by the client: a repeated POST could buy a second job."""

    name = "openai"
    failures = Failures(PermanentTrainingError, TransientTrainingError, UnansweredError, _REMEDIES)
    key_setting = "OPENAI_API_KEY"
    offer = Offer(
        methods=("supervised", "dpo"),
        least_examples=10,
        most_file_bytes=512 * 1024 * 1024,
        most_example_tokens=MOST_TOKENS,
        weights=False,
        model_id="what OpenAI called the model (ft:BASE:ORG:SUFFIX:ID); asked at the same address with the same key",
    )

    def __init__(
        self, recipe: Recipe, *, api_key: str, base_url: str | None = None, local: bool = False, prices: PriceList | None = None
    ) -> None:
        self.recipe, self._local, self._prices = recipe, local, prices
        self._api_key = checked_key(api_key, setting=self.key_setting)
        self._client = openai.OpenAI(api_key=self._api_key, base_url=base_url, max_retries=0, timeout=120)
        weakref.finalize(self, self._client.close)  # its connections go with the trainer

    def settings(self) -> Mapping[str, Any]:
        """The recipe, and where: a job of the local server must never pass for a real one."""
        endpoint = "local" if self._local else f"{written_address(str(self._client.base_url))}/"
        return self.recipe.settings() | {"endpoint": endpoint}

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files."""
        with self._errors("the upload"), path.open("rb") as file:
            return self._client.files.create(file=(name, file), purpose="fine-tune").id

    def imported(self, file_id: str) -> bool:
        """At once: what is wrong with a file, its job tells."""
        return True

    def find(self, key: str) -> str | None:
        """GET /fine_tuning/jobs, newest first; an oldest job wins, should there be two."""
        found = None
        with self._errors("listing jobs"):
            for job in self._bought_for(key):
                found = job.id
        return found

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """POST /fine_tuning/jobs."""
        with self._errors("creating the job"):
            job = self._client.fine_tuning.jobs.create(
                model=self.recipe.base_model,
                training_file=training_file,
                validation_file=validation_file if validation_file is not None else openai.omit,
                seed=self.recipe.seed,
                method=_method(self.recipe),
                **self._marks(key, suffix),
            )
        return job.id

    def status(self, job_id: str) -> JobStatus:
        """GET /fine_tuning/jobs/{id} and its newest event."""
        with self._errors(f"looking at job {job_id}"):
            try:
                job = self._client.fine_tuning.jobs.retrieve(job_id)
            except openai.NotFoundError:  # told without its cause, which may quote the key
                raise UnknownJobError(
                    f"{self.failures.provider} knows no fine-tuning job {job_id}: it was deleted there, or bought with another account's key; "
                    f"set {self.key_setting} to the key that bought it, or materialize fine_tuned_model with resubmit: true to buy a new one"
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

    def cancel(self, job_id: str) -> None:
        """POST /fine_tuning/jobs/{id}/cancel."""
        with self._errors(f"cancelling job {job_id}"):
            self._client.fine_tuning.jobs.cancel(job_id)

    def loss_curve(self, job_id: str) -> list[LossPoint]:
        """GET /fine_tuning/jobs/{id}/events: those with metrics, of which the latest for a step counts."""
        points: dict[int, LossPoint] = {}
        with self._errors(f"reading the events of job {job_id}"):
            for event in self._client.fine_tuning.jobs.list_events(job_id, limit=100):
                if event.type == "metrics" and isinstance(event.data, dict) and (point := _point(event.data)) is not None:
                    points.setdefault(point.step, point)
        return [points[step] for step in sorted(points)]

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """By the dated price list; the local server is free."""
        base, epochs = self.recipe.base_model, self.recipe.epochs
        if self._local:
            return free(self.name, base, tokens, epochs, why="the local server")
        return estimate(
            self.name, base, tokens, epochs, validation_tokens=validation_tokens, method=self.recipe.method, prices=self._prices
        )

    def cost_usd(self, trained_tokens: int) -> float | None:
        """By the dated price list; the local server is free."""
        return 0.0 if self._local else openai_training_cost(self.recipe.base_model, trained_tokens, self._prices)

    def _marks(self, key: str, suffix: str) -> dict[str, Any]:
        """What names a job, and lets it be found by its key."""
        return {"suffix": suffix, "metadata": {_KEY: key}}

    def _bought_for(self, key: str) -> Iterator[FineTuningJob]:
        """The jobs that were created under a key: the list is asked for it, and looked through, as not every server heeds the question."""
        for job in self._client.fine_tuning.jobs.list(limit=100, extra_query={f"metadata[{_KEY}]": key}):
            if (job.metadata or {}).get(_KEY) == key:
                yield job

    def _last_event(self, job_id: str) -> str | None:
        # Only told, never decided upon: a job whose events can't be had still has its state.
        with suppress(openai.APIError):
            for event in self._client.fine_tuning.jobs.list_events(job_id, limit=1).data:
                return event.message
        return None

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return classified(doing, api_key=self._api_key, failures=self.failures)


def _job_error(job: FineTuningJob) -> str | None:
    # While all is well, error is null or an object of nulls.
    if job.error is None or not job.error.code:
        return None
    return f"{job.error.message} ({job.error.code})"


def _method(recipe: Recipe) -> Any:
    chosen = {"n_epochs": recipe.epochs, "batch_size": recipe.batch_size, "learning_rate_multiplier": recipe.learning_rate}
    hyperparameters = {name: value for name, value in chosen.items() if value is not None}
    return {"type": recipe.method, recipe.method: {"hyperparameters": hyperparameters}}


def _point(data: dict[str, Any]) -> LossPoint | None:
    step, training = data.get("step"), data.get("train_loss")
    validation = data.get("full_valid_loss", data.get("valid_loss"))
    if not isinstance(step, int) or not any(isinstance(loss, int | float) for loss in (training, validation)):
        return None
    return LossPoint(step, _loss(training), _loss(validation))


def _loss(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def trainer_of(settings: Settings) -> OpenAITrainer:
    """OpenAI, or whoever speaks its API at OPENAI_BASE_URL; without a key and an address the local model server, started if need be."""
    key, base_url = _access(settings)
    local = settings.uses_local_model_server
    return OpenAITrainer(
        recipe_of(settings, DEFAULT_BASE), api_key=key, base_url=base_url, local=local, prices=price_list(settings.prices)
    )


def shutdown_dates(settings: Settings) -> dict[str, date | None]:
    """When each model on offer is switched off, as GET /models lists it; None: without a date.

    Raises TrainingError when the list can't be had, SettingsError for an address without a key.
    """
    key, base_url = _access(settings)
    with (
        openai.OpenAI(api_key=checked_key(key), base_url=base_url, max_retries=2, timeout=30) as client,
        classified("listing models", api_key=key, failures=OpenAITrainer.failures),
    ):
        try:
            listed = {model.id: model.shutdown_date for model in client.models.list()}
            return {model: None if day is None else date.fromisoformat(day) for model, day in listed.items()}
        except (AttributeError, TypeError, ValueError) as error:  # the client checks no answer
            raise PermanentTrainingError("listing models failed: the answer is no list of models") from error


def chat_of(settings: Settings, model_id: str, *, retries: int = RETRIES) -> Chat:
    """A model of OpenAI's, fine-tuned or not."""
    key, base_url = _access(settings)
    return OpenAIChat(model_id, api_key=key, base_url=base_url, retries=retries)


def _access(settings: Settings) -> tuple[str, str | None]:
    """The key, and the address (None: OpenAI's own)."""
    if settings.uses_local_model_server:
        from flywheel_dagster.sandbox.services import model_server_url

        return LOCAL_KEY, model_server_url(settings.home)
    if settings.openai_api_key is None:
        raise SettingsError("OPENAI_BASE_URL is set but OPENAI_API_KEY is not; set both, or neither for the local model server")
    return settings.openai_api_key.get_secret_value(), settings.openai_base_url
