"""Names of messages, by which events find their outcome when they don't name it."""

import hashlib
from functools import lru_cache


@lru_cache(maxsize=4096)  # a batch names each address several times
def _digest(email: str) -> str:
    return hashlib.sha256(email.lower().encode("utf-8", "replace")).hexdigest()[:16]


def message_reference(message_id: str, email: str | None = None) -> str:
    """The name of a sent message, without the angle brackets of its id: "message:ID", or of the copy for one recipient, "message:ID/…".

    A sending to many leads has one id at some senders, so an id alone would be claimed by all of them; the address, as the first 64 bits of
    the SHA-256 of its lower case, tells the copies apart.
    """
    name = f"message:{message_id.strip().strip('<>')}"
    return name if email is None else f"{name}/{_digest(email)}"
