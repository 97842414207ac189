"""Requests are written behind the answers: grouped, once, none lost at a clean close, and nothing fails or waits because the database does."""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.models.routing.request_log import RequestLog
from flywheel_dagster.models.routing.requests import ErrorKind
from flywheel_dagster_tests.conftest import Database, Server
from flywheel_dagster_tests.datasets.erasing import Person, forget, live, new_marker
from flywheel_dagster_tests.models.routing.making import logged, registered, request

Connection = psycopg.Connection[TupleRow]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def admit(server: Server, database: Database, yes: bool) -> None:
    """Let new connections into the test's database, or keep them out."""
    name = psycopg.conninfo.conninfo_to_dict(database.addresses.service)["dbname"]
    with connect(server.url) as connection:
        connection.autocommit = True
        connection.execute(
            sql.SQL("alter database {} with allow_connections {}").format(sql.Identifier(str(name)), sql.Literal(yes))
        )


def test_a_clean_close_leaves_nothing_behind(database: Database, connection: Connection) -> None:
    version = registered(connection, "ft:one", "v1.0.0")
    many = [request(unit=f"lead:{n}", cost_usd=Decimal("0.00012345")) for n in range(25)]
    failed = request(
        registry_id=version, success=False, error=ErrorKind.TIMEOUT, prompt_tokens=None, completion_tokens=None, cost_usd=None
    )

    async def work() -> RequestLog:
        log = RequestLog(database.addresses.service, group=10)
        for each in (*many, failed, many[0]):
            log.record(each)
        await log.close()
        await log.close()
        return log

    log = asyncio.run(work())
    assert (log.counts.written, log.counts.lost, log.counts.outages, log.waiting()) == (26, 0, 0, [])
    rows = {row["id"]: row for row in logged(connection)}
    assert rows.keys() == {each.id for each in (*many, failed)}
    assert {name: value for name, value in rows[many[7].id].items() if name != "asked_at"} == {
        name: value for name, value in vars(many[7]).items() if name != "asked_at"
    }
    assert rows[many[7].id]["asked_at"] == many[7].asked_at
    assert rows[failed.id]["error"] == "timeout"


def test_a_log_writes_while_it_is_open_and_can_be_used_again_after_closing(database: Database, connection: Connection) -> None:
    async def work() -> None:
        log = RequestLog(database.addresses.service, linger=0)
        for _ in range(2):
            log.record(request())
            await until(lambda: not log.waiting())
            await log.close()

    asyncio.run(work())
    assert len(logged(connection)) == 2


def test_an_outage_is_told_once_and_nothing_is_lost_when_it_passes(
    server: Server, database: Database, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> RequestLog:
        log = RequestLog(database.addresses.service, linger=0, retry=0.001)
        admit(server, database, False)
        for n in range(5):
            log.record(request(unit=f"lead:{n}"))
            await until(lambda: log.counts.outages)
        assert len(log.waiting()) == 5
        admit(server, database, True)
        await log.close()
        return log

    with caplog.at_level(logging.WARNING):
        log = asyncio.run(work())
    assert (log.counts.written, log.counts.lost, log.counts.outages) == (5, 0, 1)
    assert [record.getMessage() for record in caplog.records if "is away" in record.getMessage()] == [
        "model requests can't be written, they wait: the database is away (OperationalError)"
    ]
    assert len(logged(connection)) == 5


def test_a_connection_that_ended_meanwhile_is_no_outage(database: Database, owner: Connection) -> None:
    async def work() -> RequestLog:
        log = RequestLog(database.addresses.service, linger=0)
        log.record(request())
        await until(lambda: log.counts.written)
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'flywheel router' and datname = current_database()"
        )
        log.record(request())
        await log.close()
        return log

    counts = asyncio.run(work()).counts
    assert (counts.written, counts.outages, counts.lost) == (2, 0, 0)


def test_what_is_lost_for_good_is_counted_and_told_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> RequestLog:
        log = RequestLog("postgresql://nobody@127.0.0.1:1/none", most=3)
        for _ in range(5):
            log.record(request())
        await log.close()
        return log

    with caplog.at_level(logging.WARNING):
        counts = asyncio.run(work()).counts
    assert (counts.written, counts.lost, counts.outages) == (0, 5, 1)
    assert "3 model requests are lost" in caplog.text


def test_a_request_that_can_not_be_stored_does_not_keep_the_others_back(
    database: Database, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [request(campaign_id="nul \x00"), request(campaign_id="half \ud800"), request(latency_ms=-1.0)]

    async def work() -> RequestLog:
        log = RequestLog(database.addresses.service)
        for each in (request(), *bad, request()):
            log.record(each)
        await log.close()
        return log

    with caplog.at_level(logging.WARNING):
        counts = asyncio.run(work()).counts
    assert (counts.written, counts.refused, counts.lost) == (2, 3, 0)
    assert "model_requests_latency_ms_check" in caplog.text
    assert len(logged(connection)) == 2


def test_what_is_written_late_about_an_erased_lead_has_the_pseudonym_of_its_outcomes(
    database: Database, connection: Connection, tmp_path: Path
) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    for person in (ada, ben):
        live(connection, person)
    forget(connection, ada, tmp_path)
    connection.commit()

    async def work() -> None:
        log = RequestLog(database.addresses.service)
        for unit in (f"lead:{ada.lead_id}", f"lead:{ben.lead_id}", "campaign:spring"):
            log.record(request(unit=unit))
        log.record(request(unit=f"lead:{ada.lead_id}", organization_id="rival"))
        await log.close()

    asyncio.run(work())
    pseudonym = connection.execute("select distinct lead_id from outcome_labels where lead_id like 'erased-%'").fetchone()
    assert pseudonym is not None
    assert {(row["organization_id"], row["unit"]) for row in logged(connection)} == {
        ("acme", f"lead:{pseudonym[0]}"),
        ("acme", f"lead:{ben.lead_id}"),
        ("acme", "campaign:spring"),
        ("rival", f"lead:{ada.lead_id}"),
    }


@pytest.mark.parametrize(("organization", "seen"), [("acme", ["acme"]), ("nobody", []), ("", []), (None, [])])
def test_a_member_sees_its_own_requests_and_changes_none(
    database: Database, connection: Connection, organization: str | None, seen: list[str]
) -> None:
    async def work() -> None:
        log = RequestLog(database.addresses.service)
        for each in ("acme", "rival"):
            log.record(request(organization_id=each))
        await log.close()

    asyncio.run(work())
    connection.execute("set local role flywheel_member")
    if organization is not None:
        connection.execute("select set_config('flywheel.organization_id', %s, true)", (organization,))
    assert [row[0] for row in connection.execute("select organization_id from model_requests").fetchall()] == seen
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from model_requests")
