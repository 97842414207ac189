"""What a trainer is: something that turns files of examples into a model id. Who pays for which job, and only once, is in `submission.py`."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import orjson

from flywheel_dagster.training.estimate import Estimate
from flywheel_dagster.training.prices import Method


class JobState(StrEnum):
    """Where a job stands. Whatever a provider says that is not an end is `running`: only ends are believed."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class JobStatus:
    """One look at a job: the provider's own word in `provider_status`, its model once there is one, its message if it failed."""

    job_id: str
    state: JobState
    provider_status: str
    model_id: str | None = None
    trained_tokens: int | None = None
    error: str | None = None
    last_event: str | None = None


@dataclass(frozen=True)
class LossPoint:
    """Mean loss (nats a token) after a step, as far as the provider tells it: of the step's own examples, and of those to validate with."""

    step: int
    training: float | None = None
    validation: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How to train. `learning_rate` is the optimizer's own, but at OpenAI and Azure a multiple of theirs; None leaves a value to the trainer."""

    base_model: str
    method: Method = "supervised"
    epochs: int = 3
    seed: int = 17
    batch_size: int | None = None
    learning_rate: float | None = None

    def settings(self) -> dict[str, Any]:
        """What was chosen, as plain JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Offer:
    """What a trainer takes and gives. Limits are None where there is none; `weights`: it takes a weight an example, from the manifest."""

    methods: tuple[Method, ...]
    least_examples: int
    most_file_bytes: int | None
    most_example_tokens: int | None
    weights: bool
    model_id: str


class Trainer(Protocol):
    """Where models are trained. Every call may raise TransientTrainingError (call again later) or PermanentTrainingError.

    Submission relies on one distinction: UnansweredError when a call may have taken effect though it failed.
    """

    name: str
    recipe: Recipe
    offer: Offer

    def settings(self) -> Mapping[str, Any]:
        """What distinguishes one training of a dataset from another: the recipe, and where. Plain JSON values."""
        ...

    def upload(self, path: Path, *, name: str) -> str:
        """Send a file of examples; returns the provider's file id."""
        ...

    def imported(self, file_id: str) -> bool:
        """Whether the provider is done taking the file in. Raises PermanentTrainingError when it can't be."""
        ...

    def find(self, key: str) -> str | None:
        """The id of the job that was created under `key`, if the provider lists one."""
        ...

    def create(self, *, key: str, training_file: str, validation_file: str | None, suffix: str) -> str:
        """Buy a job; returns its id. Called again for a key only when `find` shows that the call before came to nothing."""
        ...

    def status(self, job_id: str) -> JobStatus:
        """Look at a job. Raises UnknownJobError when the provider knows none of this id."""
        ...

    def cancel(self, job_id: str) -> None:
        """Ask for the end of a job that runs; its status tells when it has ended."""
        ...

    def loss_curve(self, job_id: str) -> list[LossPoint]:
        """The losses told so far, in the order of steps; empty where a trainer tells none."""
        ...

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """What training on so many tokens of examples would cost, epochs and all, before anything is bought."""
        ...

    def cost_usd(self, trained_tokens: int) -> float | None:
        """What so many trained tokens cost; None when no price is known."""
        ...


def settings_hash(trainer: Trainer) -> str:
    """A short name of a trainer's settings."""
    return hashlib.sha256(orjson.dumps(trainer.settings(), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
