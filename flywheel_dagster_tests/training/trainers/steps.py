"""What every trainer's tests do with it: buy a job, see it to its end, and meet a provider that fails."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import pytest

from flywheel_dagster.training.trainer import JobState, JobStatus, Trainer
from flywheel_dagster_tests.sandbox.model_server.served import Served


def bought(trainer: Trainer, file_id: str, *, key: str | None = None, validation: str | None = None) -> str:
    return trainer.create(key=key or uuid4().hex, training_file=file_id, validation_file=validation, suffix="tests")


def ended(trainer: Trainer, job_id: str) -> JobStatus:
    for _ in range(500):
        if (seen := trainer.status(job_id)).state is not JobState.RUNNING:
            return seen
    raise AssertionError(f"{job_id} is still {seen.provider_status}")


def assert_named(
    provider: Served, calls: Iterable[Callable[[], object]], fault: dict[str, Any], error: type[Exception], said: str
) -> None:
    """Each call meets the fault once: it raises this very class, in one line that says so, and works the next time."""
    for call in calls:
        provider.set_fault(**({"kind": "status"} | fault))
        with pytest.raises(error) as raised:
            call()
        assert raised.type is error
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)
        call()  # the fault has passed
