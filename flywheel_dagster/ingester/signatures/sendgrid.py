"""Whether SendGrid sent it: ECDSA on P-256 with SHA-256 over the timestamp and the raw body, by the key pair of the webhook.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features. What a connection has:

- secrets `public_keys`: verification keys as the portal shows them (base64 of the SPKI DER), or PEM; several while keys change. Both for
  the Event Webhook and for Inbound Parse with a security policy; for the latter, the signature is then required, whatever the path says;
- secrets `tokens`, Inbound Parse only, where it is not signed: the last part of the path, /webhooks/sendgrid/inbound/<token>;
- secrets `hmac_secrets`, for home-made senders only: X-Webhook-Signature is the HMAC-SHA256 of the raw body, in hex or base64, with or
  without "sha256=" before it. SendGrid itself knows no such thing. Looked at only where SendGrid's own header is missing;
- settings `max_age_seconds`: refuse a signed timestamp further than this from the arrival. Unset, any age is taken: SendGrid repeats
  for 24 hours and doesn't say which timestamp a repetition bears, and a repeat of a known event changes nothing.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from flywheel_dagster.ingester.received import Connection, Provider, Received
from flywheel_dagster.ingester.sources.reading import unix_time

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
HMAC_SIGNATURE = "x-webhook-signature"

_ALGORITHM = ECDSA(Prehashed(SHA256()))
_LONGEST_SIGNATURE = 200  # characters; a signature on P-256 takes 96


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether one of the connection's secrets proves the request. Without any that applies: no."""
    keys = connection.secrets.get("public_keys", ())
    if connection.provider is Provider.SENDGRID_INBOUND and not keys:
        return _has_token(received.target, connection.secrets.get("tokens", ()))
    if SIGNATURE in received.headers:
        return _is_signed(received, keys) and _is_recent(received, connection.settings.get("max_age_seconds"))
    return connection.provider is Provider.SENDGRID and _has_digest(received, connection.secrets.get("hmac_secrets", ()))


def require_public_key(text: str) -> EllipticCurvePublicKey:
    """The key of a connection, before it is stored. Raises ValueError with the remedy."""
    key = _public_key(text)
    if key is None:
        raise ValueError(
            "this is no verification key of SendGrid (P-256, base64 or PEM): copy it from Settings > Mail Settings > Event Webhook > "
            "Security features; it begins with MFkwEwYHKoZIzj0"
        )
    return key


@lru_cache(maxsize=256)
def _public_key(text: str) -> EllipticCurvePublicKey | None:
    try:
        if "-----BEGIN" in text:
            key = load_pem_public_key(text.replace("\\n", "\n").strip().encode())
        else:
            key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


def _is_signed(received: Received, keys: Iterable[str]) -> bool:
    timestamp = received.headers.get(TIMESTAMP, "")
    signature = _strict_base64(received.headers[SIGNATURE])
    # Digits only: timestamp and body are signed as one string, and nothing else would keep one from reaching into the other.
    if signature is None or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 20):
        return False
    digest = hashlib.sha256(timestamp.encode())
    digest.update(received.body)
    signed = digest.digest()
    return any(_verifies(key, signature, signed) for key in keys)


def _verifies(text: str, signature: bytes, digest: bytes) -> bool:
    key = _public_key(text)
    if key is None:
        return False
    try:
        key.verify(signature, digest, _ALGORITHM)
    except InvalidSignature:
        return False
    return True


def _is_recent(received: Received, max_age_seconds: object) -> bool:
    """A limit that is no number is kept by nothing: the request is refused."""
    if max_age_seconds is None:
        return True
    at = unix_time(received.headers.get(TIMESTAMP))
    try:
        return at is not None and abs((received.at - at).total_seconds()) <= float(max_age_seconds)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False


def _strict_base64(text: str) -> bytes | None:
    """The bytes, if the text is how base64 writes them and nothing more: no junk after the padding, no stray bits."""
    if len(text) > _LONGEST_SIGNATURE or not text.isascii():
        return None
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found).decode() == text else None


def _has_token(target: str, tokens: Iterable[str]) -> bool:
    last = unquote(target.partition("?")[0].rpartition("/")[2])
    return bool(last) and _is_among(last, tokens)


def _has_digest(received: Received, secrets: Iterable[str]) -> bool:
    digests = [hmac.digest(secret.encode("utf-8", "surrogatepass"), received.body, "sha256") for secret in secrets if secret]
    spellings = [spelling for digest in digests for spelling in (digest.hex(), base64.b64encode(digest).decode())]
    return _is_among(received.headers.get(HMAC_SIGNATURE, "").removeprefix("sha256="), spellings)


def _is_among(given: str, right: Iterable[str]) -> bool:
    """Compares with all of them, whichever is the one."""
    known = given.encode("utf-8", "surrogatepass")
    return True in [hmac.compare_digest(known, each.encode("utf-8", "surrogatepass")) for each in right]
