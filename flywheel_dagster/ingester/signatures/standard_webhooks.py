"""Proof of our own format: Standard Webhooks, an HMAC-SHA256 over id, timestamp and body. Nothing here reads a payload."""

import base64
import binascii
import hmac
from collections.abc import Iterator

from flywheel_dagster.ingester.received import Connection, Received

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether one of the signatures is of one of the connection's secrets, and the timestamp near the arrival.

    Headers `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature` ("v1,<base64>", several separated by spaces), signed
    is "id.timestamp.body". Secrets: `secrets`, each "whsec_" and base64, or any other text, taken as its UTF-8 bytes. Settings:
    `tolerance_seconds` (300, inclusive, either way). [standard-webhooks, spec/standard-webhooks.md]
    """
    message_id = received.headers.get("webhook-id", "")
    timestamp = received.headers.get("webhook-timestamp", "")
    if not message_id or not is_near(timestamp, received, connection, TOLERANCE_SECONDS):
        return False
    try:
        signed = f"{message_id}.{timestamp}.".encode("latin-1") + received.body
        presented = [each.encode("latin-1") for each in received.headers.get("webhook-signature", "").split(" ")]
    except UnicodeEncodeError:  # no header arrives so
        return False
    genuine = False
    for key in _keys(connection):
        expected = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
        for signature in presented:
            genuine |= hmac.compare_digest(expected, signature)
    return genuine


def is_near(seconds: str, received: Received, connection: Connection, usual: float) -> bool:
    """Whether Unix `seconds`, digits alone, lie within the connection's `tolerance_seconds` (else `usual`) of the arrival."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return False
    tolerance = connection.settings.get("tolerance_seconds")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        tolerance = usual
    return abs(received.at.timestamp() - int(seconds)) <= tolerance


def _keys(connection: Connection) -> Iterator[bytes]:
    """The keys; an empty one would let anybody sign and is none."""
    for secret in connection.secrets.get("secrets", ()):
        key = _key(secret)
        if key:
            yield key


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass  # no base64: a text that begins so
    return secret.encode("utf-8", "surrogatepass")
