"""The suite that all trainers pass, at a real provider and for real money. It runs only where the environment says which, and how much it may cost:

    FLYWHEEL_CONFORMANCE=openai FLYWHEEL_CONFORMANCE_BUDGET_USD=1 OPENAI_API_KEY=… \\
        python -m pytest -m acceptance flywheel_dagster_tests/acceptance/test_real_provider.py

Three jobs are bought, two of which are cancelled at once; each may cost a third of the budget, by the dated price list or FLYWHEEL_PRICES
(which is where Azure's prices have to be).
Everything else that the environment sets holds, too: FLYWHEEL_BASE_MODEL, FLYWHEEL_POLL_SECONDS, OPENAI_BASE_URL ….
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow
from pydantic import SecretStr

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.patience import Patience
from flywheel_dagster.settings import Settings, variable_names
from flywheel_dagster_tests.conftest import _ENVIRONMENT
from flywheel_dagster_tests.training.making import score_good_outcomes
from flywheel_dagster_tests.training.trainers.conformance import Conformance, Place
from flywheel_dagster_tests.training.trainers.places import RECIPES, REVOKED

pytestmark = pytest.mark.acceptance

WHICH, BUDGET = "FLYWHEEL_CONFORMANCE", "FLYWHEEL_CONFORMANCE_BUDGET_USD"
JOBS = 3


@dataclass(frozen=True)
class Provider:
    """What a trainer wants of the environment, the setting of its key, and an id of the shape that its jobs have."""

    wanted: tuple[str, ...]
    key: str | None
    unknown_job: str


PROVIDERS = {
    "openai": Provider(("OPENAI_API_KEY",), "openai_api_key", "ftjob-AAAAAAAAAAAAAAAAAAAAAAAA"),
    "azure": Provider(
        ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "FLYWHEEL_AZURE_RESOURCE_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
        "azure_openai_api_key",
        "ftjob-00000000000000000000000000000000",
    ),
    "together": Provider(("TOGETHER_API_KEY",), "together_api_key", "ft-00000000-0000-0000-0000-000000000000"),
    "lora": Provider((), None, "conformance-v1-0-0-000000000000"),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The provider that the environment names. The seed makes each test's trainings its own, in each run."""
    if not (name := _ENVIRONMENT.get(WHICH)):
        pytest.skip(f"it spends real money: set {WHICH} to one of {', '.join(PROVIDERS)}, and {BUDGET} to what it may cost")
    if name not in PROVIDERS:
        pytest.fail(f"{WHICH} is {name!r}; set it to one of {', '.join(PROVIDERS)}")
    provider = PROVIDERS[name]
    if missing := [variable for variable in (BUDGET, *provider.wanted) if not _ENVIRONMENT.get(variable)]:
        pytest.skip(f"{WHICH} is {name}, but {', '.join(missing)} is not set")
    ours = {"FLYWHEEL_TRAINER": name, "FLYWHEEL_HOME": tmp_path / "home", "TRAINING_DATA_DIR": tmp_path / "training_data"}
    ours |= {"FLYWHEEL_LOCAL": False, "FLYWHEEL_EPOCHS": 1, "FLYWHEEL_TRAINING_SEED": uuid4().int % 2**31}
    told = {variable: _ENVIRONMENT[variable] for variable in variable_names() if _ENVIRONMENT.get(variable)}
    settings = Settings(_env_file=None, **(told | ours))
    key = getattr(settings, provider.key) if provider.key else None
    return Place(
        settings,
        others=RECIPES,
        unknown_job=provider.unknown_job,
        wrong_key=(settings.model_copy(update={provider.key: SecretStr(REVOKED)}), REVOKED) if provider.key else None,
        hold=lambda: None,  # a real job takes minutes
        waiting=_really(settings),
        budget_usd=Decimal(_ENVIRONMENT[BUDGET]) / JOBS,
        secrets=(key.get_secret_value(),) if key else (),
    )


@pytest.fixture
def dataset(place: Place, connection: psycopg.Connection[TupleRow]) -> Dataset:
    """Twenty short messages."""
    score_good_outcomes(connection, count=20)
    return assemble(connection, "acme", place.settings.training_data_dir, Selection())


def _really(settings: Settings) -> Callable[[Callable[[], object]], Patience]:
    def waiting(during: Callable[[], object]) -> Patience:
        def sleep(seconds: float) -> None:
            during()
            time.sleep(seconds)

        return Patience(timedelta(seconds=settings.poll_seconds), timedelta(hours=settings.training_timeout_hours), sleep)

    return waiting


class TestRealProvider(Conformance):
    """The suite."""
