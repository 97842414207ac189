"""The ingester against a no-op endpoint and against the same statements sent straight to the database, for batches of every size."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from rich.table import Table

from benchmarks.measuring import Ground, console
from benchmarks.webhook_load import make_bodies, make_requests, post_all, record_all, service
from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.sources import sendgrid_events
from flywheel_dagster.outcomes.ledger import events_json, send
from flywheel_dagster.outcomes.messages import SentMessage

GOAL_DIRECT = 0.8  # of the straight rate, at 100 events a request
GOAL_GROUP = 3  # times the rate without shared commits, at 64 connections and one event
GOAL_TAIL = 5  # p99 over p50
_SENDGRID = Connection(id="environment", provider=Provider.SENDGRID)


class Ingested:
    """The figures of all cells, as a table."""

    def __init__(self) -> None:
        self.table = Table(
            "events", "connections", "events/s", "of straight", "of no-op", "p50 ms", "p99 ms", "p99/p50",
            title="ingester: signed SendGrid batches over HTTP, by events a request and connections",
            caption=f"goals: {GOAL_DIRECT} of the straight rate at 100 events; p99 at most {GOAL_TAIL} × p50", title_justify="left",
        )  # fmt: skip
        self.group = ""

    def show(self) -> None:
        """Print it."""
        console.print(self.table)
        console.print(self.group)


def measure(ground: Ground, rows: int) -> Ingested:
    """Every cell of 1, 10, 100, 1,000 events and 1, 8, 64 connections; `rows` events for each side of a large cell."""
    found, seed = Ingested(), 0
    with service(ground, group=None) as ours, service(ground, group=None, no_op=True) as idle:
        for events in (1, 10, 100, 1_000):
            for connections in (1, 8, 64):
                seed += 1
                requests = max(connections, min(600, rows // events))
                sides = {}
                for side in ("straight", "ours", "straight again", "ours again"):
                    bodies = make_bodies(
                        _outcomes(ground, max(200, requests * events // 8)), requests=requests, events=events, seed=seed
                    )
                    console.print(f"[dim]{events:,} events, {connections} connections: {side}", end="\r")
                    if side.startswith("straight"):
                        sides[side] = record_all(ground.addresses.service, [_encoded(body) for body in bodies], connections)
                    else:
                        sides[side] = post_all(ours, make_requests(bodies), connections)
                nothing = post_all(idle, make_requests(bodies), connections)
                straight = (sides["straight"].seconds + sides["straight again"].seconds) / 2
                taken = (sides["ours"].seconds + sides["ours again"].seconds) / 2
                latencies = sides["ours again"]
                p50, p99 = latencies.quantile(0.5), latencies.quantile(0.99)
                found.table.add_row(
                    f"{events:,}", str(connections), f"{requests * events / taken:,.0f}",
                    f"{straight / taken:.2f}",
                    f"{nothing.seconds / taken:.2f}", f"{p50 * 1000:,.1f}", f"{p99 * 1000:,.1f}", f"{p99 / p50:.1f}",
                )  # fmt: skip
    with service(ground, group=None) as shared, service(ground, group=1) as alone:
        rates = []
        for port in (shared, alone, shared, alone):
            requests = make_requests(make_bodies(_outcomes(ground, 1_000), requests=1_000, events=1, seed=seed))
            rates.append(1_000 / post_all(port, requests, 64).seconds)
        together, apart = rates[0] + rates[2], rates[1] + rates[3]
        found.group = (
            f"64 connections, one event a request: {together / 2:,.0f} events/s with shared commits, {apart / 2:,.0f} without: "
            f"{together / apart:.1f} × (goal {GOAL_GROUP})"
        )
    return found


def _outcomes(ground: Ground, count: int) -> list[UUID]:
    messages = [
        SentMessage(
            id=uuid4(), organization_id="acme", campaign_id="spring", lead_id=f"lead-{uuid4().hex}", channel="email", message_body="Hello",
            sent_at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        for _ in range(count)
    ]  # fmt: skip
    with ground.service() as connection:
        send(connection, messages)
    return [message.id for message in messages]


def _encoded(body: bytes) -> str:
    return events_json(sendgrid_events.read(Received(body=body, at=datetime.now(UTC)), _SENDGRID))
