"""Proves that HubSpot sent a request: the app's client secret went into a hash over it, in one of three ways.

Secrets: `client_secrets`. Settings: `public_url` (scheme://host[:port][/prefix], where HubSpot reaches us; v2 and v3 sign the address),
`webhook_url` (the whole address instead, where a proxy changes the path),
`signatures` (which versions count, ("v3",) unless it says otherwise), `portals` (ids of the accounts that may report, all if absent).
[developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation]
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources.reading import identifier, listed, read_json

_WINDOW = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In the address that v3 signs, these and no other characters are written plainly.
_DECODED = {
    "3A": ":", "2F": "/", "3F": "?", "40": "@", "21": "!", "24": "$", "27": "'", "28": "(", "29": ")", "2A": "*", "2C": ",", "3B": ";",
}  # fmt: skip
_ENCODED = re.compile(f"%({'|'.join(_DECODED)})", re.IGNORECASE)


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether the request is signed by one of the client secrets and comes from one of the portals. Never raises.

    A v3 signature decides alone when it is there. v1 and v2 are plain hashes without a time, and count only where the settings say so.
    """
    versions = listed(connection.settings.get("signatures"), ("v3",))
    if "x-hubspot-signature-v3" in received.headers:
        signed = _is_signed_v3(received, connection)
    else:
        version = received.headers.get("x-hubspot-signature-version", "v1").strip().lower()
        signed = version in versions and version in _HASHES and _is_hashed(received, connection, version)
    return signed and _is_of_our_portals(received, connection)


def _is_signed_v3(received: Received, connection: Connection) -> bool:
    timestamp = received.headers.get("x-hubspot-request-timestamp", "")
    address = _address(received, connection)
    if address is None or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return False
    if abs(received.at - _EPOCH - timedelta(milliseconds=int(timestamp))) > _WINDOW:
        return False
    plain = _ENCODED.sub(lambda found: _DECODED[found[1].upper()], address)
    message = _bytes(received.method + plain) + received.body + _bytes(timestamp)
    return _is_one_of(
        received.headers.get("x-hubspot-signature-v3", ""),
        connection,
        lambda secret: base64.b64encode(hmac.digest(secret, message, "sha256")),
    )


def _is_hashed(received: Received, connection: Connection, version: str) -> bool:
    message = _HASHES[version](received, connection)
    if message is None:
        return False
    return _is_one_of(
        received.headers.get("x-hubspot-signature", ""),
        connection,
        lambda secret: hashlib.sha256(secret + message).hexdigest().encode(),
    )


def _v1(received: Received, _connection: Connection) -> bytes | None:
    return received.body


def _v2(received: Received, connection: Connection) -> bytes | None:
    address = _address(received, connection)
    return None if address is None else _bytes(received.method + address) + received.body


_HASHES = {"v1": _v1, "v2": _v2}


def _is_one_of(signature: str, connection: Connection, sign: Callable[[bytes], bytes]) -> bool:
    given = _bytes(signature)
    found = [hmac.compare_digest(sign(_bytes(secret)), given) for secret in connection.secrets.get("client_secrets", ()) if secret]
    return any(found)


def _address(received: Received, connection: Connection) -> str | None:
    """The address as HubSpot called it. Behind a proxy the request itself doesn't know it."""
    whole = connection.settings.get("webhook_url")
    if isinstance(whole, str) and whole:
        return whole
    public = connection.settings.get("public_url")
    return public.rstrip("/") + received.target if isinstance(public, str) and public else None


def _is_of_our_portals(received: Received, connection: Connection) -> bool:
    portals = listed(connection.settings.get("portals"))
    if not portals:
        return True
    try:
        body = read_json(received.body)
    except UnreadableError:
        return True  # it comes from nowhere else: whoever reads it will say that it is not the format
    items = body if isinstance(body, list) else [body]
    said = (
        item[name] for item in items if isinstance(item, dict) for name in ("portalId", "portal_id", "portal-id") if name in item
    )
    return all(identifier(portal) in portals for portal in said)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
