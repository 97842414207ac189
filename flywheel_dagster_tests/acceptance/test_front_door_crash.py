"""Webhooks of every vendor, repeated and shuffled, while the service is killed and the database crashes again and again: each acknowledged
event is there once, and the outcomes are what one calm reading of the same webhooks gives."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Addresses, _with, connect
from flywheel_dagster.ingester.connections import from_environment
from flywheel_dagster.ingester.doors import DOORS
from flywheel_dagster.ingester.received import Received
from flywheel_dagster.migrations import migrate
from flywheel_dagster.outcomes.ledger import rebuild, record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox import postgres
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.ingester.deliveries import ENVIRONMENT, Delivery, Sent, make_sent, others, sendgrid, sendgrid_events
from flywheel_dagster_tests.outcomes.making import BOOKKEEPING

pytestmark = pytest.mark.acceptance

MESSAGES = 3_600
LEAST_EVENTS = 20_000
CRASHES = 24  # of the service, and as many of the database
SENDERS = 12


@pytest.fixture
def home() -> Iterator[Path]:
    """A durable server of the test's own, since it is to crash."""
    home = Path("/tmp") / f"fwcrash{os.getpid()}"
    home.mkdir(mode=0o755)
    yield home
    postgres.stop(home / "home")
    shutil.rmtree(home, ignore_errors=True)


class Service:
    """The real command, killed and started again on the same port."""

    def __init__(self, url: str, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._log = log
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        self._environment = kept | ENVIRONMENT | {"DATABASE_URL": url, "FLYWHEEL_WEBHOOK_RATE": "100000"}
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flywheel_dagster.cli", "ingester", "--port", str(self.port)],
                env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(timeout=30)


def test_nothing_acknowledged_is_lost_or_doubled_whatever_crashes(home: Path) -> None:
    chance = random.Random(20_261_121)
    server = postgres.start(home / "home")
    owner = server.url(role="flywheel_owner", database="flywheel")
    calm = _calm_database(server, owner)
    for url in (owner, calm):
        migrate(Addresses(owner=url, service=url, dagster=url))
    sent = make_sent(MESSAGES)
    deliveries, plan = _plan(sent, chance)
    unique = sum(delivery.events for delivery in deliveries)
    assert unique >= LEAST_EVENTS
    for url in (owner, calm):
        with connect(url) as connection:
            send(connection, [_message(one, number) for number, one in enumerate(sent)])

    service = Service(owner, home / "service.log")
    try:
        crashes = asyncio.run(_deliver(plan, service, home / "home", chance))
        assert service.stop() == 0
    finally:
        if service.running():
            service.kill()
    assert crashes == CRASHES

    with connect(calm) as connection:
        _read_calmly(connection, deliveries)
    with connect(owner) as stormy, connect(calm) as still:
        counts = "select source, event_type::text, count(*), count(*) filter (where matched) from webhook_events group by 1, 2 order by 1, 2"
        assert stormy.execute(counts).fetchall() == still.execute(counts).fetchall()
        total = stormy.execute("select count(*) from webhook_events").fetchone()
        assert total is not None
        assert total[0] >= LEAST_EVENTS
        assert _rows(stormy) == _rows(still)
        before = _rows(stormy)
        assert sum(changed for _, changed in rebuild(stormy)) == 0
        assert _rows(stormy) == before


def _calm_database(server: postgres.EmbeddedServer, owner: str) -> str:
    with psycopg.connect(server.url(role="postgres", database="postgres"), autocommit=True) as connection:
        connection.execute("create database calm owner flywheel_owner")
    return _with(owner, dbname="calm")


def _message(sent: Sent, number: int) -> SentMessage:
    return SentMessage(
        id=sent.outcome, organization_id="acme", campaign_id="spring", lead_id=f"lead-{number}", lead_email=sent.email, channel="email",
        message_body="Hello", sent_at=sent.at,
    )  # fmt: skip


def _plan(sent: list[Sent], chance: random.Random) -> tuple[list[Delivery], list[Delivery]]:
    """Each delivery once; and all as they are sent: repeated up to 46 times, events in other batches too, shuffled."""
    events = [event for one in sent for event in sendgrid_events(one, chance)]
    chance.shuffle(events)
    batches = [sendgrid(events[place : place + 80]) for place in range(0, len(events), 80)]
    single = [delivery for number, one in enumerate(sent) for delivery in others(one, number, chance)]
    # The same events under new ids and in other company, as has been seen on retries.
    again = [event | {"sg_event_id": uuid4().hex} for event in chance.sample(events, len(events) // 2)]
    regrouped = [sendgrid(again[place : place + 50]) for place in range(0, len(again), 50)]
    once = [*batches, *single]
    plan = [
        *once,
        *regrouped,
        *chance.choices(once, k=len(once) // 2),
        *([chance.choice(batches)] * 46),
        *([chance.choice(single)] * 46),
    ]
    chance.shuffle(plan)
    return once, plan


async def _deliver(plan: list[Delivery], service: Service, database: Path, chance: random.Random) -> int:
    waiting, acknowledged, total = list(plan), 0, len(plan)
    points = sorted(chance.sample(range(20, total * 9 // 10), CRASHES))
    crashes = 0

    async def sender(http: httpx.AsyncClient) -> None:
        nonlocal acknowledged
        while waiting or acknowledged < total:
            if not waiting:
                await asyncio.sleep(0.02)
                continue
            delivery = waiting.pop(chance.randrange(len(waiting)))
            try:
                answer = await http.post(delivery.path, content=delivery.body, headers=delivery.headers())
                taken = answer.status_code == 200
                assert taken or answer.status_code == 503, (delivery.path, answer.status_code, answer.text)
            except httpx.TransportError:
                taken = False
            if taken:
                acknowledged += 1
            else:
                waiting.append(delivery)  # as vendors do, only sooner
                await asyncio.sleep(0.05)

    async def trouble() -> None:
        nonlocal crashes
        for point in points:
            while acknowledged < point:
                await asyncio.sleep(0.005)
            _crash_database(database)
            await asyncio.sleep(chance.random() / 5)  # some senders meet the service without its database
            await asyncio.to_thread(postgres.start, database)
            await asyncio.sleep(chance.random() / 5)
            service.kill()
            service.start()
            crashes += 1

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=20, trust_env=False) as http:
        await asyncio.wait_for(asyncio.gather(trouble(), *(sender(http) for _ in range(SENDERS))), timeout=540)
    return crashes


def _crash_database(home: Path) -> None:
    """SIGKILL to the postmaster: its children end, and the next start recovers."""
    running = postgres.running(home)
    if running is None:
        return
    number = int((running.data_directory / "postmaster.pid").read_text().split()[0])
    os.kill(number, signal.SIGKILL)


def _read_calmly(connection: psycopg.Connection[TupleRow], deliveries: list[Delivery]) -> None:
    through = {one.provider: one for one in from_environment(Settings(**ENVIRONMENT))}
    for delivery in deliveries:
        received = Received(
            target=delivery.path, body=delivery.body, headers={"content-type": delivery.content_type}, at=datetime.now(UTC)
        )
        record(connection, DOORS[delivery.provider].read(received, through[delivery.provider]))
    connection.commit()


def _rows(connection: psycopg.Connection[TupleRow]) -> dict[UUID, dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from outcome_labels").fetchall()
    return {row["id"]: {name: value for name, value in row.items() if name not in BOOKKEEPING} for row in rows}
