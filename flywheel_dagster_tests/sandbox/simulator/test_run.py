"""Writing a history: through the ledger, completed after any crash, never doubled."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes import ledger
from flywheel_dagster.replies.reading import Means, read_replies
from flywheel_dagster.sandbox.simulator.history import history
from flywheel_dagster.sandbox.simulator.run import simulate
from flywheel_dagster.sandbox.simulator.world import World, demo_world

Connection = psycopg.Connection[TupleRow]
ANCHOR = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
SMALL = msgspec.structs.replace(demo_world(), messages=300)


def counts(connection: Connection) -> tuple[int, ...]:
    row = connection.execute(
        "select (select count(*) from outcome_labels), (select count(*) from webhook_events), (select count(*) from leads), "
        "(select sum(event_count) from outcome_labels), (select count(*) from webhook_events where not matched)"
    ).fetchone()
    connection.commit()
    assert row is not None
    return row


def test_a_run_writes_the_history_and_a_second_one_doubles_nothing(connection: Connection) -> None:
    done: list[tuple[int, int]] = []
    first = simulate(connection, SMALL, anchor=ANCHOR, progress=lambda *at: done.append(at))
    before = counts(connection)
    assert done == [(300, 300)]
    assert before[0] == 300 == first.messages and before[1] == first.events == before[3] and before[4] == 0
    again = simulate(connection, SMALL)
    assert (again.messages, again.events, again.anchor, again.now) == (0, 0, ANCHOR, ANCHOR)
    assert counts(connection) == before
    connection.commit()
    assert sum(differed for _, differed in ledger.rebuild(connection)) == 0


def test_rows_say_what_the_stream_says(connection: Connection) -> None:
    clean = msgspec.structs.replace(SMALL, lost_deliveries=0)
    simulate(connection, clean, anchor=ANCHOR)
    rows = connection.execute(
        "select id, delivered, replied, sentiment_label, deal_closed, machine_open_count from outcome_labels"
    ).fetchall()
    expected = {}
    for each in history(clean, ANCHOR):
        kinds = {event.event_type.value for event in each.events}
        label = next((event.facts["label"] for event in each.events if event.event_type == "reply_classified"), None)
        machine = sum(event.facts.get("machine", False) for event in each.events)
        expected[each.message.id] = ("delivered" in kinds, "replied" in kinds, label, "deal_closed" in kinds, machine)
    assert {row[0]: tuple(row[1:]) for row in rows} == expected


def test_leads_can_be_found_by_their_address(connection: Connection) -> None:
    simulate(connection, SMALL, anchor=ANCHOR)
    addresses = connection.execute("select count(*), count(distinct lower(email)), count(first_name) from leads").fetchone()
    assert addresses is not None and addresses[0] == addresses[1] == addresses[2] > 50


def test_organisations_keep_the_consent_they_have(connection: Connection) -> None:
    connection.execute("insert into organizations (id) values ('demo-north')")
    connection.commit()
    simulate(connection, SMALL, anchor=ANCHOR)
    rows = dict(connection.execute("select id, allows_global_training from organizations").fetchall())
    assert rows == {"demo-north": False, "demo-south": True, "demo-harbour": False}


def test_the_demo_leaves_enough_examples_of_the_consenting_organisations(connection: Connection) -> None:
    simulate(connection, demo_world(), anchor=ANCHOR)
    read_replies(connection, ANCHOR - timedelta(weeks=20), ANCHOR, Means())
    row = connection.execute(
        "select count(*), count(distinct message_body) from training_ready_outcomes t join organizations o on o.id = t.organization_id "
        "where quality_score >= 0.6 and allows_global_training and training_label <> 'negative_example'"
    ).fetchone()
    assert row is not None and row[0] >= 180 and row[1] >= 0.98 * row[0]


def test_a_later_anchor_lets_time_pass_and_an_earlier_one_is_refused(connection: Connection) -> None:
    first = simulate(connection, SMALL, anchor=ANCHOR)
    later = simulate(connection, SMALL, anchor=ANCHOR + timedelta(days=30))
    assert later.anchor == first.anchor and later.now == ANCHOR + timedelta(days=30)
    assert later.messages == 0 and later.events > 0
    with pytest.raises(InputError, match="can't go back"):
        simulate(connection, SMALL, anchor=ANCHOR - timedelta(days=1))


def test_the_anchor_is_stored_once_and_read_back(connection: Connection) -> None:
    first = simulate(connection, SMALL)
    assert abs(datetime.now(UTC) - first.anchor) < timedelta(minutes=5)
    connection.execute("update simulations set anchor = anchor - interval '1 day'")
    connection.commit()
    assert simulate(connection, SMALL).anchor == first.anchor - timedelta(days=1)


def test_another_world_under_the_same_name_or_seed_is_refused(connection: Connection) -> None:
    simulate(connection, SMALL, anchor=ANCHOR)
    with pytest.raises(InputError, match=r"exists with other parameters \(messages\)"):
        simulate(connection, msgspec.structs.replace(SMALL, messages=301))
    with pytest.raises(InputError, match="seed 7 belongs to simulation 'demo'"):
        simulate(connection, SMALL, name="other")
    with pytest.raises(InputError, match="no time zone"):
        simulate(connection, SMALL, anchor=datetime(2025, 6, 2))  # noqa: DTZ001
    other = simulate(connection, World(seed=8, messages=50), name="other", anchor=ANCHOR)
    assert other.messages == 50 and counts(connection)[0] == 350


_KILLED = """
import os, signal, sys
from datetime import datetime
from flywheel_dagster.database import connect
from flywheel_dagster.outcomes import ledger
from flywheel_dagster.sandbox.simulator import run
from flywheel_dagster.sandbox.simulator.world import World

run.BATCH = 200
batches = 0
send = ledger.send

def killed(connection, messages):
    global batches
    batches += 1
    sent = send(connection, messages)
    if batches == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return sent

ledger.send = killed
with connect(sys.argv[1]) as connection:
    run.simulate(connection, World(messages=900), anchor=datetime.fromisoformat(sys.argv[2]))
"""


def test_a_run_killed_in_the_middle_of_a_batch_is_completed_by_the_next(connection: Connection) -> None:
    address = connection.info.dsn + f" password={connection.info.password}"
    child = subprocess.run(
        [sys.executable, "-c", _KILLED, address, ANCHOR.isoformat()], capture_output=True, text=True, check=False
    )
    assert child.returncode == -9, child.stderr
    assert counts(connection)[0] == 400

    world = World(messages=900)
    finished = simulate(connection, world)
    assert finished.anchor == ANCHOR and finished.messages == 500
    rows = connection.execute("select id from outcome_labels").fetchall()
    assert {row[0] for row in rows} == {each.message.id for each in history(world, ANCHOR)}
    keys = {event.event_key for each in history(world, ANCHOR) for event in each.events}
    stored = {row[0] for row in connection.execute("select event_key from webhook_events").fetchall()}
    assert stored <= keys and len(keys - stored) < 30  # only lost deliveries are missing
    before = counts(connection)
    assert simulate(connection, world).events == 0
    assert counts(connection) == before
