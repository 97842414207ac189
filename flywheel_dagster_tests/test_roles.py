"""Who may do what: no superuser in daily work, and a tenant sees its own rows only."""

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.outcomes.making import event, message

Connection = psycopg.Connection[TupleRow]
SEEN_BY_MEMBERS = ("outcome_labels", "leads", "organizations", "webhook_events")
VIEWS = ("training_ready_outcomes", "active_models", "model_leaderboard", "model_performance", "model_registry_with_baseline")


def become_member(connection: Connection, organization: str | None) -> None:
    connection.execute("set local role flywheel_member")
    if organization is not None:
        connection.execute("select set_config('flywheel.organization_id', %s, true)", (organization,))


@pytest.fixture
def two_tenants(connection: Connection) -> Connection:
    for organization in ("acme", "rival"):
        sent = message(organization_id=organization)
        send(connection, [sent])
        record(connection, [event(sent.id, "opened")])
    connection.execute("insert into model_registry (organization_id, model_id, model_version, base_model, trainer) values"
                       " (null, 'm', 'v1.0.0', 'b', 't'), ('acme', 'm', 'v1.0.0', 'b', 't'), ('rival', 'm', 'v1.0.0', 'b', 't')")  # fmt: skip
    connection.commit()
    return connection


def test_daily_work_is_done_by_a_role_that_is_no_superuser_and_does_not_own_the_tables(connection: Connection) -> None:
    assert connection.execute(
        "select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
    ).fetchone() == (
        "flywheel_service",
        False,
        False,
    )
    for forbidden in (
        "drop table outcome_labels",
        "alter table leads add column x int",
        "create table mine (id int)",
        "truncate webhook_events",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forbidden)
        connection.rollback()


@pytest.mark.parametrize("relation", [*SEEN_BY_MEMBERS, "training_ready_outcomes"])
def test_a_member_sees_its_own_organization_and_no_other(two_tenants: Connection, relation: str) -> None:
    column = "id" if relation == "organizations" else "organization_id"
    become_member(two_tenants, "acme")
    assert two_tenants.execute(f"select distinct {column} from {relation}").fetchall() == [("acme",)]  # type: ignore[arg-type]


@pytest.mark.parametrize("organization", [None, "", "nobody", "acme' or true --"])
@pytest.mark.parametrize("relation", [*SEEN_BY_MEMBERS, "training_ready_outcomes"])
def test_without_an_organization_or_with_an_unknown_one_there_is_nothing(
    two_tenants: Connection, relation: str, organization: str | None
) -> None:
    become_member(two_tenants, organization)
    assert two_tenants.execute(f"select * from {relation}").fetchall() == []  # type: ignore[arg-type]


def test_a_member_sees_global_models_and_its_own(two_tenants: Connection) -> None:
    become_member(two_tenants, "acme")
    assert two_tenants.execute("select scope from model_registry order by 1").fetchall() == [("acme",), ("global",)]
    assert two_tenants.execute("select scope from active_models order by 1").fetchall() == [("acme",), ("global",)]


@pytest.mark.parametrize(
    "relation", ["scored_training_rows", "dataset_members", "datasets", "fine_tuning_jobs", "simulations", "schema_migrations"]
)
def test_what_is_the_pipelines_own_is_closed_to_members(two_tenants: Connection, relation: str) -> None:
    become_member(two_tenants, "acme")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        two_tenants.execute(f"select * from {relation}")  # type: ignore[arg-type]


@pytest.mark.parametrize("relation", SEEN_BY_MEMBERS)
def test_a_member_changes_nothing(two_tenants: Connection, relation: str) -> None:
    become_member(two_tenants, "acme")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        two_tenants.execute(f"delete from {relation}")  # type: ignore[arg-type]


def test_every_view_asks_with_the_rights_of_its_reader(connection: Connection) -> None:
    unsafe = connection.execute(
        "select relname from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace"
        " and not coalesce('security_invoker=true' = any(reloptions), false)"
    ).fetchall()
    assert unsafe == []
    assert {row[0] for row in connection.execute("select viewname from pg_views where schemaname = 'public'").fetchall()} >= set(
        VIEWS
    )
