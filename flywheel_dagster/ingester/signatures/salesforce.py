"""Proof of Salesforce's requests, which carry no signature: a secret in the path, and the organization that the message names."""

import hmac
from urllib.parse import unquote_to_bytes

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources.reading import listed
from flywheel_dagster.ingester.sources.salesforce import is_xml
from flywheel_dagster.ingester.sources.salesforce_json import organization_ids
from flywheel_dagster.ingester.sources.salesforce_records import short_id
from flywheel_dagster.ingester.sources.salesforce_soap import read_organization_id


def is_genuine(received: Received, connection: Connection) -> bool:
    """Whether the last segment of the path is one of the tokens, and the organization one of the connection's.

    Secrets: `tokens`. Settings: `organization_ids`, of which the first 15 characters count, and their case: a SOAP message has to name
    one of them, JSON only must not name another. With `allow_without_token` true and no token, the organization alone will do, and has
    to be named. Neither token nor organization: nothing is genuine.
    """
    tokens = [token for token in connection.secrets.get("tokens", ()) if token]
    known = [short_id(each) for each in listed(connection.settings.get("organization_ids"))]
    if tokens:
        if not _holds(received.target, tokens):
            return False
        return not known or _is_ours(received.body, known, named=is_xml(received.body), unreadable=True)
    if connection.settings.get("allow_without_token") is not True or not known:
        return False
    return _is_ours(received.body, known, named=True, unreadable=False)


def _holds(target: str, tokens: list[str]) -> bool:
    path = target.partition("?")[0].encode("utf-8", "replace")
    presented = unquote_to_bytes(path.rpartition(b"/")[2])
    genuine = False
    for token in tokens:
        genuine |= hmac.compare_digest(token.encode("utf-8", "surrogatepass"), presented)
    return genuine


def _is_ours(body: bytes, known: list[str | None], *, named: bool, unreadable: bool) -> bool:
    """Whether every organization that the body names is known, and, where it must name one, it does; `unreadable` is said of a body
    that nobody can read: who holds the token then learns so from the reader."""
    try:
        found = [read_organization_id(body)] if is_xml(body) else organization_ids(body)
    except UnreadableError:
        return unreadable
    theirs = [short_id(each) for each in found if each]
    return all(each in known for each in theirs) and (bool(theirs) or not named)
