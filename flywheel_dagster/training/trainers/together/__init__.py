"""Together's fine-tuning of open weights, by its own HTTP API (github.com/togethercomputer/openapi, 2026-04-28), and if it is asked for a
dedicated endpoint for what was trained."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flywheel_dagster.errors import PermanentTrainingError, SettingsError, TransientTrainingError, UnknownJobError
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.openai_errors import checked_key
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.endpoint_name import written_address
from flywheel_dagster.training.estimate import Estimate, estimate, free
from flywheel_dagster.training.job_suffix import suffix_for, was_bought_for
from flywheel_dagster.training.prices import PriceList, price_list
from flywheel_dagster.training.recipe import recipe_of
from flywheel_dagster.training.trainer import JobState, JobStatus, LossPoint, Offer, Recipe
from flywheel_dagster.training.trainers.together.api import FAILURES, KEY_SETTING, Api, rows
from flywheel_dagster.training.trainers.together.endpoints import Endpoint, Endpoints, EndpointState, end_endpoints

DEFAULT_BASE = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"
ADDRESS = "https://api.together.ai/v1"
LOCAL_KEY = "local-development"

_ENDS = {"completed": JobState.SUCCEEDED, "error": JobState.FAILED, "cancelled": JobState.CANCELLED}


class TogetherTrainer:
    """LoRA by supervised or direct-preference training; as no training type is asked for, Together chooses LoRA. No call is repeated.

    A job has no metadata at Together, so that "bought once" goes by its suffix, which ends with a hash of the key (`job_suffix`). With
    `hardware` it succeeds once its model runs on an endpoint. A start that fails ends no job: the error is raised, the trained model stays,
    and the next training run starts the endpoint anew.
    """

    name = "together"
    offer = Offer(
        methods=("supervised", "dpo"),
        least_examples=1,
        most_file_bytes=5 * 1024**3,  # of one request; larger files would have to be sent in parts
        most_example_tokens=None,  # longer examples are cut to what the base model takes
        weights=False,
        model_id=(
            "what Together called the model (ACCOUNT/BASE-SUFFIX-ID), which can be asked once it runs on a dedicated endpoint there; with "
            "FLYWHEEL_TOGETHER_HARDWARE the name of the endpoint that was started for it. Asked at the same address with the same key; an "
            "endpoint is billed by the minute until it stops, and those started here stop after an idle hour"
        ),
    )

    def __init__(
        self,
        recipe: Recipe,
        *,
        api_key: str,
        base_url: str | None = None,
        hardware: str | None = None,
        local: bool = False,
        prices: PriceList | None = None,
    ) -> None:
        self.recipe, self._local, self._prices = recipe, local, prices
        self._api = Api(base_url or ADDRESS, api_key)
        self._endpoints = Endpoints(self._api, hardware) if hardware else None

    def settings(self) -> Mapping[str, Any]:
        """The recipe, and where: a job of the local server must never pass for a real one."""
        return self.recipe.settings() | {"endpoint": "local" if self._local else written_address(self._api.address)}

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files/upload."""
        form = {"purpose": "fine-tune", "file_name": name, "file_type": "jsonl"}
        with path.open("rb") as file:
            sent = self._call("the upload", "POST", "/files/upload", data=form, files={"file": (name, file, "application/jsonl")})
        return _id(sent, "the upload")

    def imported(self, file_id: str) -> bool:
        """At once: what is wrong with a file, its job tells."""
        return True

    def find(self, key: str) -> str | None:
        """GET /fine-tunes, all of them: those whose suffix was made from the key; an oldest job wins, should there be two."""
        listed = self._call("listing jobs", "GET", "/fine-tunes")
        jobs = [job for job in rows(listed, "data") if was_bought_for(key, job.get("suffix"))]
        return _id(min(jobs, key=lambda job: str(job.get("created_at"))), "listing jobs") if jobs else None

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """POST /fine-tunes. With a validation file, losses on it are measured once an epoch.

        Raises PermanentTrainingError before that for a base model that Together doesn't run on the hardware of the endpoint.
        """
        if self._endpoints is not None:
            self._endpoints.require_offered(self.recipe.base_model)
        asked = {
            "model": self.recipe.base_model,
            "training_file": training_file,
            "validation_file": validation_file,
            "n_evals": self.recipe.epochs if validation_file is not None else None,
            "n_epochs": self.recipe.epochs,
            "batch_size": self.recipe.batch_size,
            "learning_rate": self.recipe.learning_rate,
            "random_seed": self.recipe.seed,
            "training_method": _METHODS[self.recipe.method],
            "suffix": suffix_for(key, suffix),
        }
        body = {name: value for name, value in asked.items() if value is not None}
        created = self._call("creating the job", "POST", "/fine-tunes", json=body)
        return _id(created, "creating the job")

    def status(self, job_id: str) -> JobStatus:
        """GET /fine-tunes/{id} and its events. `trained_tokens` is `token_count`: all that are billed, epochs and evaluations included, as
        soon as they were counted (docs.together.ai/docs/fine-tuning/pricing). Completed without the name of its model, a job still runs, as
        it does while the model's endpoint starts. Raises PermanentTrainingError for an endpoint that Together refuses or that fails.
        """
        job = self._call(f"looking at job {job_id}", "GET", f"/fine-tunes/{job_id}", job_id=job_id)
        said, model = str(job.get("status")), job.get("model_output_name")
        state = _ENDS.get(said, JobState.RUNNING)
        if state is JobState.SUCCEEDED and not model:
            state = JobState.RUNNING
        events = self._events(job_id, needed=state is JobState.FAILED)
        seen = JobStatus(
            job_id=job_id,
            state=state,
            provider_status=said,
            model_id=model if state is JobState.SUCCEEDED else None,
            trained_tokens=job.get("token_count") or None,
            error=_reason(events) if state is JobState.FAILED else None,
            last_event=events[-1].get("message") if events else None,
        )
        if self._endpoints is None or seen.model_id is None:
            return seen
        return _on_endpoint(seen, seen.model_id, self._endpoints.ensure(seen.model_id, base=self.recipe.base_model))

    def cancel(self, job_id: str) -> None:
        """POST /fine-tunes/{id}/cancel."""
        self._call(f"cancelling job {job_id}", "POST", f"/fine-tunes/{job_id}/cancel", job_id=job_id)

    def loss_curve(self, job_id: str) -> list[LossPoint]:
        """GET /fine-tunes/{id}/metrics: snapshots of training (train/loss) and of evaluations (eval/loss), by their global_step."""
        snapshots = self._call(f"reading the metrics of job {job_id}", "GET", f"/fine-tunes/{job_id}/metrics", job_id=job_id)
        losses: dict[int, dict[str, float]] = {}
        for snapshot in rows(snapshots, "metrics"):
            step = next((value for name, value in snapshot.items() if name.endswith("global_step")), None)
            told = {part: snapshot[name] for part, name in _LOSSES.items() if isinstance(snapshot.get(name), int | float)}
            if isinstance(step, int | float) and told:
                losses.setdefault(int(step), {}).update(told)
        return [LossPoint(step, **losses[step]) for step in sorted(losses)]

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """By the dated price list, validation once an epoch; the local server is free."""
        base, epochs = self.recipe.base_model, self.recipe.epochs
        if self._local:
            return free(self.name, base, tokens, epochs, why="the local server")
        return estimate(
            self.name, base, tokens, epochs, validation_tokens=validation_tokens, evaluations=epochs, method=self.recipe.method,
            prices=self._prices,
        )  # fmt: skip

    def cost_usd(self, trained_tokens: int) -> float | None:
        """By the dated price list; the local server is free."""
        if self._local:
            return 0.0
        usd = estimate(self.name, self.recipe.base_model, trained_tokens, 1, method=self.recipe.method, prices=self._prices).usd
        return None if usd is None else float(usd)

    def _events(self, job_id: str, *, needed: bool) -> list[dict[str, Any]]:
        # Only told, never decided upon: a job whose events can't be had still has its state. But why it failed stands nowhere else.
        try:
            answer = self._call(f"reading the events of job {job_id}", "GET", f"/fine-tunes/{job_id}/events")
        except PermanentTrainingError:
            return []
        except TransientTrainingError:
            if needed:
                raise
            return []
        return sorted(rows(answer, "data"), key=lambda event: str(event.get("created_at")))

    def _call(self, doing: str, method: str, path: str, *, job_id: str | None = None, **options: Any) -> dict[str, Any]:
        if job_id is None:
            return self._api.call(doing, method, path, **options)
        if (answer := self._api.find(doing, method, path, **options)) is None:
            raise UnknownJobError(
                f"Together knows no fine-tuning job {job_id}: it was deleted there, or bought with another account's key; set "
                f"{KEY_SETTING} to the key that bought it, or materialize fine_tuned_model with resubmit: true to buy a new one"
            )
        return answer


