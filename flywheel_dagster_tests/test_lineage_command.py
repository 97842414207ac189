"""`flywheel lineage` as people use it: tables for them, JSON for programs, and no word that anybody wrote."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.files import MANIFEST
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.models.registry import TrainedVersion, register
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.training.making import score_good_outcomes

Lineage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def lineage(database: Database, tmp_path: Path) -> Lineage:
    """Runs the command on the test's database."""
    assert database.settings.database_url is not None
    url = database.settings.database_url.get_secret_value()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        ours = {"DATABASE_URL": url, "FLYWHEEL_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
        return run_flywheel("lineage", *arguments, folder=tmp_path, environment=ours)

    return run


@pytest.fixture
def dataset(connection: psycopg.Connection[TupleRow], database: Database) -> Dataset:
    """The dataset of acme, from which v1.0.0 of acme was made."""
    score_good_outcomes(connection)
    made = assemble(connection, "acme", database.settings.training_data_dir, Selection())
    version = TrainedVersion(
        model_id="ft:gpt-4o:acme:abc", base_model="gpt-4o-2024-08-06", trainer="openai", settings_hash="s", dataset_hash=made.hash,
        example_format=made.example_format, fine_tuning_job_id="ftjob-abc", training_examples_count=made.train_examples,
        positive_examples=made.positive_examples, deals_in_training=made.deals,
    )  # fmt: skip
    register(connection, "acme", version)
    connection.commit()
    return made


def test_a_model_shows_its_messages_by_week_side_and_label(lineage: Lineage, dataset: Dataset) -> None:
    done = lineage("model", "v1.0.0", "--scope", "acme")
    assert (done.returncode, done.stderr) == (0, "")
    assert "model v1.0.0 of acme: ft:gpt-4o:acme:abc" in done.stdout
    assert "job ftjob-abc" in done.stdout
    assert f"dataset {dataset.hash}" in done.stdout
    assert f"{dataset.train_examples} messages to train" in done.stdout
    for word in ("week", "side", "positive", "neutral", "negative", "tokens"):
        assert word in done.stdout
    assert "Hello person" not in done.stdout
    assert "lead-" not in done.stdout


def test_a_model_as_json_says_the_same(lineage: Lineage, dataset: Dataset) -> None:
    found = json.loads(lineage("model", "1.0.0", "--scope", "acme", "--json").stdout)
    assert found["dataset_hash"] == dataset.hash
    assert sum(row["messages"] for row in found["messages"]) == dataset.examples


def test_its_members_come_as_a_line_of_json_each(lineage: Lineage, dataset: Dataset) -> None:
    done = lineage("model", "v1.0.0", "--scope", "acme", "--members")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    named = [json.loads(line) for line in (dataset.directory / MANIFEST).read_text().splitlines()]
    assert {row["outcome_id"]: row["side"] for row in told} == {row["outcome_id"]: row["side"] for row in named}
    assert told[0].keys() == {
        "outcome_id", "week", "side", "part", "position", "copies", "tokens", "quality_score", "training_label", "training_weight",
    }  # fmt: skip


def test_an_outcome_shows_its_datasets_and_models(lineage: Lineage, dataset: Dataset) -> None:
    named = json.loads((dataset.directory / MANIFEST).read_text().splitlines()[0])
    done = lineage("outcome", named["outcome_id"])
    assert (done.returncode, done.stderr) == (0, "")
    for part in (dataset.hash[:12], named["week"], named["side"], "v1.0.0", "acme", "ready", "ftjob-abc"):
        assert part in done.stdout, part
    found = json.loads(lineage("outcome", named["outcome_id"], "--json").stdout)
    assert [made["model_version"] for made in found["models"]] == ["v1.0.0"]
    assert [at["dataset_hash"] for at in found["datasets"]] == [dataset.hash]


def test_what_is_unknown_fails_in_one_line_that_names_what_is_known(lineage: Lineage, dataset: Dataset) -> None:
    for arguments, said in (
        (("model", "v7.0.0", "--scope", "acme"), "v1.0.0"),
        (("model", "v1.0.0"), "--scope acme"),
        (("outcome", str(uuid4())), "newest: "),
        (("outcome", "x"), "is not an outcome's id"),
    ):
        done = lineage(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("flywheel: ")
        assert said in line


@pytest.mark.parametrize(
    "arguments", [("model",), ("outcome",), ("model", "v1.0.0", "--json", "--members"), ("model", "v1.0.0", "--side", "x")]
)
def test_wrong_usage_is_exit_code_two(lineage: Lineage, arguments: tuple[str, ...]) -> None:
    assert lineage(*arguments).returncode == 2
