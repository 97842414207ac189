"""OpenAI's webhook: proven, written down once, and felt by whoever waits."""

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.training.notices import waking_sleep
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.serving import serving

Connection = psycopg.Connection[TupleRow]
KEY = b"a key of thirty-two bytes, or so"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
EVENT = {"object": "event", "id": "evt_1", "type": "fine_tuning.job.succeeded", "created_at": 1, "data": {"id": "ftjob-1"}}


@pytest.fixture
def door(database: Database) -> Iterator[str]:
    with serving(database, OPENAI_WEBHOOK_SECRET=SECRET) as served:
        yield f"http://127.0.0.1:{served.port}/webhooks/openai"


def deliver(door: str, event: Any = EVENT, *, webhook_id: str = "wh_1", key: bytes = KEY, age: int = 0) -> httpx.Response:
    body, at = json.dumps(event).encode(), str(int(datetime.now(UTC).timestamp()) - age)
    signature = base64.b64encode(hmac.digest(key, f"{webhook_id}.{at}.".encode() + body, "sha256")).decode()
    headers = {"webhook-id": webhook_id, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    return httpx.post(door, content=body, headers=headers)


def notices(connection: Connection) -> list[TupleRow]:
    return connection.execute("select webhook_id, event_type, job_id from training_notices order by 1").fetchall()


def test_a_notice_is_written_down_once_however_often_it_comes(door: str, connection: Connection) -> None:
    for _ in range(3):
        assert deliver(door).json() == {"status": "processed"}
    assert deliver(door, EVENT | {"type": "fine_tuning.job.failed"}, webhook_id="wh_2").status_code == 200
    assert notices(connection) == [("wh_1", "fine_tuning.job.succeeded", "ftjob-1"), ("wh_2", "fine_tuning.job.failed", "ftjob-1")]


def test_forged_and_stale_ones_are_refused_and_other_events_are_none_of_ours(door: str, connection: Connection) -> None:
    assert deliver(door, key=b"another").status_code == 401
    assert deliver(door, age=301 + 5).status_code == 401
    assert deliver(door, EVENT | {"type": "batch.completed"}).json() == {"status": "ignored"}
    assert deliver(door, ["no event"]).status_code == 400
    assert deliver(door, {"type": "fine_tuning.job.succeeded", "data": "?"}).status_code == 400
    assert httpx.post(door, content=b"x" * 70_000).status_code == 413
    assert notices(connection) == []


def test_without_a_secret_nothing_is_believed(database: Database) -> None:
    with serving(database) as served:
        answer = deliver(f"http://127.0.0.1:{served.port}/webhooks/openai")
    assert answer.status_code == 503
    assert "OPENAI_WEBHOOK_SECRET" in answer.json()["error"]


def test_the_official_clients_own_check_accepts_what_this_door_accepts() -> None:
    # Our test's signer and OpenAI's verifier agree, so what is proven here is proven by the real sender as well.
    import openai

    body, at = json.dumps(EVENT), str(int(time.time()))
    signature = base64.b64encode(hmac.digest(KEY, f"wh_1.{at}.{body}".encode(), "sha256")).decode()
    headers = {"webhook-id": "wh_1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    client = openai.OpenAI(api_key="sk-test", webhook_secret=SECRET)
    assert client.webhooks.unwrap(body, headers).type == "fine_tuning.job.succeeded"
    client.close()


def test_a_notice_ends_a_wait_that_would_last_an_hour(door: str, database: Database) -> None:
    with waking_sleep(database.addresses.service) as sleep:
        waiting = threading.Thread(target=sleep, args=(3600,), daemon=True)
        waiting.start()
        deliver(door)
        waiting.join(timeout=20)
        assert not waiting.is_alive()


def test_a_lost_connection_leaves_an_ordinary_sleep(database: Database, owner: Connection) -> None:
    with waking_sleep(database.addresses.service) as sleep:
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        began = time.monotonic()
        sleep(0.1)
        sleep(0.1)
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "event",
    [
        EVENT | {"type": "fine_tuning.job.\0x"},
        EVENT | {"type": "fine_tuning.job." + "x" * 200},
        EVENT | {"data": {"id": "x" * 9_000}},
        EVENT | {"data": {"id": "ftjob\0-1"}},
        EVENT | {"data": {"id": ""}},
        EVENT | {"data": {"id": 1}},
    ],
)
def test_what_no_id_or_type_is_like_is_refused_in_plain_words(door: str, connection: Connection, event: Any) -> None:
    answer = deliver(door, event)
    assert answer.status_code == 400
    assert answer.json()["error"] == "type and data.id have 1 to 200 printable characters"
    assert notices(connection) == []


def test_a_database_that_refuses_is_no_fault_of_the_sender(door: str, owner: Connection) -> None:
    owner.execute("revoke insert on training_notices from flywheel_service")
    owner.commit()
    answer = deliver(door)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


def test_notices_are_counted_and_refused_ones_logged(door: str, caplog: pytest.LogCaptureFixture) -> None:
    deliver(door)
    assert deliver(door, key=b"another").status_code == 401
    (logged,) = [record for record in caplog.records if record.message == "webhook"]
    assert logged.facts["refused"] == "not signed by OPENAI_WEBHOOK_SECRET"  # type: ignore[attr-defined]
    told = httpx.get(door.replace("/webhooks/openai", "/metrics")).text
    assert 'flywheel_requests_total{provider="openai",status="200"} 1.0' in told
    assert 'flywheel_requests_total{provider="openai",status="401"} 1.0' in told


def test_guesses_at_the_secret_run_into_a_limit(door: str) -> None:
    with httpx.Client() as client:
        statuses = (client.post(door, content=b"{}").status_code for _ in range(2_000))
        before = list(takewhile(lambda status: status != 429, statuses))
    assert 200 <= len(before) < 2_000
    assert set(before) == {401}


def test_a_sender_who_goes_away_is_counted_like_others(door: str) -> None:
    at = httpx.URL(door)
    with socket.create_connection((at.host, at.port or 80)) as line:
        line.sendall(b"POST /webhooks/openai HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    seen = 'flywheel_requests_total{provider="openai",status="400"} 1.0'
    assert any(seen in httpx.get(str(at.copy_with(path="/metrics"))).text for _ in range(50))
