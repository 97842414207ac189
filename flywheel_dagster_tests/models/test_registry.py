"""Registering: a training is one version, numbered in the order of registration, and the views tell what it achieved."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import connect
from flywheel_dagster.models.deployment import archive, deploy
from flywheel_dagster.models.registry import Entry, TrainedVersion, register, upcoming_version
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import event, message

Connection = psycopg.Connection[TupleRow]


def trained(connection: Connection, name: str, **given: Any) -> TrainedVersion:
    """A training of a dataset of its own."""
    digest = sha256(name.encode()).hexdigest()
    connection.execute(
        "insert into datasets (hash, example_format, formula_version, code_version, train_examples, validation_examples, train_lines, "
        "train_tokens, validation_tokens, positive_examples, deals, weeks, bytes) "
        "values (%s, '1', 1, '0', 50, 5, 50, 9000, 900, 40, 3, 4, 1000) on conflict do nothing",
        (digest,),
    )
    usual: dict[str, Any] = {
        "model_id": f"ft:{name}",
        "base_model": "gpt-4o-2024-08-06",
        "trainer": "openai",
        "settings_hash": "s",
        "dataset_hash": digest,
        "example_format": "1",
        "fine_tuning_job_id": f"ftjob-{name}",
        "training_examples_count": 50,
        "positive_examples": 40,
        "deals_in_training": 3,
        "trained_tokens": 12_000,
        "training_cost_usd": Decimal("0.3000"),
    }
    return TrainedVersion(**(usual | given))


def registered(connection: Connection, scope: str, name: str, **given: Any) -> Entry:
    return register(connection, scope, trained(connection, name, **given))


def rows(connection: Connection, query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()  # type: ignore[arg-type]


def test_a_training_becomes_a_version_with_all_that_is_known_of_it(connection: Connection) -> None:
    entry = registered(connection, "acme", "first")
    assert (entry.created, entry.scope, entry.model_version, entry.status) == (True, "acme", "v1.0.0", "ready")
    (row,) = rows(connection, "select * from model_registry")
    assert row["organization_id"] == "acme"
    for field in TrainedVersion.__dataclass_fields__:
        assert row[field] == getattr(trained(connection, "first"), field), field


def test_a_new_version_has_no_traffic_and_no_arm(connection: Connection) -> None:
    registered(connection, "global", "first")
    (row,) = rows(connection, "select organization_id, deployed_at, traffic_percentage, ab_test_group, status from model_registry")
    assert row == {"organization_id": None, "deployed_at": None, "traffic_percentage": 0, "ab_test_group": None, "status": "ready"}


def test_registering_again_gives_the_entry_that_is_there(connection: Connection) -> None:
    first = registered(connection, "acme", "first")
    registered(connection, "acme", "second")
    again = registered(connection, "acme", "first", model_id="ft:another")
    assert not again.created
    assert (again.id, again.model_version, again.model_id) == (first.id, "v1.0.0", "ft:first")
    anew = registered(connection, "acme", "first", model_id="ft:another", fine_tuning_job_id="ftjob-another")
    assert (anew.created, anew.id, anew.model_id) == (False, first.id, "ft:another"), "the job was lost, and its work done anew"
    assert connection.execute("select count(*) from model_registry").fetchone() == (2,)


def test_the_same_dataset_trained_in_another_way_is_another_version(connection: Connection) -> None:
    ways: list[dict[str, Any]] = [{}, {"settings_hash": "other"}, {"trainer": "lora"}]
    assert [registered(connection, "acme", "data", **way).model_version for way in ways] == ["v1.0.0", "v1.1.0", "v1.2.0"]


def test_versions_are_counted_by_scope(connection: Connection) -> None:
    found = [registered(connection, scope, name).model_version for scope, name in (
        ("global", "a"), ("acme", "a"), ("acme", "b"), ("rival", "b"), ("global", "b"),
    )]  # fmt: skip
    assert found == ["v1.0.0", "v1.0.0", "v1.1.0", "v1.0.0", "v1.1.0"]


def test_a_new_example_format_begins_a_new_major_version(connection: Connection) -> None:
    formats = ("1", "1", "1-note", "1-note", "1")
    found = [registered(connection, "acme", f"data {n}", example_format=name).model_version for n, name in enumerate(formats)]
    assert found == ["v1.0.0", "v1.1.0", "v2.0.0", "v2.1.0", "v3.0.0"]


def test_the_tenth_version_is_followed_by_the_eleventh(connection: Connection) -> None:
    found = [registered(connection, "acme", f"data {number}").model_version for number in range(12)]
    assert found == [f"v1.{number}.0" for number in range(12)]
    assert str(upcoming_version(connection, "acme", "1")) == "v1.12.0"


def test_a_registration_that_is_rolled_back_leaves_no_gap(connection: Connection) -> None:
    registered(connection, "acme", "first")
    connection.commit()
    registered(connection, "acme", "lost")
    connection.rollback()
    assert registered(connection, "acme", "second").model_version == "v1.1.0"


def all_at_once(database: Database, work: list[tuple[str, str]]) -> list[Entry]:
    """Register each (scope, name) from a connection and a thread of its own, at the same moment."""
    together = threading.Barrier(len(work))

    def one(scope: str, name: str) -> Entry:
        with connect(database.addresses.service) as connection:
            version = trained(connection, name)
            connection.commit()
            together.wait(timeout=20)
            return register(connection, scope, version)

    with ThreadPoolExecutor(len(work)) as threads:
        return [future.result(timeout=30) for future in [threads.submit(one, *each) for each in work]]


def test_different_trainings_registered_at_once_get_consecutive_versions(database: Database) -> None:
    work = [(scope, f"data {number}") for number in range(6) for scope in ("acme", "global")]
    entries = all_at_once(database, work)
    for scope in ("acme", "global"):
        assert sorted(entry.model_version for entry in entries if entry.scope == scope) == [f"v1.{n}.0" for n in range(6)]


def test_one_training_registered_at_once_is_one_version(database: Database) -> None:
    entries = all_at_once(database, [("acme", "data")] * 6)
    assert len({entry.id for entry in entries}) == 1
    assert sorted(entry.created for entry in entries) == [False] * 5 + [True]


@pytest.fixture
def in_use(connection: Connection) -> dict[str, UUID]:
    """A control and a variant of acme, with 10 messages each, a global model with two tenants' messages, and one that wrote none."""
    models = {name: registered(connection, "acme", name).id for name in ("control", "variant", "unused")}
    models["global"] = registered(connection, "global", "everyone").id
    deploy(models["control"]).run(connection)
    deploy(models["variant"], 50, "variant_a").run(connection)
    write(connection, models["control"], replies=4, meetings=2, deals=1)
    write(connection, models["variant"], replies=5, meetings=2, deals=2)
    write(connection, models["global"], replies=1, meetings=0, deals=0)
    write(connection, models["global"], replies=9, meetings=9, deals=9, organization="rival")
    connection.commit()
    return models


