"""API keys: what they look like, what stands of them at rest, and what their roles permit. Who asks with one is in `callers.py`."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from flywheel_dagster.errors import SettingsError

ALL_ORGANIZATIONS = "*"  # in FLYWHEEL_API_KEYS
_PREFIX = "flywheel_"  # so that a scanner for leaked secrets knows one


class Permission(StrEnum):
    """What a route asks for."""

    READ = "read"  # models, figures, the state of trainings, what works
    RECORD = "record"  # write down messages and replies
    TRAIN = "train"  # start a training: costs money
    DEPLOY = "deploy"  # decide which model leads hear from


class Role(StrEnum):
    """What a key is for. Each role may do what the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role permits."""
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.RECORD, Permission.TRAIN}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True)
class EnvironmentKey:
    """An entry of FLYWHEEL_API_KEYS. `organization_id` None: all organisations."""

    organization_id: str | None
    role: Role
    key_hash: str


def new_key() -> str:
    """A key of 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """SHA-256 as 64 hexadecimal digits: all that is stored. A slow hash protects what people choose, not 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def keys_from(variable: str | None) -> tuple[EnvironmentKey, ...]:
    """The keys that FLYWHEEL_API_KEYS names: `organisation:role:sha256`, comma-separated, `*` for all organisations.

    Raises SettingsError for an entry that can't be read, by its place: an entry may hold a key that was put in by mistake.
    """
    return tuple(_entry(place, text.strip()) for place, text in enumerate((variable or "").split(","), 1) if text.strip())


def _entry(place: int, text: str) -> EnvironmentKey:
    parts = text.rsplit(":", 2)
    if len(parts) < 3:
        raise _wrong(place, "it is not organisation:role:sha256")
    organization, role, key_hash = parts[0], parts[1], parts[2].lower()
    if role not in set(Role):
        raise _wrong(place, f"its role is none of {', '.join(Role)}")
    if not re.fullmatch(r"[0-9a-f]{64}", key_hash):
        raise _wrong(place, "its last part is not the SHA-256 of a key (64 hexadecimal digits; printf %s KEY | sha256sum)")
    if organization == "global" or not 1 <= len(organization) <= 200:
        raise _wrong(place, "an organisation's id has 1 to 200 characters and is not 'global'; * stands for all organisations")
    return EnvironmentKey(None if organization == ALL_ORGANIZATIONS else organization, Role(role), key_hash)


def _wrong(place: int, why: str) -> SettingsError:
    return SettingsError(f"FLYWHEEL_API_KEYS: entry {place} can't be used, {why}; correct it in the environment or in .env")
