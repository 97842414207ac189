"""The whole graph with weights that this machine trains: from outcomes to the registry, with a model that the test makes itself.

It has a few thousand random weights and never learns to end a message, so what the graph has to show is that it is examined and kept back.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.sandbox.services import stop_model_server
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.orchestration.conftest import Run, write_deals
from flywheel_dagster_tests.orchestration.test_assets import WEEK, metadata, unmet
from flywheel_dagster_tests.training.trainers.lora_tiny import make_base

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("torch", "transformers", "peft")), reason="the extra lora is not installed"
    ),
]
CONTEXT = 1_024  # tokens: the longest example, and little more for an answer that doesn't end


@pytest.fixture
def base(configured: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The environment chooses the trainer lora with a base of its own, and the local model server of this home, which serves what it trains."""
    home = configured.settings.home
    base = make_base(home / "tiny", context=CONTEXT)
    for name, value in {
        "HOME": str(home),
        "TRAINER": "lora",
        "BASE_MODEL": str(base),
        "EPOCHS": "1",
        "LEARNING_RATE": "1e-2",
    }.items():
        monkeypatch.setenv(f"FLYWHEEL_{name}", value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads wait for each other longer than they compute on so small a model
    yield base
    stop_model_server(home)


def test_the_whole_graph_runs_with_lora_by_configuration_alone(
    connection: psycopg.Connection[TupleRow], run: Run, configured: Database, base: Path
) -> None:
    write_deals(connection, 60)
    assert run("score_weeks", partition_key=str(WEEK)).success
    trained = run("train_scope", partition_key="global")
    assert not trained.success
    assert "fit_to_serve" in unmet(trained)
    assert "0 usable answers to 6 prompts" in unmet(trained)

    shown = metadata(trained, "fine_tuned_model")
    model = str(shown["model_id"])
    assert (shown["trainer"], shown["base_model"], shown["cost_usd"]) == ("lora", str(base), 0)
    assert str(shown["loss"]).startswith("![Loss](data:image/png;base64,")
    assert (configured.settings.training_data_dir / "models" / model / "adapter" / "adapter_model.safetensors").is_file()

    registered = "select model_version, trainer, model_id, base_model, status from model_registry"
    assert connection.execute(registered).fetchall() == [("v1.0.0", "lora", model, str(base), "failed")]
    answered = "select count(*), min(finish_reason) from model_answers where trainer = 'lora' and model_id = %s"
    assert connection.execute(answered, (model,)).fetchone() == (6, "length")
    report = "select trainer, model_id, passed, prompts from model_examinations"
    assert connection.execute(report).fetchall() == [("lora", model, False, 6)]