def write(connection: Connection, model: UUID, *, replies: int, meetings: int, deals: int, organization: str = "acme") -> None:
    sent = [message(lead_id=f"lead {number}", model_registry_id=model, organization_id=organization) for number in range(10)]
    send(connection, sent)
    record(connection, [event(one.id, "replied", text="Yes") for one in sent[:replies]])
    record(connection, [event(one.id, "meeting_booked", 2) for one in sent[:meetings]])
    record(connection, [event(one.id, "deal_closed", 3, value="1000.50") for one in sent[:deals]])


def test_active_models_tell_counts_and_rates_derived_from_outcomes(connection: Connection, in_use: dict[str, UUID]) -> None:
    found = {row["id"]: row for row in rows(connection, "select * from active_models")}
    assert set(found) == set(in_use.values())
    variant = found[in_use["variant"]]
    assert [variant[f"total_{name}"] for name in ("messages_sent", "replies", "meetings_booked", "deals_closed")] == [10, 5, 2, 2]
    assert variant["total_revenue"] == Decimal("2001.00")
    assert (variant["reply_rate"], variant["meeting_rate"], variant["close_rate"]) == (0.5, 0.2, 0.2)
    assert variant["reply_rate_vs_baseline"] == pytest.approx(25)
    assert variant["meeting_rate_vs_baseline"] == pytest.approx(0)
    assert variant["close_rate_vs_baseline"] == pytest.approx(100)