_METHODS = {"supervised": {"method": "sft", "train_on_inputs": False}, "dpo": {"method": "dpo"}}
_LOSSES = {"training": "train/loss", "validation": "eval/loss"}


def _id(created: Mapping[str, Any], doing: str) -> str:
    if not isinstance(created.get("id"), str):
        raise FAILURES.of_lost_answer(doing, "the answer names no id")
    return str(created["id"])


def _on_endpoint(seen: JobStatus, model: str, endpoint: Endpoint) -> JobStatus:
    """The completed job of a model as its endpoint lets it appear: succeeded under the endpoint's name, or still running."""
    if endpoint.state is EndpointState.STARTED:
        return replace(seen, model_id=endpoint.name)
    told = f"{model} is trained; its endpoint {endpoint.name} is {endpoint.said}"
    if endpoint.state is EndpointState.STARTING:
        return replace(seen, state=JobState.RUNNING, provider_status="starting endpoint", model_id=None, last_event=told)
    raise PermanentTrainingError(
        f"{told}; look at together.ai for the reason and mend it, or delete the endpoint there to have another one made, then materialize "
        "fine_tuned_model again (without resubmit, which would buy a new training)"
    )


def _reason(events: list[dict[str, Any]]) -> str | None:
    """The message of the newest event that tells of an error."""
    for event in reversed(events):
        if event.get("type") == "job_error" or event.get("level") in ("error", "legacy_ierror"):
            return str(event.get("message"))
    return None


