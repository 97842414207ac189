"""What a trainer is: something that turns files of examples into a model id. Who pays for which job, and only once, is in `submission.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from flywheel_dagster.training.estimate import Estimate


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


class Trainer(Protocol):
    """A provider of fine-tuning. Every call may raise TransientTrainingError (call again later) or PermanentTrainingError.

    Submission relies on one distinction: UnansweredError when a call may have taken effect though it failed.
    """

    name: str
    base_model: str

    def settings(self) -> Mapping[str, Any]:
        """What distinguishes one training of a dataset from another: base, hyperparameters, provider. Plain JSON values."""
        ...

    def upload(self, path: Path, *, name: str) -> str:
        """Send a file of examples; returns the provider's file id."""
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

    def estimate(self, tokens: int, *, validation_tokens: int = 0) -> Estimate:
        """What training on so many tokens of examples would cost, epochs and all, before anything is bought."""
        ...

    def cost_usd(self, trained_tokens: int) -> float | None:
        """What so many trained tokens cost; None when no price is known."""
        ...