def test_a_model_that_wrote_nothing_has_no_rates_and_the_baseline_none_against_itself(
    connection: Connection, in_use: dict[str, UUID]
) -> None:
    found = {row["id"]: row for row in rows(connection, "select * from active_models")}
    unused, control = found[in_use["unused"]], found[in_use["control"]]
    assert (unused["total_messages_sent"], unused["total_revenue"]) == (0, 0)
    assert unused["reply_rate"] is unused["close_rate"] is unused["reply_rate_vs_baseline"] is None
    assert control["reply_rate_vs_baseline"] is None
    assert found[in_use["global"]]["reply_rate_vs_baseline"] is None  # acme's control is not its baseline


def test_the_numbers_follow_the_outcomes(connection: Connection, in_use: dict[str, UUID]) -> None:
    write(connection, in_use["unused"], replies=10, meetings=0, deals=0)
    (row,) = rows(connection, f"select reply_rate, total_replies from active_models where id = '{in_use['unused']}'")
    assert row == {"reply_rate": 1.0, "total_replies": 10}


def test_the_leaderboard_ranks_what_has_written(connection: Connection, in_use: dict[str, UUID]) -> None:
    found = {row["id"]: row for row in rows(connection, "select * from model_leaderboard")}
    assert set(found) == {in_use[name] for name in ("control", "variant", "global")}
    ranks = {
        name: [found[in_use[name]][f"{by}_rank"] for by in ("close_rate", "reply_rate", "revenue")]
        for name in in_use
        if name != "unused"
    }
    assert ranks == {"global": [1, 1, 1], "variant": [2, 1, 2], "control": [3, 3, 3]}


def test_failed_and_archived_models_are_not_active_and_failed_ones_not_ranked(
    connection: Connection, in_use: dict[str, UUID]
) -> None:
    archive(in_use["variant"]).run(connection)
    connection.execute(
        "update model_registry set status = 'failed', traffic_percentage = 0, ab_test_group = null, deployed_at = null where id = %s",
        (in_use["control"],),
    )
    assert {row["id"] for row in rows(connection, "select id from active_models")} == {in_use["global"], in_use["unused"]}
    assert {row["id"] for row in rows(connection, "select id from model_leaderboard")} == {in_use["global"], in_use["variant"]}


def test_a_version_that_failed_its_examination_stays_failed_and_serves_nobody(connection: Connection) -> None:
    entry = registered(connection, "acme", "poor", status="failed")
    connection.commit()
    for change in ("status = 'deployed'", "status = 'ready'", "traffic_percentage = 10", "ab_test_group = 'variant_a'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"update model_registry set {change} where id = %s", (entry.id,))  # type: ignore[arg-type]
        connection.rollback()
    assert entry.status == "failed"


def test_a_member_sees_global_models_and_its_own_with_its_own_numbers(connection: Connection, in_use: dict[str, UUID]) -> None:
    connection.execute("set local role flywheel_member")
    connection.execute("set local flywheel.organization_id = 'rival'")
    for view in ("model_registry", "active_models", "model_leaderboard"):
        assert [row["id"] for row in rows(connection, f"select id from {view}")] == [in_use["global"]], view
    (seen,) = rows(connection, "select total_messages_sent, reply_rate from active_models")
    assert seen == {"total_messages_sent": 10, "reply_rate": 0.9}
    connection.execute("set local flywheel.organization_id = 'acme'")
    assert {row["id"] for row in rows(connection, "select id from model_registry")} == set(in_use.values())
    connection.execute("set local flywheel.organization_id = ''")
    assert rows(connection, "select id from model_registry") == []


def test_a_member_registers_and_deploys_nothing(connection: Connection, in_use: dict[str, UUID]) -> None:
    connection.execute("set local role flywheel_member")
    connection.execute("set local flywheel.organization_id = 'acme'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update model_registry set traffic_percentage = 100")
