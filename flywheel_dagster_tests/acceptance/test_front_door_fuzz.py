"""Fifty thousand hostile inputs: no server error, no crash, no growth of memory, and nothing for another organization."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.doors import DOORS
from flywheel_dagster.ingester.received import Connection, Provider, Received, UnreadableError
from flywheel_dagster.outcomes.ledger import events_bytes
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.deliveries import make_sent, others, sendgrid, sendgrid_events

pytestmark = pytest.mark.acceptance

FOR_EACH_READER = 5_000
FOR_THE_SERVICE = 16_000
AT = datetime(2026, 11, 21, tzinfo=UTC)

_WORDS = st.sampled_from(
    [
        "event",
        "timestamp",
        "sg_event_id",
        "sg_message_id",
        "email",
        "url",
        "type",
        "reason",
        "outcome_id",
        "subscriptionType",
        "portalId",
        "objectId",
        "propertyName",
        "propertyValue",
        "occurredAt",
        "eventId",
        "meta",
        "data",
        "previous",
        "current",
        "status",
        "value",
        "currency",
        "action",
        "entity",
        "id",
        "payload",
        "uri",
        "created_at",
        "tracking",
        "utm_content",
        "scheduled_event",
        "end_time",
        "start_time",
        "deal_id",
        "deal_value",
        "closed_at",
        "contact_email",
        "deal.closed_won",
        "invitee.created",
        "deal.propertyChange",
        "dealstage",
        "closedwon",
        "won",
        "open",
        "click",
        "bounce",
        "ChangeEventHeader",
        "StageName",
        "IsWon",
        "Amount",
        "properties",
        "custom_fields",
    ]
)
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=30), _WORDS,
    st.sampled_from(["\0", "\ud800", "9" * 400, "-1e309", "2026-02-30T99:99:99Z", "00000000-0000-0000-0000-000000000001", "a@b@c"]),
)  # fmt: skip
_JSON = st.recursive(
    _VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=10), inner, max_size=8),
    max_leaves=25,
)


def real_bodies() -> list[tuple[Provider, bytes]]:
    chance = random.Random(3)
    sent = make_sent(12)
    single = [(delivery.provider, delivery.body) for number, one in enumerate(sent) for delivery in others(one, number, chance)]
    return [*single, (Provider.SENDGRID, sendgrid(sendgrid_events(sent[0], chance)).body)]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON of roughly the right shape, a real body that was damaged, or just bytes."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.binary(max_size=300))
    if kind == 1:
        return json.dumps(draw(_JSON)).encode("utf-8", "surrogatepass")
    body = bytearray(draw(st.sampled_from(REAL))[1])
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(body) - 1))
        body[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(body) or b" "


REAL = real_bodies()


@pytest.mark.parametrize("provider", list(Provider))
def test_a_reader_survives_everything(provider: Provider) -> None:
    through = Connection(id="fuzz", provider=provider, organization_id="acme", secrets={})
    read, lines = 0, set[int]()

    @settings(
        max_examples=FOR_EACH_READER, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(
        body=bodies(),
        header=st.text(max_size=40),
        content_type=st.sampled_from(["", "application/json", "text/xml", "multipart/form-data; boundary=x"]),
    )
    def run(body: bytes, header: str, content_type: str) -> None:
        nonlocal read
        read += 1
        names = (
            "x-hubspot-signature-v3",
            "calendly-webhook-signature",
            "authorization",
            "webhook-signature",
            "x-webhook-signature",
        )
        received = Received(body=body, at=AT, headers=dict.fromkeys(names, header) | {"content-type": content_type})
        assert not DOORS[provider].is_genuine(received, through)
        try:
            events = DOORS[provider].read(received, through)
        except UnreadableError as error:
            lines.add(str(error).count("\n"))
            return
        events_bytes(events)
        assert {event.organization_id for event in events} <= {"acme"}

    run()
    assert read >= FOR_EACH_READER
    assert lines <= {0}


@pytest.fixture
def service(database: Database, connection: psycopg.Connection[TupleRow]) -> Iterator[tuple[int, int]]:
    """The real command, insecure and bound to acme: its port and its process."""
    connection.execute("insert into organizations (id) values ('acme'), ('rival')")
    connection.commit()
    assert database.settings.database_url
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
        "DATABASE_URL": database.settings.database_url.get_secret_value(),
        "FLYWHEEL_INSECURE_WEBHOOKS": "1",
        "FLYWHEEL_ORGANIZATION_ID": "acme",
        "FLYWHEEL_WEBHOOK_RATE": "1000000",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flywheel_dagster.cli", "ingester", "--port", str(port)], env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    while "listening" not in (line := process.stderr.readline()):
        assert line, "the service ended"
    drained = subprocess.Popen([sys.executable, "-c", "import sys; [None for _ in sys.stdin]"], stdin=process.stderr)
    yield port, process.pid
    assert process.poll() is None, "the service crashed"
    process.terminate()
    assert process.wait(timeout=30) == 0
    drained.wait(timeout=10)
    process.stderr.close()


def test_the_service_survives_everything(service: tuple[int, int], connection: psycopg.Connection[TupleRow]) -> None:
    port, process = service
    schema = schemathesis.openapi.from_dict(_openapi())
    sent, early = 0, 0
    operations = [found.ok() for found in schema.get_all_operations()]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
        for operation in operations:

            @settings(
                max_examples=FOR_THE_SERVICE // len(operations) // 2, deadline=None, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(), body=bodies())
            def run(case: Any, body: bytes) -> None:
                nonlocal sent, early
                headers = {name: value for name, value in (case.headers or {}).items() if value.isascii() and value.isprintable()}
                given_body = case.body if isinstance(case.body, dict | list) else None
                for content in (body, json.dumps(given_body).encode("utf-8", "replace")):
                    answer = http.post(case.path, content=content, headers=headers)
                    assert answer.status_code < 500, (case.path, content[:200], answer.text)
                    assert answer.status_code in (200, 400, 401, 413), answer.status_code
                    sent += 1
                if sent == FOR_THE_SERVICE // 4:
                    early = _resident(process)

            run()
    assert sent >= FOR_THE_SERVICE * 0.9
    assert _resident(process) - early < 30 * 2**20, "memory grows"
    owners = {row[0] for row in connection.execute("select distinct organization_id from webhook_events").fetchall()}
    assert owners <= {"acme"}


def _openapi() -> dict[str, Any]:
    """What the routes take, for generating requests: JSON of any shape around the words that mean something."""
    anything: dict[str, Any] = {"type": "object", "properties": {"event": {"type": "string"}, "timestamp": {"type": "number"}}}
    body = {
        "content": {"application/json": {"schema": {"oneOf": [anything, {"type": "array", "items": anything}]}}},
        "required": True,
    }
    headers = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in ("webhook-id", "X-HubSpot-Signature-v3")]
    paths = (
        "/webhooks/sendgrid", "/webhooks/sendgrid/inbound", "/webhooks/crm", "/webhooks/crm/deals", "/webhooks/crm/meetings",
        "/webhooks/crm/hubspot", "/webhooks/crm/salesforce", "/webhooks/crm/pipedrive", "/webhooks/crm/generic", "/webhooks/calendly",
    )  # fmt: skip
    operation = {"requestBody": body, "parameters": headers, "responses": {"200": {"description": "taken"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "ingester", "version": "1"},
        "paths": {path: {"post": operation} for path in paths},
    }


def _resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
