"""Every recorded or published payload, as bytes over HTTP: taken or refused as its vendor's rules say, with the events it means.

What is expected of each stands in the tables `expected_*.py`, which were written first.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.expected import Expected
from flywheel_dagster_tests.ingester.serving import serving

TABLES = ("sendgrid", "hubspot", "pipedrive", "salesforce", "calendly", "generic")
EXPECTED: dict[str, Expected] = {
    name: expected
    for table in TABLES
    for name, expected in import_module(f"flywheel_dagster_tests.ingester.expected_{table}").EXPECTED.items()
}
PATHS = {
    "sendgrid": "/webhooks/sendgrid",
    "hubspot": "/webhooks/crm/hubspot",
    "pipedrive": "/webhooks/crm/pipedrive",
    "salesforce": "/webhooks/crm/salesforce",
    "calendly": "/webhooks/calendly",
    "description/crm": "/webhooks/crm",
    "description/sendgrid": "/webhooks/sendgrid",
}
PAYLOADS = sorted(name for name in EXPECTED if not name.endswith((".sig.json", "malformed_headers.json")))
SIGNATURES = sorted(name for name in EXPECTED if name.endswith(".sig.json"))


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_taken_or_refused(
    database: Database, connection: psycopg.Connection[TupleRow], shared: Path, name: str
) -> None:
    expected = EXPECTED[name]
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        path, content_type = _path(name)
        body = (shared / "samples" / name).read_bytes()
        answer = served.http.post(path, content=body, headers={"Content-Type": content_type} if content_type else {})
    assert answer.status_code == expected.status, answer.text
    found = connection.execute("select event_type::text from webhook_events order by id").fetchall()
    wanted = [event[0] for event in expected.events] if expected.status == 200 else []
    assert sorted(row[0] for row in found) == sorted(wanted)
    if expected.status == 200 and body.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<"):
        assert b"Ack>true</" in answer.content
    elif expected.status == 200:
        assert answer.json() == {"status": "processed", "events": len(wanted)}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_is_believed_or_not(
    database: Database, connection: psycopg.Connection[TupleRow], shared: Path, name: str
) -> None:
    vector = json.loads((shared / "samples" / name).read_bytes())
    if (method := vector.get("http_method", "POST")) != "POST":
        pytest.skip(f"a vector for {method}; the service takes POST alone")
    body = (shared / "samples" / vector["body_file"]).read_bytes()
    provider, secrets, settings, path, headers, at = _signed(vector)
    connection.execute(
        "with new as (insert into organizations (id) values ('acme')) "
        "insert into connections (organization_id, provider, secrets, settings) values ('acme', %s, %s, %s)",
        (provider, Jsonb(secrets), Jsonb(settings)),
    )
    connection.commit()
    with serving(database) as served:
        served.clock.at = at
        answer = served.http.post(path, content=body, headers=headers)
    assert answer.status_code == EXPECTED[name].status, answer.text


def test_malformed_headers_are_refused(database: Database, shared: Path) -> None:
    malformed = json.loads((shared / "samples/calendly/malformed_headers.json").read_bytes())
    body = (shared / "samples/calendly/calendlyr_objects_webhooks_payload.json").read_bytes()
    with serving(database, CALENDLY_WEBHOOK_SIGNING_KEY="webhook-signing-secret") as served:
        served.clock.at = datetime.fromtimestamp(1_700_000_000, UTC)
        for header in malformed["headers"]:
            answer = served.http.post("/webhooks/calendly", content=body, headers={"Calendly-Webhook-Signature": header})
            assert answer.status_code == 401, header


def test_the_tables_cover_every_sample(shared: Path) -> None:
    vendors = ("sendgrid", "hubspot", "pipedrive", "salesforce", "calendly")
    files = {f"{vendor}/{path.name}" for vendor in vendors for path in (shared / "samples" / vendor).iterdir()}
    files |= {f"description/{path.name}" for path in (shared / "samples/description").glob("[cs][re]*")}
    not_requests = {name for name in files if "response" in name or "/ack_" in name or name in NOT_WEBHOOKS}
    assert files - set(EXPECTED) - not_requests == set()


# Answers of the vendor's API, not webhooks.
NOT_WEBHOOKS = {
    "calendly/calendlyr_events_create_invitee_no_show.json",
    "calendly/calendlyr_objects_webhooks_subscription.json",
    "calendly/calendlyr_webhooks_create.json",
    "calendly/calendlyr_webhooks_sample.json",
}


def _path(name: str) -> tuple[str, str]:
    if "inbound" in name:
        return "/webhooks/sendgrid/inbound", _multipart(name)
    path = next(path for start, path in PATHS.items() if name.startswith(start))
    return path, "text/xml" if name.endswith(".xml") else "application/json"


def _multipart(name: str) -> str:
    return ""  # the samples are bodies alone; the boundary stands in their first line


def _signed(vector: Mapping[str, Any]) -> tuple[str, dict[str, list[str]], dict[str, Any], str, dict[str, str], datetime]:
    """Provider, secrets and settings of the connection; path and headers of the request; when it arrives."""
    scheme, stamp = vector["scheme"], str(vector.get("timestamp", ""))
    if scheme.startswith("sendgrid"):
        headers = {"X-Twilio-Email-Event-Webhook-Signature": vector["signature"], "X-Twilio-Email-Event-Webhook-Timestamp": stamp}
        return "sendgrid", {"public_keys": [vector["public_key"]]}, {}, "/webhooks/sendgrid", headers, _at(stamp)
    if scheme.startswith("hubspot"):
        version = scheme.removeprefix("hubspot-")
        headers = (
            {"X-HubSpot-Signature-v3": vector["signature"], "X-HubSpot-Request-Timestamp": stamp}
            if version == "v3"
            else {"X-HubSpot-Signature": vector["signature"], "X-HubSpot-Signature-Version": version}
        )
        account = {"signatures": ["v3", "v2", "v1"], "webhook_url": vector.get("http_uri", "https://www.example.com/webhook_uri")}
        return "hubspot", {"client_secrets": [vector["client_secret"]]}, account, "/webhooks/crm/hubspot", headers, _at(stamp)
    header = vector["header"].strip()  # as any HTTP client and server leaves it
    stamp = header.split("t=")[-1].split(",")[0].strip()
    secrets = {"signing_keys": [vector["signing_key"]]}
    return "calendly", secrets, {}, "/webhooks/calendly", {"Calendly-Webhook-Signature": header}, _at(stamp)


def _at(stamp: str) -> datetime:
    if not stamp.isdigit():
        return datetime.now(UTC)
    seconds = int(stamp)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