def trainer_of(settings: Settings) -> TogetherTrainer:
    """Together, or whoever speaks its API at TOGETHER_BASE_URL; without a key and an address the local model server, started if need be."""
    key, address, local = _access(settings)
    return TogetherTrainer(
        recipe_of(settings, DEFAULT_BASE),
        api_key=key,
        base_url=address,
        hardware=settings.together_hardware,
        local=local,
        prices=price_list(settings.prices),
    )


def chat_of(settings: Settings, model_id: str, *, retries: int = RETRIES) -> Chat:
    """A model at Together: one of theirs, or a fine-tuned one that runs on an endpoint, which asking doesn't start."""
    key, address, _ = _access(settings)
    return OpenAIChat(model_id, api_key=key, base_url=address, provider="Together", token_limit="max_tokens", retries=retries)  # noqa: S106  no secret


def undeploy(settings: Settings, model_id: str) -> list[str]:
    """Delete the endpoints that a model runs on, by their name or the model's; their names."""
    key, address, _ = _access(settings)
    return end_endpoints(Api(address, key), model_id)


def _access(settings: Settings) -> tuple[str, str, bool]:
    """The key, the address, and whether that is the local server."""
    key, address = settings.together_api_key, settings.together_base_url
    if settings.local or (key is None and address is None):
        from flywheel_dagster.sandbox.services import model_server_url

        return LOCAL_KEY, f"{model_server_url(settings.home).removesuffix('/v1')}/together/v1", True
    if key is None:
        raise SettingsError(f"TOGETHER_BASE_URL is set but {KEY_SETTING} is not; set both, or neither for the local model server")
    return checked_key(key.get_secret_value(), setting=KEY_SETTING), address or ADDRESS, False
