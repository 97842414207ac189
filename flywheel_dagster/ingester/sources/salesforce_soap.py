"""The SOAP envelope of Salesforce's outbound messages: parsed without trust, and cut into one envelope a notification. What the records
mean is in `salesforce_records`."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

import defusedxml.ElementTree

from flywheel_dagster.ingester.received import UnreadableError

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
LARGEST = 8 * 2**20


class Notification(NamedTuple):
    """One of a message's notifications: its id, the kind of record ("Opportunity") and its fields as text, None where nil.

    `raw` is the message with this notification alone and without the text of any SessionId.
    """

    id: str | None
    kind: str
    fields: Mapping[str, str | None]
    raw: bytes


class Message(NamedTuple):
    """An outbound message: whose it is, and 1 to 100 notifications."""

    organization_id: str | None
    notifications: tuple[Notification, ...]


def read_message(body: bytes) -> Message:
    """The message. Raises UnreadableError for whatever isn't one: malformed XML, DTD or entities, another envelope, more than 8 MB.

    [SOAP API Developer Guide, "Understanding Outbound Messaging" and its WSDL]
    """
    outer = _notifications(_parse(body))
    found = _children(outer, "Notification")
    if not found:
        raise UnreadableError("the outbound message holds no notification")
    pieces = _cut(body)
    if len(pieces) != len(found):
        raise UnreadableError("the XML is not well-formed")
    return Message(_organization(outer), tuple(_notification(each, raw) for each, raw in zip(found, pieces, strict=True)))


def read_organization_id(body: bytes) -> str | None:
    """The OrganizationId of a message, None where it has none. Raises UnreadableError like `read_message`."""
    return _organization(_notifications(_parse(body)))


def _parse(body: bytes) -> Element:
    if len(body) > LARGEST:
        raise UnreadableError("the XML is larger than 8 MB")
    if b"\0" in body:
        raise UnreadableError("the XML is not in UTF-8")
    try:
        root: Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, ValueError, LookupError):  # defusedxml's own exceptions are ValueErrors
        raise UnreadableError("the XML is not well-formed, or has a DTD") from None
    return root


def _notifications(root: Element) -> Element:
    found = [inner for body in root if _local(body.tag) == "Body" for inner in _children(body, "notifications")]
    if _local(root.tag) != "Envelope" or len(found) != 1:
        raise UnreadableError("the XML is not a Salesforce outbound message")
    return found[0]


def _organization(outer: Element) -> str | None:
    ids = [_text(each) for each in _children(outer, "OrganizationId")]
    if len(ids) > 1:
        raise UnreadableError("the outbound message names several organizations")
    return ids[0] if ids else None


def _notification(element: Element, raw: bytes) -> Notification:
    ids, records = _children(element, "Id"), _children(element, "sObject")
    fields: dict[str, str | None] = {}
    for field in records[0] if records else ():
        name, value = _local(field.tag), _text(field)
        fields[name] = fields.get(name) or value  # the partner API writes the Id twice
    kind = records[0].get(XSI_TYPE, "").rpartition(":")[2].strip() if records else ""
    return Notification(_text(ids[0]) if ids else None, kind or "unknown", fields, raw)


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if child.tag == f"{{{OUTBOUND}}}{name}"]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: Element) -> str | None:
    return (element.text or "").strip() or None if len(element) == 0 else None


class _Cutter:
    """Follows an envelope that was found harmless, by byte offsets: where each notification lies, and the inside of each SessionId."""

    def __init__(self) -> None:
        self.notifications: list[tuple[int, int]] = []
        self.secrets: list[tuple[int, int]] = []
        self._path: list[str] = []
        self._begun = self._inside = -1
        self._depth = 0
        self._ended = self._opened = False
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.DefaultHandler = lambda _: self._arrive()

    def follow(self, body: bytes) -> None:
        self._parser.Parse(body, True)

    def _arrive(self) -> int:
        """Every event tells where the one before it ended."""
        here = self._parser.CurrentByteIndex
        if self._ended:
            self.notifications.append((self._begun, here))
            self._ended = False
        if self._opened:
            self._inside, self._opened = here, False
        return here

    def _start(self, tag: str, _: Any) -> None:
        here = self._arrive()
        self._path.append(tag)
        if self._is_notification():
            self._begun = here
        if _local(tag) == "SessionId" and self._inside < 0:
            self._opened = True
            self._depth = len(self._path)

    def _end(self, tag: str) -> None:
        here = self._arrive()
        if self._inside >= 0 and len(self._path) == self._depth:
            self.secrets.append((self._inside, here))
            self._inside = -1
        self._ended = self._is_notification()
        self._path.pop()

    def _is_notification(self) -> bool:
        path = self._path
        return (
            len(path) == 4 and _local(path[1]) == "Body" and path[2:] == [f"{OUTBOUND}}}notifications", f"{OUTBOUND}}}Notification"]
        )


def _cut(body: bytes) -> list[bytes]:
    """The message once for each notification, with that notification alone, and nothing within a SessionId."""
    cutter = _Cutter()
    try:
        cutter.follow(body)
    except (expat.ExpatError, ValueError, LookupError):
        raise UnreadableError("the XML is not well-formed") from None
    spans = cutter.notifications
    if not spans:
        return []

    def kept(start: int, end: int) -> bytes:
        parts = []
        for secret_start, secret_end in cutter.secrets:
            if start <= secret_start and secret_end <= end:
                parts.append(body[start:secret_start])
                start = secret_end
        return b"".join([*parts, body[start:end]])

    head, tail = kept(0, spans[0][0]), kept(spans[-1][1], len(body))
    return [head + kept(*span) + tail for span in spans]
