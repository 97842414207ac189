"""Plays the vendors: webhooks about given outcomes, in their real formats, signed when they are sent, and sent more than once."""

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flywheel_dagster.ingester.received import Provider

KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = "not-so-secret"
PUBLIC_URL = "https://hooks.example.com"
ENVIRONMENT = {
    "SENDGRID_WEBHOOK_PUBLIC_KEY": base64.b64encode(
        KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
    "SENDGRID_INBOUND_TOKEN": SECRET,
    "HUBSPOT_CLIENT_SECRET": SECRET,
    "FLYWHEEL_PUBLIC_URL": PUBLIC_URL,
    "PIPEDRIVE_WEBHOOK_USER": "flywheel",
    "PIPEDRIVE_WEBHOOK_PASSWORD": SECRET,
    "SALESFORCE_WEBHOOK_TOKEN": SECRET,
    "CALENDLY_WEBHOOK_SIGNING_KEY": SECRET,
    "CRM_WEBHOOK_SECRET": SECRET,
    "FLYWHEEL_ORGANIZATION_ID": "acme",
}


@dataclass(frozen=True)
class Sent:
    """What an event is about: a message, its lead and when it went out."""

    outcome: UUID
    email: str
    at: datetime


@dataclass(frozen=True)
class Delivery:
    """One request; `headers` are made when it is sent, since signatures tell the time."""

    provider: Provider
    path: str
    body: bytes
    events: int
    content_type: str = "application/json"

    def headers(self, *, now: float | None = None) -> dict[str, str]:
        """Signed as the vendor signs, at this moment."""
        seconds = int(time.time() if now is None else now)
        return {"Content-Type": self.content_type, **_PROOFS[self.provider](self, seconds)}


def sendgrid(events: Sequence[dict[str, object]]) -> Delivery:
    """A batch of the Event Webhook."""
    return Delivery(
        Provider.SENDGRID,
        "/webhooks/sendgrid",
        b"[" + b",\r\n".join(json.dumps(e).encode() for e in events) + b"]\r\n",
        len(events),
    )


def sendgrid_events(sent: Sent, chance: random.Random) -> list[dict[str, object]]:
    """Delivery, opens and clicks of one message; half of them carry the outcome's id, the others only the message's."""
    message = f"{sent.outcome.hex}.recvd-5f5e0f-1"
    kinds = ["processed", "delivered", *["open"] * chance.randrange(4), *["click"] * chance.randrange(3)]
    events = []
    for place, kind in enumerate(kinds):
        event: dict[str, object] = {
            "email": sent.email,
            "timestamp": int(sent.at.timestamp()) + 60 * place + chance.randrange(50),
            "event": kind,
            "sg_event_id": uuid4().hex,
            "sg_message_id": message,
            "category": ["spring"],
        }
        if kind == "click":
            event["url"] = f"https://example.com/{place}"
        if kind == "open" and chance.random() < 0.3:
            event["sg_machine_open"] = True
        if place == 0 or chance.random() < 0.5:
            event["outcome_id"] = str(sent.outcome)
        events.append(event)
    return events


def others(sent: Sent, number: int, chance: random.Random) -> list[Delivery]:
    """What became of one message, as the other vendors tell it: each in its own format."""
    at = sent.at + timedelta(days=1, seconds=chance.randrange(10**5))
    makers = (_reply, _hubspot_deal, _pipedrive_deal, _salesforce_won, _calendly_meeting, _generic_deal)
    return makers[number % len(makers)](sent, number, at)


def _reply(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    fields = {
        "headers": f"Message-ID: <reply-{number}@example.com>\nDate: {at:%a, %d %b %Y %H:%M:%S} +0000\nFrom: {sent.email}",
        "from": sent.email,
        "to": "sales@in.example.com",
        "envelope": json.dumps({"to": [f"reply+{sent.outcome}@in.example.com"], "from": sent.email}),
        "charsets": json.dumps({"to": "UTF-8", "from": "UTF-8", "text": "UTF-8"}),
        "subject": "Re: Hello",
        "text": f"Yes, tell me more ({number}).\n\nOn Monday you wrote:\n> Hello",
    }
    parts = [f'--xYzZY\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    body = ("".join(parts) + "--xYzZY--\r\n").encode()
    content_type = "multipart/form-data; boundary=xYzZY"
    return [Delivery(Provider.SENDGRID_INBOUND, f"/webhooks/sendgrid/inbound/{SECRET}", body, 1, content_type)]


def _hubspot_deal(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    def change(name: str, value: str, after: int) -> dict[str, object]:
        return {
            "eventId": number * 10 + after, "subscriptionId": 7, "portalId": 62515, "appId": 1, "attemptNumber": 0,
            "occurredAt": int(at.timestamp() * 1000) + after, "subscriptionType": "deal.propertyChange", "objectId": 2**33 + number,
            "propertyName": name, "propertyValue": value, "changeSource": "CRM",
        }  # fmt: skip

    batches = [[change("outcome_id", str(sent.outcome), 1)], [change("amount", "1200.50", 2), change("dealstage", "closedwon", 3)]]
    return [Delivery(Provider.HUBSPOT, "/webhooks/crm/hubspot", json.dumps(batch).encode(), len(batch)) for batch in batches]


def _pipedrive_deal(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    def change(action: str, status: str, previous: dict[str, object] | None, minutes: int) -> Delivery:
        body = {
            "meta": {
                "action": action, "entity": "deal", "entity_id": str(number), "company_id": "44", "id": str(UUID(int=number * 10 + minutes)),
                "version": "2.0", "attempt": 1, "timestamp": (at + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            },
            "data": {
                "id": number, "status": status, "value": 900, "currency": "EUR", "custom_fields": {},
                "outcome_id": str(sent.outcome) if action == "create" else None,
            },
            "previous": previous,
        }  # fmt: skip
        return Delivery(Provider.PIPEDRIVE, "/webhooks/crm/pipedrive", json.dumps(body).encode(), 1)

    return [change("create", "open", None, 0), change("change", "won", {"status": "open"}, 5)]


def _salesforce_won(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    body = f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D000000000001EAA</OrganizationId>
  <ActionId>04k000000000001</ActionId><SessionId xsi:nil="true"/>
  <Notification><Id>04l{number:015d}</Id><sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
   <sf:Id>006{number:015d}</sf:Id><sf:Amount>15000.0</sf:Amount><sf:IsWon>true</sf:IsWon><sf:IsClosed>true</sf:IsClosed>
   <sf:LastModifiedDate>{at:%Y-%m-%dT%H:%M:%S}.000Z</sf:LastModifiedDate><sf:Outcome_Id__c>{sent.outcome}</sf:Outcome_Id__c>
  </sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>"""
    return [Delivery(Provider.SALESFORCE, f"/webhooks/crm/salesforce/{SECRET}", body.encode(), 1, "text/xml; charset=utf-8")]


def _calendly_meeting(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    invitee = f"https://api.calendly.com/scheduled_events/E{number}/invitees/I{number}"
    body = {
        "event": "invitee.created", "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.000000Z", "created_by": "https://api.calendly.com/users/U",
        "payload": {
            "uri": invitee, "email": sent.email, "status": "active", "rescheduled": False, "tracking": {},
            "scheduled_event": {
                "uri": f"https://api.calendly.com/scheduled_events/E{number}", "start_time": f"{at + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
                "end_time": f"{at + timedelta(days=2, minutes=30):%Y-%m-%dT%H:%M:%SZ}",
            },
        },
    }  # fmt: skip
    return [Delivery(Provider.CALENDLY, "/webhooks/calendly", json.dumps(body).encode(), 1)]


def _generic_deal(sent: Sent, number: int, at: datetime) -> list[Delivery]:
    body = {
        "event": "deal.closed_won",
        "deal_id": str(number),
        "deal_value": 15000,
        "closed_at": at.isoformat(),
        "email": sent.email,
    }
    return [Delivery(Provider.GENERIC, "/webhooks/crm", json.dumps(body).encode(), 1)]


def _sign_sendgrid(delivery: Delivery, seconds: int) -> dict[str, str]:
    signature = KEY.sign(str(seconds).encode() + delivery.body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": str(seconds),
    }


def _sign_hubspot(delivery: Delivery, seconds: int) -> dict[str, str]:
    stamp = str(seconds * 1000)
    content = b"POST" + (PUBLIC_URL + delivery.path).encode() + delivery.body + stamp.encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), content, hashlib.sha256)).decode()
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def _sign_calendly(delivery: Delivery, seconds: int) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), f"{seconds}.".encode() + delivery.body, hashlib.sha256).hexdigest()
    return {"Calendly-Webhook-Signature": f"t={seconds},v1={digest}"}


def _sign_generic(delivery: Delivery, seconds: int) -> dict[str, str]:
    identity = "msg_" + hashlib.sha256(delivery.body).hexdigest()[:20]
    digest = hmac.digest(SECRET.encode(), f"{identity}.{seconds}.".encode() + delivery.body, hashlib.sha256)
    return {
        "webhook-id": identity, "webhook-timestamp": str(seconds), "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }  # fmt: skip


_PROOFS: dict[Provider, Callable[[Delivery, int], dict[str, str]]] = {
    Provider.SENDGRID: _sign_sendgrid,
    Provider.SENDGRID_INBOUND: lambda delivery, seconds: {},
    Provider.HUBSPOT: _sign_hubspot,
    Provider.PIPEDRIVE: lambda delivery, seconds: {
        "Authorization": "Basic " + base64.b64encode(f"flywheel:{SECRET}".encode()).decode()
    },
    Provider.SALESFORCE: lambda delivery, seconds: {},
    Provider.CALENDLY: _sign_calendly,
    Provider.GENERIC: _sign_generic,
}


def make_sent(count: int) -> list[Sent]:
    """So many messages, each to a lead of its own."""
    begin = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return [
        Sent(UUID(int=(1 << 100) + number * 7919), f"lead{number}@example.com", begin + timedelta(minutes=number))
        for number in range(count)
    ]
