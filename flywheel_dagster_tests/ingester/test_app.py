"""What the service answers, by which vendors decide whether to come again: over a real socket, to the bytes of a request."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.ingester import directory
from flywheel_dagster.ingester.limits import BODY_LIMIT, RateLimit
from flywheel_dagster.ingester.received import Provider
from flywheel_dagster.outcomes.ledger import send
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.deliveries import ENVIRONMENT, Delivery, make_sent, others, sendgrid, sendgrid_events
from flywheel_dagster_tests.ingester.serving import Serving, serving
from flywheel_dagster_tests.outcomes.making import message, row_of

Connection = psycopg.Connection[TupleRow]
SENDGRID_CURL = '[{"email":"test@example.com","event":"delivered","timestamp":1706000000,"sg_message_id":"test123","outcome_id":"your-outcome-uuid"}]'
CRM_CURL = '{"event":"deal.closed_won","deal_id":"123","deal_value":15000,"closed_at":"2025-01-23T10:00:00Z","outcome_id":"your-outcome-uuid"}'


@pytest.fixture
def configured(database: Database) -> Iterator[Serving]:
    """With credentials for every vendor in the environment."""
    with serving(database, **ENVIRONMENT) as served:
        yield served


@pytest.fixture
def insecure(database: Database) -> Iterator[Serving]:
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        yield served


@pytest.fixture
def bare(database: Database) -> Iterator[Serving]:
    """Nothing is configured."""
    with serving(database) as served:
        yield served


def post(served: Serving, delivery: Delivery, **changes: str) -> httpx.Response:
    return served.http.post(delivery.path, content=delivery.body, headers=delivery.headers() | changes)


def events(connection: Connection) -> list[tuple[Any, ...]]:
    found = connection.execute(
        "select source, event_type::text, organization_id, matched, unmatched_reason from webhook_events order by id"
    ).fetchall()
    connection.rollback()
    return found


def a_batch() -> Delivery:
    return sendgrid(sendgrid_events(make_sent(1)[0], random.Random(1)))


def test_the_tutorials_examples_work_as_written(insecure: Serving, connection: Connection) -> None:
    answer = insecure.http.post("/webhooks/sendgrid", content=SENDGRID_CURL, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {"status": "processed", "events": 1})
    answer = insecure.http.post("/webhooks/crm", content=CRM_CURL, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {"status": "processed", "events": 1})
    assert [(source, kind, matched) for source, kind, _, matched, _ in events(connection)] == [
        ("sendgrid", "delivered", False),
        ("crm", "deal_closed", False),
    ]


@pytest.mark.parametrize("number", range(6))
def test_every_vendors_own_signature_opens_its_door(configured: Serving, connection: Connection, number: int) -> None:
    for delivery in others(make_sent(1)[0], number, random.Random(1)):
        answer = post(configured, delivery)
        assert answer.status_code == 200, answer.text
        assert f'"events":{delivery.events}' in answer.text or "Ack>true" in answer.text
    assert events(connection)
    assert {row[2] for row in events(connection)} == {"acme"}


@pytest.mark.parametrize("number", range(6))
def test_nobody_else_gets_in(configured: Serving, connection: Connection, number: int) -> None:
    delivery = others(make_sent(1)[0], number, random.Random(1))[0]
    forged = {name: value for name, value in delivery.headers().items() if name == "Content-Type"}
    path = delivery.path.replace("not-so-secret", "guessed")
    answer = configured.http.post(path, content=delivery.body, headers=forged)
    assert (answer.status_code, answer.json()["status"]) == (401, "refused")
    assert events(connection) == []


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/webhooks/sendgrid", "SENDGRID_WEBHOOK_PUBLIC_KEY"),
        ("/webhooks/sendgrid/inbound", "SENDGRID_INBOUND_TOKEN"),
        ("/webhooks/crm", "CRM_WEBHOOK_SECRET"),
        ("/webhooks/crm/deals", "CRM_WEBHOOK_SECRET"),
        ("/webhooks/crm/meetings", "CRM_WEBHOOK_SECRET"),
        ("/webhooks/crm/generic", "CRM_WEBHOOK_SECRET"),
        ("/webhooks/crm/hubspot", "HUBSPOT_CLIENT_SECRET"),
        ("/webhooks/crm/salesforce", "SALESFORCE_WEBHOOK_TOKEN"),
        ("/webhooks/crm/pipedrive", "PIPEDRIVE_WEBHOOK_USER"),
        ("/webhooks/crm/calendly", "CALENDLY_WEBHOOK_SIGNING_KEY"),
        ("/webhooks/calendly", "CALENDLY_WEBHOOK_SIGNING_KEY"),
    ],
)
def test_a_door_without_credentials_is_shut_and_says_what_to_set(bare: Serving, path: str, setting: str) -> None:
    answer = bare.http.post(path, content=CRM_CURL)
    assert answer.status_code == 503
    assert setting in answer.json()["error"]
    assert int(answer.headers["Retry-After"]) > 0


def test_what_is_not_the_format_is_told_so_without_an_echo(insecure: Serving, connection: Connection) -> None:
    for path in ("/webhooks/sendgrid", "/webhooks/crm", "/webhooks/crm/hubspot", "/webhooks/calendly", "/webhooks/crm/salesforce"):
        answer = insecure.http.post(path, content=b"secret-of-ada@example.com {")
        assert answer.status_code == 400, path
        assert "ada" not in answer.text
        assert "\n" not in answer.json()["error"]
    assert events(connection) == []


def test_a_body_above_the_limit_is_refused_before_it_is_read(insecure: Serving) -> None:
    with socket.create_connection(("127.0.0.1", insecure.port)) as line:
        line.sendall(f"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode())
        assert b" 413 " in line.recv(200)
    chunked = insecure.http.post("/webhooks/crm", content=iter([b" " * 2**20] * 7))
    assert chunked.status_code == 413


def test_a_full_batch_is_taken(configured: Serving) -> None:
    """SendGrid ends its batches at 768 KB."""
    events = [event for sent in make_sent(900) for event in sendgrid_events(sent, random.Random(sent.email))]
    delivery = sendgrid(events)
    assert len(delivery.body) > 700_000
    for _ in range(2):
        assert post(configured, delivery).json() == {"status": "processed", "events": len(events)}


def test_endless_headers_end_the_connection(insecure: Serving) -> None:
    with socket.create_connection(("127.0.0.1", insecure.port)) as line, suppress(OSError):
        line.sendall(b"POST /webhooks/crm HTTP/1.1\r\nHost: x\r\n")
        for number in range(10_000):
            line.sendall(f"X-{number}: {'y' * 1000}\r\n".encode())
        assert not line.recv(1), "ten megabytes of headers were read"
    assert insecure.http.get("/health/live").status_code == 200


def test_other_paths_and_methods_are_not_there(insecure: Serving) -> None:
    assert insecure.http.post("/webhooks/nobody").status_code == 404
    assert insecure.http.get("/webhooks/sendgrid").status_code == 405


def test_a_rate_is_kept_by_connection(database: Database) -> None:
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1", FLYWHEEL_WEBHOOK_RATE="0.1") as served:
        answers = [served.http.post("/webhooks/crm", content=CRM_CURL) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert int(answers[1].headers["Retry-After"]) >= 5


def test_the_bucket_fills_with_time() -> None:
    now = [0.0]
    limit = RateLimit(2, 4, now=lambda: now[0])
    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 0]
    assert limit.take("a") == pytest.approx(0.5)
    assert limit.take("b") == 0
    now[0] = 1.0
    assert [bool(limit.take("a")) for _ in range(3)] == [False, False, True]


def test_a_database_that_is_away_means_come_again(database: Database, connection: Connection, owner: Connection) -> None:
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        assert served.http.get("/health").json()["ready"] is True
        assert served.http.post("/webhooks/crm", content=CRM_CURL).status_code == 200
        owner.execute("revoke insert on webhook_events from flywheel_service")  # stands for any failure of ours
        owner.commit()
        answer = served.http.post("/webhooks/crm", content=CRM_CURL.replace("123", "124"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60"), "nothing may be acknowledged that isn't there"
        owner.execute("grant insert on webhook_events to flywheel_service")
        owner.commit()
        assert served.http.post("/webhooks/crm", content=CRM_CURL.replace("123", "124")).status_code == 200
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        served.http.post("/webhooks/crm", content=CRM_CURL)
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'flywheel ingester' and datname = current_database()"
        )
        answers = [served.http.post("/webhooks/crm", content=CRM_CURL.replace("123", str(125 + n))) for n in range(4)]
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
        assert answers[-1].status_code == 200


def test_a_connection_reaches_only_its_organizations_outcomes(database: Database, connection: Connection) -> None:
    ours, theirs = message(), message(organization_id="rival")
    send(connection, [ours, theirs])
    added = connection.execute(
        statement("add_connection"),
        {
            "organization_id": "acme",
            "provider": "generic",
            "name": None,
            "secrets": Jsonb({"secrets": ["not-so-secret"]}),
            "settings": Jsonb({}),
        },
    ).fetchone()
    connection.commit()
    assert added is not None
    bodies = [
        f'{{"event":"deal.closed_won","deal_id":"{n}","deal_value":5,"closed_at":"2026-02-01T10:00:00Z","outcome_id":"{one.id}"}}'
        for n, one in enumerate((ours, theirs))
    ]
    with serving(database) as served:
        for body in bodies:
            answer = post(served, Delivery(Provider.GENERIC, f"/webhooks/crm?connection={added[0]}", body.encode(), 1))
            assert answer.status_code == 200, answer.text
        assert post(served, Delivery(Provider.GENERIC, "/webhooks/crm?connection=other", b"{}", 1)).status_code == 503
    assert row_of(connection, ours.id)["deal_closed"] is True
    assert row_of(connection, theirs.id)["deal_closed"] is False
    assert [(row[2], row[4]) for row in events(connection)] == [("acme", None), ("acme", "outcome belongs to another organization")]


def test_a_revoked_connection_is_refused_without_a_restart(
    database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "FRESH_SECONDS", 0.0)
    given = {
        "organization_id": "acme", "provider": "sendgrid", "name": None, "settings": Jsonb({}),
        "secrets": Jsonb({"public_keys": [ENVIRONMENT["SENDGRID_WEBHOOK_PUBLIC_KEY"]]}),
    }  # fmt: skip
    connection.execute("insert into organizations (id) values ('acme')")
    with serving(database) as served:
        assert post(served, a_batch()).status_code == 503
        row = connection.execute(statement("add_connection"), given).fetchone()
        connection.commit()
        assert row is not None
        assert post(served, a_batch()).status_code == 200
        assert connection.execute(statement("revoke_connection"), {"id": row[0]}).rowcount == 1
        connection.commit()
        assert post(served, a_batch()).status_code == 503


def test_metrics_tell_what_came_and_what_became_of_it(configured: Serving) -> None:
    assert post(configured, a_batch()).status_code == 200
    assert post(configured, a_batch(), **{"X-Twilio-Email-Event-Webhook-Timestamp": "1"}).status_code == 401
    told = configured.http.get("/metrics").text
    assert 'flywheel_requests_total{provider="sendgrid",status="200"} 1.0' in told
    assert 'flywheel_requests_total{provider="sendgrid",status="401"} 1.0' in told
    assert "flywheel_events_recorded " in told
    assert "example.com" not in told


def test_ending_finishes_what_was_accepted(database: Database, connection: Connection, owner: Connection) -> None:
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        assert served.http.post("/webhooks/crm", content=CRM_CURL).status_code == 200
        owner.execute("lock table webhook_events in exclusive mode")  # the next commit has to wait
        answers: list[httpx.Response] = []
        waiting = threading.Thread(
            target=lambda: answers.append(served.http.post("/webhooks/crm", content=CRM_CURL.replace("123", "124")))
        )
        waiting.start()
        while not connection.execute("select 1 from pg_locks where not granted").fetchone():
            connection.rollback()
            time.sleep(0.01)
        served.server.should_exit = True
        owner.rollback()
        waiting.join(timeout=20)
        assert [answer.status_code for answer in answers] == [200]
    assert len(events(connection)) == 2


def test_the_clock_is_the_servers(configured: Serving) -> None:
    delivery = others(make_sent(1)[0], 4, random.Random(1))[0]  # Calendly's three minutes
    configured.clock.at = datetime(2030, 1, 1, tzinfo=UTC)
    assert post(configured, delivery).status_code == 401
    stamped = delivery.headers(now=configured.clock.at.timestamp())
    assert configured.http.post(delivery.path, content=delivery.body, headers=stamped).status_code == 200
