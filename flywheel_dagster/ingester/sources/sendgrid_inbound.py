"""SendGrid's Inbound Parse: a mail that somebody sent back, as a form; with “raw” chosen in its settings, the form holds the MIME message.

The format: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook. A mail that is
refused is lost, since SendGrid comes again after a 5xx only: so whatever could be a mail is taken.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from flywheel_dagster.ingester.received import Connection, Received, UnreadableError
from flywheel_dagster.ingester.sources import mail, reading
from flywheel_dagster.ingester.sources.mime_parts import Multipart, divide, parameter, read_headers, rebuilt, split
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster.replies.automatic import is_automatic
from flywheel_dagster.replies.html_text import html_text
from flywheel_dagster.replies.quoted_thread import cut_quoted_thread

SOURCE = "sendgrid_inbound"

_MOST_MENTIONS = 50
_LONGEST_ADDRESSES = 20_000
_FIELDS = frozenset(("headers", "text", "html", "email", "from", "envelope", "subject"))
_MAIL_HEADERS = frozenset(("from", "date", "message-id", "subject", "received", "return-path"))
_ATTACHMENT = re.compile(r"attachment\d+")
_FIRST_LINE = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
# The address to answer to: reply+<outcome_id>@…
_ADDRESSED = re.compile(r"\breply\+([0-9a-f-]{32,36})@", re.IGNORECASE)


def read(received: Received, connection: Connection) -> list[OutcomeEvent]:
    """One event, `replied` or `auto_replied`. Raises UnreadableError for what is neither the form nor a mail.

    `raw` is the body without the content of attachments. What the reply answers (In-Reply-To, then References, newest first) is mentioned,
    not referred to: no later event is about the reply itself.
    """
    posted = _posted(received)
    sender = reading.email(posted.envelope.get("from")) or reading.email(posted.sender) or reading.email(posted.headers.get("from"))
    recipients = _recipients(posted)
    outcome = _outcome(recipients)
    facts = reading.given(text=cut_quoted_thread(posted.text) or None)
    return [
        OutcomeEvent(
            event_type=EventType.AUTO_REPLIED if _is_automatic(posted) else EventType.REPLIED,
            occurred_at=reading.possible_time(mail.written_at(posted.headers), received.at),
            source=SOURCE,
            organization_id=connection.organization_id,
            outcome_id=outcome,
            facts=facts,
            raw=posted.raw,
            mentions=_mentions(posted.headers, sender),
            lead_email=sender,
            identity=_identity(posted, outcome, sender, recipients),
        )
    ]


class _Posted(NamedTuple):
    """What came, in either way."""

    headers: Mapping[str, str]
    envelope: Mapping[str, Any]
    sender: str
    recipients: str
    subject: str
    text: str
    raw: bytes


def _posted(received: Received) -> _Posted:
    body = received.body
    form = _form(body, received.content_type)
    if form is not None:
        return _from_form(body, form)
    headers = divide(body, 0, len(body)).headers
    if not _MAIL_HEADERS & headers.keys():
        raise UnreadableError("the body is neither a form of Inbound Parse nor a mail")
    raw = mail.without_attachments(body)
    return _Posted(headers, {}, "", "", headers.get("subject", ""), mail.text_of(raw), raw)


def _form(body: bytes, content_type: str) -> Multipart | None:
    """The form by the boundary of its header, else by its own first line."""
    announced = (parameter(content_type, "boundary") or "").encode("utf-8", "replace")
    found = split(body, announced)
    if found is None and (first := _FIRST_LINE.match(body)):
        found = split(body, first[1])
    return found


def _from_form(body: bytes, form: Multipart) -> _Posted:
    fields: dict[str, bytes] = {}
    charset_of: dict[str, str | None] = {}
    contents: list[bytes] = []
    for part in form.parts:
        disposition = part.headers.get("content-disposition", "")
        name = (parameter(disposition, "name") or "").lower()
        content = body[part.start : part.end]
        if parameter(disposition, "filename") is not None or _ATTACHMENT.fullmatch(name):
            content = b""
        elif name == "email":
            content = mail.without_attachments(content)
        fields.setdefault(name, content)
        charset_of.setdefault(name, parameter(part.headers.get("content-type", ""), "charset"))
        contents.append(content)
    if not _FIELDS & fields.keys():
        raise UnreadableError("the form has none of the fields of Inbound Parse")
    charsets = _object(fields.get("charsets"))

    def field(name: str) -> str:
        named = charsets.get(name)
        return mail.decoded(fields.get(name, b""), named if isinstance(named, str) else charset_of.get(name))

    message = fields.get("email", b"")
    text = field("text")
    if not text.strip():
        text = html_text(field("html"))
    return _Posted(
        headers=read_headers(fields["headers"]) if fields.get("headers") else divide(message, 0, len(message)).headers,
        envelope=_object(fields.get("envelope")),
        sender=field("from"),
        recipients=field("to"),
        subject=field("subject"),
        text=text if text.strip() else mail.text_of(message),
        raw=rebuilt(body, form.parts, contents)[form.begin :],
    )


def _object(content: bytes | None) -> Mapping[str, Any]:
    try:
        return reading.mapping(reading.read_json(content or b""))
    except UnreadableError:
        return {}


def _recipients(posted: _Posted) -> list[str]:
    """Whom it was sent to: as the mail servers said, then as the writer did."""
    envelope = posted.envelope.get("to")
    addressed = [each for each in (envelope if isinstance(envelope, list) else [envelope]) if isinstance(each, str)]
    written = [posted.recipients, *(posted.headers.get(name, "") for name in ("to", "cc", "delivered-to", "x-original-to"))]
    return [" ".join(addressed)[:_LONGEST_ADDRESSES], *(each[:_LONGEST_ADDRESSES] for each in written)]


def _outcome(recipients: list[str]) -> UUID | None:
    named = (reading.outcome_id(found[1]) for each in recipients for found in _ADDRESSED.finditer(each))
    return next((each for each in named if each is not None), None)


def _mentions(headers: Mapping[str, str], sender: str | None) -> tuple[str, ...]:
    answered = [*mail.message_ids(headers.get("in-reply-to", "")), *reversed(mail.message_ids(headers.get("references", "")))]
    ids: list[str] = []
    for each in answered[:_MOST_MENTIONS]:
        ids.append(each)
        local, _, host = each.partition("@")
        if "ismtpd" in host:  # an id that SendGrid gave; without the host it is the id in the answer to the sending
            ids.append(local)
    copies = (None,) if sender is None else (sender, None)
    return tuple(dict.fromkeys(message_reference(each, copy) for each in ids for copy in copies))


def _is_automatic(posted: _Posted) -> bool:
    return is_automatic({"subject": posted.subject, **posted.headers}) or posted.envelope.get("from") in ("", "<>")


def _identity(posted: _Posted, outcome: UUID | None, sender: str | None, recipients: list[str]) -> str:
    """The Message-ID, and the outcome that is addressed, because a mail to two of them comes twice; without an id, what the mail says."""
    if found := mail.message_ids(posted.headers.get("message-id", "")):
        return f"{outcome or ''}|{found[0]}"
    said = "\0".join((sender or "", *recipients, posted.subject, posted.text))
    return f"{outcome or ''}|{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()}"
