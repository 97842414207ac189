"""Where each trainer trains in our own tests: on this machine, at the local model server or in a folder."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flywheel_dagster.datasets.files import MANIFEST
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.patience import Patience
from flywheel_dagster.sandbox.services import stop_model_server
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.trainers.conformance import Place
from flywheel_dagster_tests.training.trainers.lora_tiny import make_base

REVOKED = "sk-revoked"  # the key that the local model server refuses
RECIPES = ({"base_model": "another"}, {"epochs": 7}, {"training_seed": 4711}, {"batch_size": 3}, {"learning_rate": 0.25})
DEPLOYING = {
    "FLYWHEEL_AZURE_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_CLIENT_ID": "client",
    "AZURE_CLIENT_SECRET": "secret",
}


def settings_for(trainer: str, home: Path, data: Path, **more: Any) -> Settings:
    """What a user would set, and nothing from this machine's own .env."""
    return Settings(_env_file=None, FLYWHEEL_TRAINER=trainer, FLYWHEEL_HOME=home, TRAINING_DATA_DIR=data, **more)  # type: ignore[call-arg]


def openai_place(server: Served, home: Path, data: Path) -> Place:
    """OpenAI's API at the local model server."""
    wrong = settings_for("openai", home, data, OPENAI_API_KEY=REVOKED, OPENAI_BASE_URL=f"{server.url}/v1")
    return _at_server("openai", server, home, data, wrong=wrong, base="gpt-4o-mini-2024-07-18", unknown="ftjob-none")


def azure_place(server: Served, home: Path, data: Path) -> Place:
    """Azure's API at the local model server."""
    wrong = settings_for(
        "azure", home, data, AZURE_OPENAI_API_KEY=REVOKED, AZURE_OPENAI_ENDPOINT=f"{server.url}/azure", **DEPLOYING
    )
    return _at_server("azure", server, home, data, wrong=wrong, base="gpt-4.1-mini-2025-04-14", unknown="ftjob-none")


def together_place(server: Served, home: Path, data: Path) -> Place:
    """Together's API at the local model server."""
    wrong = settings_for("together", home, data, TOGETHER_API_KEY=REVOKED, TOGETHER_BASE_URL=f"{server.url}/together/v1")
    return _at_server("together", server, home, data, wrong=wrong, base=None, unknown="ft-none")


def exemplars_place(server: Served, home: Path, data: Path) -> Place:
    """An index in a folder, and a base model of the local model server."""
    server.stand_in(home)
    return Place(
        settings_for("exemplars", home, data, FLYWHEEL_LOCAL=True),
        others=({"base_model": "another"}, {"exemplars": 7}),
        unknown_job="flywheel-v1-0-0-000000000000",
        fail=lambda dataset: (dataset.directory / MANIFEST).unlink(),
    )


def lora_place(server: Served, home: Path, data: Path) -> Place:
    """A process on this machine, a tiny base model, and a model server of the test's own that loads the adapter."""
    if missing := [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]:
        pytest.skip(f"the extra `lora` is not installed: {', '.join(missing)} is missing")
    base = make_base(home / "tiny", context=2_048)
    _start_server(home, data / "models")

    def waiting(during: Callable[[], object]) -> Patience:
        def sleep(seconds: float) -> None:
            during()
            time.sleep(seconds)

        return Patience(timedelta(milliseconds=100), timedelta(minutes=5), sleep)

    def fail(dataset: Dataset) -> None:
        (base / "model.safetensors").unlink()

    return Place(
        settings_for("lora", home, data, FLYWHEEL_LOCAL=True, FLYWHEEL_BASE_MODEL=str(base), FLYWHEEL_EPOCHS=1),
        others=RECIPES,
        unknown_job="flywheel-v1-0-0-000000000000",
        fail=fail,
        hold=lambda: None,  # it takes seconds until it has begun
        waiting=waiting,
        close=lambda: stop_model_server(home),
    )


def _start_server(home: Path, adapters: Path) -> None:
    """As a command does that has ended since: the server is nobody's child."""
    program = "import sys, pathlib, flywheel_dagster.sandbox.services as s; s.model_server_url(pathlib.Path(sys.argv[1]), adapters=pathlib.Path(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", program, str(home), str(adapters)], check=True, timeout=60)


def _at_server(trainer: str, server: Served, home: Path, data: Path, *, wrong: Settings, base: str | None, unknown: str) -> Place:
    """The server remembers the jobs of other tests; a seed that no other has makes ours our own."""
    server.stand_in(home)

    def fail(dataset: Dataset) -> None:
        server.set_fault(kind="job_fails", code="exceeded_quota", message="Billing hard limit has been reached")

    recipe = {"FLYWHEEL_TRAINING_SEED": uuid4().int % 2**31, "FLYWHEEL_EPOCHS": 1, "FLYWHEEL_BASE_MODEL": base}
    return Place(
        settings_for(trainer, home, data, FLYWHEEL_LOCAL=True, **recipe),
        others=RECIPES,
        unknown_job=unknown,
        wrong_key=(wrong, REVOKED),
        fail=fail,
        hold=lambda: server.set_fault(kind="job_stuck"),
    )


PLACES: dict[str, Callable[[Served, Path, Path], Place]] = {
    "openai": openai_place,
    "azure": azure_place,
    "together": together_place,
    "lora": lora_place,
    "exemplars": exemplars_place,
}
