"""Learning beside everything else: losses, refreshes and withdrawals at the same time, and work that was cut off."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.strategies.counts import Ages
from flywheel_dagster.strategies.learning import _learn, recount, refresh
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.strategies.making import NOW, learn, sent

Connection = psycopg.Connection[TupleRow]
_ALL = "select sum(sent) from strategy_weeks where keys = '{}'"


@pytest.fixture
def beside(database: Database) -> Iterator[Connection]:
    with connect(database.addresses.service) as connection:
        yield connection


def _forget_one(connection: Connection) -> None:
    connection.execute("delete from outcome_labels where id = (select id from outcome_labels order by lead_id limit 1)")


def test_messages_lost_while_a_refresh_counts_are_counted_out_by_the_next(connection: Connection, beside: Connection) -> None:
    sent(connection, "PAS_casual", 10)
    learn(connection)
    _forget_one(connection)
    connection.commit()
    beside.execute("delete from outcome_labels where id = (select id from outcome_labels order by lead_id desc limit 1)")
    recount(connection, "acme")
    assert connection.execute(_ALL).fetchone() == (9,)
    connection.commit()
    beside.commit()
    recount(connection, "acme")
    assert connection.execute(_ALL).fetchone() == (8,)


def test_two_may_learn_at_once(connection: Connection, beside: Connection) -> None:
    sent(connection, "PAS_casual", 40, replied=8)
    sent(connection, "AIDA_casual", 40, replied=4)
    learn(connection)
    connection.execute("update strategy_lessons set made_at = made_at - interval '2 days'")
    connection.commit()
    failed: list[BaseException] = []

    def learn_beside() -> None:
        try:
            list(refresh(beside))
        except BaseException as error:
            failed.append(error)

    with connection.transaction():
        _learn(connection, "acme", ("framework", "tone"), Ages(), NOW)
        thread = threading.Thread(target=learn_beside)
        thread.start()
        waits = "select 1 from pg_locks where not granted and pid = %s"
        while thread.is_alive() and not connection.execute(waits, (beside.info.backend_pid,)).fetchone():
            time.sleep(0.01)
    thread.join()
    assert not failed, failed


def test_what_was_counted_and_not_learnt_is_learnt_the_next_time(connection: Connection) -> None:
    sent(connection, "PAS_casual", 40, replied=8)
    learn(connection)
    sent(connection, "AIDA_casual", 40, replied=4)
    assert recount(connection, "acme") == 1
    assert [(each.weeks, each.dimensions) for each in learn(connection)] == [(0, 3)]
    assert connection.execute("select count(*) from strategy_estimates where strategy[1] = 'AIDA'").fetchone() == (4,)


def test_an_organization_that_shares_no_more_is_out_of_the_others_lessons_at_once(connection: Connection) -> None:
    for organization in ("one", "two"):
        sent(connection, "PAS_casual", 300, replied=90, organization=organization)
        sent(connection, "AIDA_casual", 300, replied=6, organization=organization)
    connection.execute("update organizations set allows_global_training = id = 'two'")
    learn(connection)
    learn(connection)
    from_others = "select organization_id, (posteriors -> 'reply_rate' ->> 'from_population')::bool from strategy_lessons where keys = '{framework,tone}' order by 1"
    assert connection.execute(from_others).fetchall() == [("", True), ("one", True), ("two", False)]
    connection.execute("update organizations set allows_global_training = false")
    learn(connection)
    assert connection.execute(from_others).fetchall() == [("one", False), ("two", False)]


def test_a_word_of_one_other_organization_alone_stays_its_own(connection: Connection) -> None:
    for organization in ("one", "two", "three"):
        sent(connection, "PAS_casual", 30, replied=9, organization=organization)
        sent(connection, "AIDA_casual", 30, replied=3, organization=organization)
    sent(connection, "SECRET_casual", 30, replied=9, organization="two", industry="Smugglers")
    for organization in ("two", "three"):
        sent(connection, "SHARED_casual", 30, replied=9, organization=organization)
    connection.execute("update organizations set allows_global_training = true")
    learn(connection)
    learn(connection)
    for organization in ("one", "three", ""):
        row = connection.execute(
            "select posteriors::text from strategy_lessons where organization_id = %s and keys = '{framework,tone}'",
            (organization,),
        ).fetchone()
        assert row is not None and "SHARED" in row[0] and "SECRET" not in row[0] and "Smugglers" not in row[0], organization
