"""Proof of Calendly's webhooks: an HMAC-SHA256 over timestamp and body. Nothing here reads a payload."""

import hashlib
import hmac

from flywheel_dagster.ingester.received import Connection, Received
from flywheel_dagster.ingester.signatures.standard_webhooks import is_near

TOLERANCE_SECONDS = 180


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether the signature is of one of the connection's keys, and its time within three minutes of the arrival.

    Header `Calendly-Webhook-Signature: t=<Unix seconds>,v1=<hex>`, signed is "t.body"; unknown names are passed over, a name twice,
    an empty part or one without "=" is refused. Secrets: `signing_keys`. Settings: `tolerance_seconds` (180, inclusive, either way).
    [developer.calendly.com, webhook-signatures; araluce/calendlyr, test/calendlyr/webhook_test.rb]
    """
    parts = _parts(received.headers.get("calendly-webhook-signature", ""))
    timestamp, presented = parts.get("t", ""), parts.get("v1", "")
    if not presented.isascii() or not is_near(timestamp, received, connection, TOLERANCE_SECONDS):
        return False
    signed = f"{timestamp}.".encode() + received.body
    genuine = False
    for key in connection.secrets.get("signing_keys", ()):
        expected = hmac.new(key.encode("utf-8", "surrogatepass"), signed, hashlib.sha256).hexdigest().encode()
        genuine |= bool(key) and hmac.compare_digest(expected, presented.encode())
    return genuine


def _parts(header: str) -> dict[str, str]:
    """The header's parts by name; nothing where it isn't well-formed."""
    parts: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if not name or not value or name in parts:
            return {}
        parts[name] = value
    return parts
