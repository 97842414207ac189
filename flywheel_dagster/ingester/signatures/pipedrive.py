"""Proves that Pipedrive sent a request: HTTP Basic, the only proof it offers (RFC 7617).

Secrets: `basic`, each "user:password" as entered with the webhook.
"""

import base64
import hashlib
import hmac

from flywheel_dagster.ingester.received import Connection, Received


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether the Authorization header carries one of the credentials, a password included. Never raises.

    Digests of equal length are compared, of the whole credential at once: how long it takes tells neither the user's name nor its length.
    """
    scheme, _, token = received.headers.get("authorization", "").strip().partition(" ")
    given = _digest(token.strip())
    found = [
        hmac.compare_digest(_digest(_token(secret)), given)
        for secret in connection.secrets.get("basic", ())
        if secret.partition(":")[2]
    ]
    return any(found) and scheme.lower() == "basic"


def _token(secret: str) -> str:
    return base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
