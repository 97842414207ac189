"""An erased lead leaves nothing in scores, history and feedback; models that learnt from it stay known, and nothing comes back."""

from pathlib import Path

import psycopg
import pytest

from flywheel_dagster.datasets.erasure import erase, look
from flywheel_dagster_tests.command import run_flywheel
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.erasing import Person, forget, live, new_marker, places
from flywheel_dagster_tests.leads.scoring import Connection, deployed, outcome_of, scored, told


def known(connection: Connection, person: Person) -> None:
    """The person was scored twice, told of, and learnt from."""
    for day in (0, 5):
        scored(
            connection,
            person.lead_id,
            day,
            organization=person.organization_id,
            location=f"{person.marker} town",
            note=f"{person.marker} note",
        )
    told(connection, True, lead_id=person.lead_id, organization=person.organization_id)
    deployed(connection, person.organization_id)
    connection.execute(
        "insert into lead_model_members (model_id, lead_id, out_of_fold, row_group) select id, %s, 0.5, md5(%s) from lead_models where organization_id = %s",
        (person.lead_id, person.marker, person.organization_id),
    )
    connection.commit()


@pytest.mark.parametrize("with_messages", [True, False])
def test_nothing_of_the_lead_is_left_and_the_models_are_named(
    connection: Connection, owner: Connection, tmp_path: Path, with_messages: bool
) -> None:
    ada, ben, rivals = Person(new_marker()), Person(new_marker()), Person(new_marker(), organization_id="rival")
    if with_messages:
        live(connection, ada)
        live(connection, ben)
    known(connection, ada)
    known(connection, rivals)
    scored(connection, ben.lead_id, note=ben.marker)
    owner.execute("analyze")
    owner.commit()
    planned = look(connection, "acme", ada.lead_id)
    connection.commit()
    assert places(owner, tmp_path, ada.marker) != []

    done = forget(connection, ada, tmp_path)

    assert (planned.scorings, planned.lead_models) == (done.scorings, done.lead_models) == (2, ["1.0"])
    assert places(owner, tmp_path, ada.marker) == []
    assert connection.execute("select count(*) from lead_feedback").fetchone() == (1,)
    rows = connection.execute("select count(*), count(row_group), count(out_of_fold) from lead_model_members").fetchone()
    assert rows == (2, 1, 1)
    assert outcome_of(connection, ben.lead_id) is None and outcome_of(connection, rivals.lead_id, "rival") is True
    again, _ = erase(connection, "acme", ada.lead_id, tmp_path)
    assert (again.scorings, again.lead_models) == (0, ["1.0"])
    with pytest.raises(psycopg.errors.CheckViolation):
        scored(connection, ada.lead_id)
    connection.rollback()
    assert told(connection, True, lead_id=ada.lead_id) == (False, False)


def test_the_command_says_what_had_learnt_from_the_lead(connection: Connection, database: Database, tmp_path: Path) -> None:
    ada = Person(new_marker())
    known(connection, ada)
    url = database.settings.database_url.get_secret_value() if database.settings.database_url else ""
    surroundings = {
        "DATABASE_URL": url,
        "FLYWHEEL_HOME": str(tmp_path / "home"),
        "TRAINING_DATA_DIR": str(tmp_path / "data"),
        "COLUMNS": "200",
    }
    done = run_flywheel(
        "erase", "--organization", "acme", "--lead", ada.lead_id, "--yes", folder=tmp_path, environment=surroundings
    )
    assert done.returncode == 0, done.stderr
    assert "versions of lead scoring that had learnt from it: 1.0" in done.stdout and "flywheel leads train" in done.stdout
