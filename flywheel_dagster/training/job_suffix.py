"""A job's suffix that says what it was bought for, at providers that keep a job's suffix but no metadata (Together, Azure).

Both add it to the model's name; both take at most 40 characters, letters, digits, - and _.
"""

import hashlib
import re

_MOST = 40
_HASH = 12  # hexadecimal digits, 48 bits: among a million jobs of one account two would share them with a chance of 0.2 %


def suffix_for(key: str, readable: str) -> str:
    """The readable part, shortened if need be, and a hash of the key that the job is bought under."""
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", readable)[: _MOST - _HASH - 1].strip("-")
    return "-".join(filter(None, (kept, _hash(key))))


def was_bought_for(key: str, suffix: object) -> bool:
    """Whether a job with this suffix was created under the key."""
    return isinstance(suffix, str) and suffix.endswith(_hash(key))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_HASH]
