"""`flywheel erase` as people use it: it says what will go, asks, erases, and lists what had been made of the lead's messages."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.derived import making
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.warehouse.addresses import destination_of
from flywheel_dagster.datasets.warehouse.export import export_weeks
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.erasing import Connection, Person, live, new_marker, places
from flywheel_dagster_tests.outcomes.making import MONDAY

Flywheel = Callable[..., subprocess.CompletedProcess[str]]
FIRST = monday(MONDAY)


@pytest.fixture
def flywheel(database: Database, tmp_path: Path) -> Flywheel:
    """Runs the command on the test's database, away from the checkout."""
    url = database.settings.database_url.get_secret_value() if database.settings.database_url else ""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        ours = {
            "DATABASE_URL": url,
            "FLYWHEEL_HOME": str(tmp_path / "home"),
            "TRAINING_DATA_DIR": str(tmp_path / "data"),
            "COLUMNS": "200",
        }
        return run_flywheel("erase", *arguments, folder=tmp_path, environment=ours)

    return run


def trained(connection: Connection, folder: Path, person: Person) -> str:
    """A dataset with the person's messages, a model of it, and its files at a provider."""
    live(connection, person)
    connection.execute("update organizations set redaction_off = true")
    connection.commit()
    score_weeks(connection, FIRST, FIRST + timedelta(weeks=1))
    dataset = assemble(connection, "acme", folder, Selection(min_quality=0, validation_share=0, test_share=0))
    connection.execute(
        "insert into fine_tuning_jobs (dataset_hash, trainer, settings, settings_hash, status, training_file_id, provider_job_id, model_id)"
        " values (%s, 'openai', '{}', 's', 'succeeded', 'file-training', 'ftjob-1', 'ft:gpt:acme')", (dataset.hash,),
    )  # fmt: skip
    connection.execute(
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer, dataset_hash, status, ab_test_group, traffic_percentage)"
        " values ('acme', 'ft:gpt:acme', 'v1.0.0', 'gpt', 'openai', %s, 'deployed', 'control', 100)", (dataset.hash,),
    )  # fmt: skip
    connection.execute(
        "insert into fine_tuning_jobs (dataset_hash, trainer, settings, settings_hash, status, training_file_id, provider_job_id, model_id)"
        " values (%s, 'exemplars', '{}', 's', 'succeeded', '/data/train.jsonl', 'acme-v1-1-0', 'acme-v1-1-0')", (dataset.hash,),
    )  # fmt: skip
    connection.commit()
    with making(folder / "models" / "acme-v1-1-0", dataset.directory) as place:
        (place / "index.jsonl").write_text(person.marker)
    return dataset.hash


def test_it_erases_and_lists_datasets_models_and_what_is_left_to_do(
    flywheel: Flywheel, database: Database, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada = Person(new_marker())
    hash_ = trained(connection, tmp_path / "data", ada)
    warehouse = destination_of(str(tmp_path / "warehouse"), database.settings)
    export_weeks(connection, [FIRST, FIRST + timedelta(weeks=1)], warehouse, texts=True)
    exported = {path: path.read_bytes() for path in (tmp_path / "warehouse").rglob("*.parquet")}
    assert len(exported) == 2
    done = flywheel("--organization", "acme", "--lead", ada.lead_id, "--yes")
    assert done.returncode == 0, done.stderr
    for said in (
        hash_[:16],
        "v1.0.0",
        "deployed",
        "ft:gpt:acme",
        "ftjob-1",
        "file-training",
        "backups",
        "are gone: acme-v1-1-0",
        "2 exported weeks",
    ):
        assert said in done.stdout, said
    assert "/data/train.jsonl" not in done.stdout
    shown = done.stdout.replace(ada.lead_id, "")
    assert ada.marker not in shown + done.stderr
    assert places(owner, tmp_path, ada.marker) == []
    assert all(not path.exists() or path.read_bytes() != was for path, was in exported.items())
    owner.rollback()
    again = flywheel("--organization", "acme", "--lead", ada.lead_id, "--yes")
    assert again.returncode == 0, again.stderr
    assert hash_[:16] in again.stdout and "v1.0.0" in again.stdout


def test_a_dry_run_shows_the_same_and_changes_nothing(
    flywheel: Flywheel, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada = Person(new_marker())
    hash_ = trained(connection, tmp_path / "data", ada)
    before = places(owner, tmp_path, ada.marker)
    owner.rollback()
    done = flywheel("--organization", "acme", "--lead", ada.lead_id, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "this would go" in done.stdout and hash_[:16] in done.stdout and "v1.0.0" in done.stdout
    assert places(owner, tmp_path, ada.marker) == before


def test_without_anybody_to_confirm_nothing_is_erased(flywheel: Flywheel, connection: Connection) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    done = flywheel("--organization", "acme", "--lead", ada.lead_id)
    assert done.returncode == 1
    assert "this would go" in done.stdout
    assert "--yes" in done.stderr
    assert connection.execute("select count(*) from erased_leads").fetchone() == (0,)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--organization", "acme", "--lead", "nobody", "--yes"), 1, "case-sensitive"),
        (("--organization", "nowhere", "--lead", "ada", "--yes"), 1, "is not known"),
        (("--lead", "ada"), 2, "--organization"),
        (("--organization", "acme"), 2, "--lead"),
    ],
)
def test_what_is_unknown_or_missing_is_said_in_one_line(
    flywheel: Flywheel, connection: Connection, arguments: tuple[str, ...], code: int, said: str
) -> None:
    live(connection, Person(new_marker()))
    done = flywheel(*arguments)
    assert done.returncode == code
    assert said in done.stderr and "Traceback" not in done.stderr
