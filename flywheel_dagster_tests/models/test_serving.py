"""`get_model_for_request`: whose model answers, to whom it sticks, what is written down before it is told, and how soon a change is seen."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.erasure import erase
from flywheel_dagster.errors import DatabaseError, DeploymentError, InputError
from flywheel_dagster.models.deployment import Verb, archive, deploy, promote, roll_back, set_baseline
from flywheel_dagster.models.routing.assigned import Assigned
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.serving import Serving
from flywheel_dagster.outcomes.ledger import send
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import model
from flywheel_dagster_tests.outcomes.making import message

Connection = psycopg.Connection[TupleRow]
T = TypeVar("T")
LEADS = [f"lead-{number}" for number in range(120)]


@pytest.fixture
def versions(connection: Connection) -> list[UUID]:
    return [model(connection, f"v1.{number}.0") for number in range(3)]


def done(connection: Connection, *verbs: Verb) -> None:
    for verb in verbs:
        verb.run(connection)
        connection.commit()


def serve(database: Database, program: Callable[[Serving], Awaitable[T]], **options: Any) -> T:
    async def work() -> T:
        async with Serving(database.addresses.service, **options) as serving:
            return await program(serving)

    return asyncio.run(work())


def given(database: Database, organization: str = "acme", *, campaign: str = "spring", lead: str | None = "ada") -> Assigned:
    return serve(database, lambda serving: serving.get_model_for_request(organization, campaign, lead))


async def all_leads(serving: Serving) -> dict[str, Assigned]:
    return {lead: await serving.get_model_for_request("acme", "spring", lead) for lead in LEADS}


def exposures(connection: Connection, columns: str = "unit, arm, epoch") -> list[TupleRow]:
    found = connection.execute(f"select {columns} from model_exposures order by unit, exposed_at").fetchall()  # type: ignore[arg-type]
    connection.commit()
    return found


def test_the_organizations_own_model_goes_first_then_the_global_one_then_the_baselines(
    connection: Connection, database: Database, versions: list[UUID]
) -> None:
    everyones, base = model(connection, "v9.0.0", None), model(connection, "gpt-4o-mini", None, is_base=True)
    own_base = model(connection, "gpt-4o", "acme", is_base=True)
    with pytest.raises(DeploymentError, match=r"nothing serves organization 'acme': deploy a version .*, or set a baseline"):
        given(database)
    found = []
    for verb in (set_baseline(base), set_baseline(own_base), deploy(everyones), deploy(versions[0])):
        done(connection, verb)
        assigned = given(database)
        found.append((assigned.registry_id, assigned.scope, assigned.arm))
        assert (assigned.experiment_id, assigned.exposed, assigned.control) == (None, False, None)
    assert found == [
        (base, "global", Arm.CONTROL),
        (own_base, "acme", Arm.CONTROL),
        (everyones, "global", Arm.CONTROL),
        (versions[0], "acme", Arm.CONTROL),
    ]
    assert given(database, "rival").registry_id == everyones, "another organization's model is nobody else's"
    assert exposures(connection) == [], "without an experiment nothing needs to be remembered"


def test_what_is_told_of_a_model_can_be_read_by_name(connection: Connection, database: Database, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 10, "variant_a"))
    selected = given(database)
    assert (selected["model_id"], selected["arm"]) == (selected.model_id, selected.arm)
    assert (selected.trainer, selected.base_model, selected.epoch, selected.exposed) == ("openai", "gpt-4o-mini", 1, True)
    with pytest.raises(KeyError, match="nonsense"):
        selected["nonsense"]


def test_a_lead_keeps_its_model_in_all_campaigns_and_processes(
    connection: Connection, database: Database, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))
    first, again = serve(database, all_leads), serve(database, all_leads)
    assert first == again
    assert 35 < Counter(each.arm for each in first.values())[Arm.VARIANT_A] < 85
    for lead in LEADS[:5]:
        assert given(database, campaign="autumn", lead=lead) == first[lead]
    variant = next(each for each in first.values() if each.arm is Arm.VARIANT_A)
    assert (variant.registry_id, variant.control and variant.control.registry_id) == (versions[1], versions[0])


def test_a_campaign_sticks_where_no_lead_is_named(connection: Connection, database: Database, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))

    async def all_campaigns(serving: Serving) -> dict[str, Arm]:
        return {name: (await serving.get_model_for_request("acme", name)).arm for name in map(str, range(30))}

    by_campaign = serve(database, all_campaigns)
    assert serve(database, all_campaigns) == by_campaign
    assert len(set(by_campaign.values())) == 2
    assert sorted(unit for unit, *_ in exposures(connection)) == sorted(f"campaign:{campaign}" for campaign in by_campaign)
    with pytest.raises(InputError, match="name the lead or the campaign"):
        given(database, campaign="", lead=None)


def test_an_exposure_is_stored_once_before_the_answer_with_its_epoch(
    connection: Connection, database: Database, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))

    async def ask(serving: Serving) -> Assigned:
        assigned = await serving.get_model_for_request("acme", "spring", "ada")
        assert exposures(connection, "unit, arm, epoch, registry_id, campaign_id, experiment_id") == [
            ("lead:ada", assigned.arm, 1, assigned.registry_id, "spring", assigned.experiment_id)
        ]
        await asyncio.gather(*(serving.get_model_for_request("acme", "autumn", "ada") for _ in range(8)))
        return assigned

    assert serve(database, ask).exposed
    assert len(exposures(connection)) == 1


def test_without_the_exposure_there_is_no_answer(
    connection: Connection, database: Database, owner: Connection, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))
    owner.execute("alter table model_exposures rename to gone")
    owner.commit()
    with pytest.raises(DatabaseError, match="run flywheel migrate"):
        given(database)


def test_a_ramp_moves_nobody_back_and_begins_an_epoch(connection: Connection, database: Database, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 10, "variant_a"))
    before = serve(database, all_leads)
    done(connection, deploy(versions[1], 50, "variant_a"))
    after = serve(database, all_leads)
    in_variant = {lead for lead, each in before.items() if each.arm is Arm.VARIANT_A}
    assert in_variant < {lead for lead, each in after.items() if each.arm is Arm.VARIANT_A}
    assert {each.epoch for each in after.values()} == {2}
    moved = {lead for lead in LEADS if before[lead].arm is not after[lead].arm}
    stored = exposures(connection)
    assert len(stored) == len(LEADS) + len(moved)
    assert {epoch for unit, _, epoch in stored if unit.removeprefix("lead:") in in_variant} == {1}


def test_a_new_experiment_draws_its_arms_anew(connection: Connection, database: Database, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))
    first = serve(database, all_leads)
    done(connection, deploy(versions[2], 50, "variant_a"))
    second = serve(database, all_leads)
    assert len({each.experiment_id for each in (*first.values(), *second.values())}) == 2
    assert 35 < sum(first[lead].arm is second[lead].arm for lead in LEADS) < 85


def test_a_roll_back_is_seen_within_the_refresh_and_arms_are_read_once_in_between(
    connection: Connection, database: Database, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]), promote(versions[1]))
    now = [100.0]

    async def live(serving: Serving) -> list[UUID | None]:
        seen = [(await serving.get_model_for_request("acme", "spring", "ada")).registry_id]
        done(connection, roll_back("acme"))
        for now[0] in (104.9, 105.0):
            seen.append((await serving.get_model_for_request("acme", "spring", "ada")).registry_id)
        return seen

    assert serve(database, live, refresh_seconds=5, clock=lambda: now[0]) == [versions[1], versions[1], versions[0]]


def test_what_changes_while_the_arms_are_read_is_read_again_in_time(
    connection: Connection, database: Database, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]))
    now = [0.0]

    class Slow(Serving):
        async def _rows(self, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
            rows = await super()._rows(name, values)
            now[0] += 4
            return rows

    async def live() -> list[UUID | None]:
        async with Slow(database.addresses.service, refresh_seconds=5, clock=lambda: now[0]) as serving:
            seen = [(await serving.get_model_for_request("acme", "spring", "ada")).registry_id]
            done(connection, deploy(versions[1]))
            now[0] = 5.0
            return [*seen, (await serving.get_model_for_request("acme", "spring", "ada")).registry_id]

    assert asyncio.run(live()) == [versions[0], versions[1]]


def test_of_an_erased_lead_no_exposure_is_left_nor_written(
    connection: Connection, database: Database, versions: list[UUID], tmp_path: Path
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 50, "variant_a"))
    send(connection, [message(lead_id="ada")])
    connection.commit()
    before = given(database)
    assert [unit for (unit,) in exposures(connection, "unit")] == ["lead:ada"]
    erase(connection, "acme", "ada", tmp_path)
    (kept,) = exposures(connection, "unit, arm")
    assert kept[0] != "lead:ada" and kept[1] == before.arm, "what it counted for stays, under a pseudonym"
    assert given(database).arm is before.arm
    assert exposures(connection, "unit, arm") == [kept]


def test_an_organization_without_a_deployment_takes_part_in_the_global_experiment(
    connection: Connection, database: Database
) -> None:
    first, second = model(connection, "v1.0.0", None), model(connection, "v1.1.0", None)
    done(connection, deploy(first), deploy(second, 50, "variant_a"))
    assert {given(database, name, lead="ada").scope for name in ("acme", "rival")} == {"global"}
    assert sorted(exposures(connection, "organization_id, unit")) == [("acme", "lead:ada"), ("rival", "lead:ada")]
    done(connection, archive(second))
    assert given(database).experiment_id is None
