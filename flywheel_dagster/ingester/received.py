"""What a source is given: the request as it came, and the connection that it came through."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Provider(StrEnum):
    """Who sends. Each has its own way to prove it, in `signatures/`."""

    SENDGRID = "sendgrid"
    SENDGRID_INBOUND = "sendgrid_inbound"
    HUBSPOT = "hubspot"
    SALESFORCE = "salesforce"
    PIPEDRIVE = "pipedrive"
    CALENDLY = "calendly"
    GENERIC = "generic"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request: `target` is path and query as sent, `headers` have lower-case names, `at` is the moment of arrival (aware, UTC)."""

    method: str = "POST"
    target: str = "/"
    headers: Mapping[str, str] = {}
    body: bytes
    at: datetime

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty string."""
        return self.headers.get("content-type", "")


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's credentials, bound to one organisation; None: those of the environment, valid for all.

    `secrets` hold what a sender proves itself with, several values for rotation; `settings` what is peculiar to this account, such as the
    ids of its won stages. Which names each provider uses stands in its module under `signatures/` and `sources/`.
    """

    id: str
    provider: Provider
    organization_id: str | None = None
    secrets: Mapping[str, tuple[str, ...]] = {}
    settings: Mapping[str, Any] = {}


class UnreadableError(ValueError):
    """The body is not the format. The message says what is wrong in one line, without the payload; the sender gets it with status 400."""
