"""A lead that is erased stays in the statistics of its experiment, without its name."""

from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.erasure import erase
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.running import units_of
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster_tests.models.verdicts.making import NOW, Trial

Connection = psycopg.Connection[TupleRow]


def test_an_erased_lead_counts_on_under_a_pseudonym(connection: Connection, tmp_path: Path) -> None:
    trial = Trial(connection)
    trial.units("control", 20, replied=0.5)
    connection.execute(
        "insert into model_requests (id, organization_id, scope, model_id, campaign_id, unit, arm, role, asked_at, latency_ms, tries, success, cost_usd)"
        " values (gen_random_uuid(), 'acme', 'acme', 'm', 'camp', 'lead:lead-3', 'control', 'assigned', %s, 1, 1, true, 0.01)",
        (NOW,),
    )
    connection.commit()
    before = units_of(connection, trial.experiment, as_of=NOW, age=None).counts(Arm.CONTROL)
    connection.commit()
    erase(connection, "acme", "lead-3", tmp_path)
    connection.commit()
    after = units_of(connection, trial.experiment, as_of=NOW, age=None).counts(Arm.CONTROL)
    assert (after["units"], after["replied"]) == (before["units"], before["replied"]) == (20, 10)
    for table in ("model_exposures", "model_requests"):
        found = connection.execute(f"select unit from {table} where unit like '%%lead-3' or unit like '%%erased-%%'").fetchall()  # type: ignore[arg-type]
        assert len(found) == 1, table
        assert found[0][0].startswith("lead:erased-"), table


def test_another_name_of_the_lead_goes_as_well(connection: Connection, tmp_path: Path) -> None:
    trial = Trial(connection)
    trial.units("control", 1)
    connection.execute("update leads set email = 'anna@firm.example' where lead_id = 'lead-0'")
    crm = OutcomeEvent(
        event_type=EventType.DEAL_OPENED,
        occurred_at=NOW,
        source="crm",
        organization_id="acme",
        lead_id="crm-77",
        lead_email="anna@firm.example",
    )
    record(connection, [crm])
    connection.execute(
        "insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id) values (%s, 'acme', 'lead:crm-77', 'control', 1, %s, 'camp')",
        (trial.experiment.id, trial.control),
    )
    connection.commit()
    erase(connection, "acme", "lead-0", tmp_path)
    connection.commit()
    assert connection.execute("select count(*) from model_exposures where unit like '%crm-77%'").fetchone() == (0,)


def test_a_lead_that_was_only_exposed_can_be_erased(connection: Connection, tmp_path: Path) -> None:
    trial = Trial(connection)
    connection.execute(
        "insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id) values (%s, 'acme', 'lead:anna', 'control', 1, %s, 'camp')",
        (trial.experiment.id, trial.control),
    )
    connection.commit()
    erase(connection, "acme", "anna", tmp_path)
    connection.commit()
    assert connection.execute("select count(*) from model_exposures where unit = 'lead:anna'").fetchone() == (0,)
