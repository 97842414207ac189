"""Replies through Inbound Parse: as a form, as a raw mail, in any charset, odd or broken; a mail that is one is never refused."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import Provider, UnreadableError
from flywheel_dagster.ingester.sources import sendgrid_inbound
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_sendgrid import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import ARRIVAL, check_events, connected, received

KEPT = Path(__file__).parents[2] / "samples"
CONNECTION = connected(Provider.SENDGRID_INBOUND)
SAMPLES = [name for name in EXPECTED if "inbound" in name]
OUTCOME = UUID("6f2c9a1e-5b7d-4c3e-9f10-2a3b4c5d6e7f")
FORM = "multipart/form-data; boundary=xYzZY"
HEADERS = """\
Received: by mx1 with SMTP
Message-ID: <reply-1@mail.example>
In-Reply-To: <mail-1@sales.example>
References: <mail-0@sales.example> <mail-1@sales.example>
From: Ada <ada@example.com>
Date: Fri, 20 Nov 2026 10:00:00 +0100
"""


def form(fields: dict[str, str | bytes], *, end: bytes = b"\r\n") -> bytes:
    lines = []
    for name, value in fields.items():
        filename = f'; filename="{name}.pdf"' if name.startswith("attachment1") else ""
        lines += [b"--xYzZY", f'Content-Disposition: form-data; name="{name}"{filename}'.encode(), b""]
        lines.append(value.encode() if isinstance(value, str) else value)
    return end.join([*lines, b"--xYzZY--", b""])


def read(body: bytes, **headers: str) -> OutcomeEvent:
    events = sendgrid_inbound.read(received(body, **headers), CONNECTION)
    check_events(events)
    (event,) = events
    again = sendgrid_inbound.read(received(event.raw or b""), CONNECTION)
    assert again == [event], "the raw bytes say the same alone"
    return event


def one(**fields: Any) -> OutcomeEvent:
    usual: dict[str, Any] = {
        "headers": HEADERS,
        "to": "sales@in.example",
        "from": "Ada <ada@example.com>",
        "subject": "Re: Hi",
        "text": "Yes!",
    }
    return read(form({name: value for name, value in (usual | fields).items() if value is not None}), content_type=FORM)


def check_sample(folder: Path, name: str) -> None:
    body, expected = (folder / name).read_bytes(), EXPECTED[name]
    content = "message/rfc822" if name.endswith(".eml") else FORM
    for each in (body, body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        try:
            events = sendgrid_inbound.read(received(each, content_type=content), CONNECTION)
        except UnreadableError:
            assert expected.status == 400
            continue
        check_events(events)
        assert (expected.status, expected.events) == (200, tuple(told(events, expected)))
        assert sendgrid_inbound.read(received(events[0].raw or b""), CONNECTION) == events


@pytest.mark.parametrize("name", [name for name in SAMPLES if (KEPT / name).exists()])
def test_a_kept_sample_is_the_reply_that_it_is(name: str) -> None:
    check_sample(KEPT, name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_the_reply_that_it_is(shared: Path, name: str) -> None:
    check_sample(shared / "samples", name)


def test_a_reply_says_what_was_written_when_by_whom_and_to_which_message() -> None:
    event = one(
        text="Yes, please.\n\nOn Thu, Sales wrote:\n> Hi Ada\n",
        envelope=json.dumps({"to": ["s@in.example"], "from": "ada@mail.example"}),
    )
    assert (event.event_type, event.facts) == ("replied", {"text": "Yes, please."})
    assert event.occurred_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert event.lead_email == "ada@mail.example"
    assert (event.references, event.mentions) == (
        (),
        tuple(
            message_reference(each, copy)
            for each in ("mail-1@sales.example", "mail-0@sales.example")
            for copy in ("ada@mail.example", None)
        ),
    )
    assert event.outcome_id is None


def test_an_id_that_sendgrid_gave_is_known_by_the_senders_id_too() -> None:
    event = one(headers="In-Reply-To: <qNwBLgPQ@geopod-ismtpd-5-0>\n")
    assert [each for each in event.mentions if "/" not in each] == ["message:qNwBLgPQ@geopod-ismtpd-5-0", "message:qNwBLgPQ"]


@pytest.mark.parametrize(
    "fields",
    [
        {"envelope": json.dumps({"to": ["other@in.example", f"reply+{OUTCOME}@in.example"], "from": "a@x"})},
        {"envelope": json.dumps({"to": f"Reply+{str(OUTCOME).upper()}@in.example"})},
        {"to": f'"Sales" <reply+{OUTCOME.hex}@in.example>', "envelope": json.dumps({"to": ["forwarded@in.example"]})},
        {"headers": f"To: reply+{OUTCOME}@in.example\n", "to": None},
    ],
)
def test_the_address_that_was_answered_names_the_outcome(fields: dict[str, Any]) -> None:
    assert one(**fields).outcome_id == OUTCOME


@pytest.mark.parametrize(
    "to", ["reply+your-outcome-uuid@in.example", f"unsubscribe+{OUTCOME}@in.example", f"reply+{OUTCOME}", "reply+@x"]
)
def test_another_address_names_none(to: str) -> None:
    assert one(to=to, envelope=json.dumps({"to": [to]})).outcome_id is None


def test_the_servers_word_on_the_recipient_comes_before_the_writers() -> None:
    other = UUID(int=7)
    assert one(to=f"reply+{other}@x", envelope=json.dumps({"to": [f"reply+{OUTCOME}@x"]})).outcome_id == OUTCOME


def test_each_field_is_read_in_its_own_charset() -> None:
    event = one(
        **{
            "text": "Schön, ja".encode("cp850"),
            "subject": "für".encode("windows-1252"),
            "from": "Ädä <ada@example.com>".encode("iso-8859-1"),
        },
        charsets=json.dumps({"text": "cp850", "subject": "windows-1252", "from": "iso-8859-1"}),
    )
    assert (event.facts, event.lead_email) == ({"text": "Schön, ja"}, "ada@example.com")


def test_a_mail_in_html_alone_is_read_without_its_quotation() -> None:
    markup = "<div>Yes&nbsp;please</div><div class=gmail_quote>On Thu, Sales wrote:<blockquote><p>Hi</p></blockquote></div>"
    assert one(text=None, html=markup).facts == {"text": "Yes please"}
    assert one(text=" \r\n", html=markup).facts == {"text": "Yes please"}


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": HEADERS + "Auto-Submitted: auto-replied\n"},
        {"headers": HEADERS + "X-Autoreply: yes\n"},
        {"headers": HEADERS + "Precedence: auto_reply\n"},
        {"envelope": json.dumps({"to": ["a@x"], "from": ""})},
    ],
)
def test_what_a_machine_wrote_is_no_reply(fields: dict[str, Any]) -> None:
    event = one(text="I am away until Monday.", **fields)
    assert (event.event_type, event.facts) == ("auto_replied", {"text": "I am away until Monday."})


def test_a_mail_is_known_by_its_id_and_without_one_by_what_it_says() -> None:
    assert one().event_key == one(text="retold", spam_score="1").event_key
    assert one(headers="Message-ID: <other@x>\n").event_key != one().event_key
    assert one(headers="").event_key == one(headers="", spam_score="1").event_key
    for changed in ({"text": "No!"}, {"subject": "Re: Ho"}, {"from": "bob@example.com"}, {"to": "x@in.example"}):
        assert one(headers="", **changed).event_key != one(headers="").event_key


def test_a_mail_to_two_outcomes_that_comes_twice_is_a_reply_to_each() -> None:
    keys = {one(envelope=json.dumps({"to": [f"reply+{UUID(int=number)}@x"]})).event_key for number in (1, 2)}
    assert len(keys) == 2


@pytest.mark.parametrize("date", ["Fri, 1 Jan 1999 00:00:00 +0000", "Sun, 22 Nov 2026 12:00:01 +0000", "soon", ""])
def test_an_impossible_date_is_the_arrival(date: str) -> None:
    assert one(headers=f"Date: {date}\n").occurred_at == ARRIVAL


def test_attachments_are_not_kept_and_all_else_is_byte_for_byte() -> None:
    fields: dict[str, Any] = {
        "headers": HEADERS,
        "text": "Yes!",
        "attachments": "2",
        "attachment1": b"%PDF" * 1000,
        "attachment2": b"x" * 1000,
    }
    body = form(fields)
    event = read(body, content_type=FORM)
    assert event.raw == body.replace(b"%PDF" * 1000, b"").replace(b"x" * 1000, b"")
    plain = form({"headers": HEADERS, "text": "Yes!"})
    assert read(plain, content_type=FORM).raw == plain


RAW = b"""\
Message-ID: <raw-1@x>\r
From: Ada <ada@example.com>\r
Content-Type: multipart/mixed; boundary=m\r
\r
--m\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: base64\r
\r
U2Now7Zu\r
--m\r
Content-Type: application/pdf\r
Content-Disposition: attachment; filename=a.pdf\r
\r
JVBERi0=\r
--m--\r
"""


def test_a_raw_mail_in_its_form_and_by_itself_is_read_like_any_other() -> None:
    for event in (
        read(form({"email": RAW, "envelope": '{"to":["s@x"]}'}), content_type=FORM),
        read(RAW, content_type="message/rfc822"),
    ):
        assert (event.event_type, event.facts, event.lead_email) == ("replied", {"text": "Schön"}, "ada@example.com")
        assert b"JVBERi0=" not in (event.raw or b"")
        assert event.identity == "|raw-1@x"


def test_the_boundary_is_found_where_the_content_type_is_missing_or_wrong() -> None:
    body = form({"text": "Yes!"})
    for headers in (
        {},
        {"content_type": "multipart/form-data"},
        {"content_type": "multipart/form-data; boundary=other"},
        {"content_type": "\0;="},
    ):
        assert read(body, **headers).facts == {"text": "Yes!"}
    assert read(b"preamble\r\n" + body, content_type=FORM).raw == body


def test_odd_mails_are_kept() -> None:
    assert read(form({"envelope": "not json"}), content_type=FORM).facts == {}
    assert read(form({"text": "Yes!"}, end=b"\n"), content_type=FORM).facts == {"text": "Yes!"}
    assert read(form({"text": "Yes!"})[:-11], content_type=FORM).facts == {"text": "Yes!"}
    assert read(form({"text": b"\xff\xfe\0\xd8"}), content_type=FORM).event_type == "replied"
    assert read(
        form({"text": "Yes!", "charsets": '{"text":["x"]}', "envelope": '{"to":{"a":[]},"from":7}'}), content_type=FORM
    ).facts == {"text": "Yes!"}
    assert read(form({"email": ""}), content_type=FORM).facts == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"this is bad invalid data\n", b"{}", b"--", b"--\r\n\r\n", b"--b\r\n", form({"a": "b"}), b"a: b\n\n", b"\xff" * 100],
)
def test_what_is_no_mail_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        sendgrid_inbound.read(received(body, content_type=FORM), CONNECTION)
    assert "\n" not in str(caught.value)


CONTENT = st.binary(max_size=60) | st.sampled_from(
    [RAW, HEADERS.encode(), b'{"to":["reply+x@y"],"from":[]}', b'{"text":"utf-16"}', b"<p>", b"> a"]
)
NAMES = st.sampled_from(["headers", "text", "html", "email", "from", "to", "subject", "envelope", "charsets", "attachment1", "é\0"])


@given(st.dictionaries(NAMES, CONTENT, max_size=8), st.sampled_from([b"\r\n", b"\n"]), st.text(max_size=20) | st.just(FORM))
def test_any_form_is_read_or_refused(fields: dict[str, bytes], end: bytes, content_type: str) -> None:
    with suppress(UnreadableError):
        read(form(dict(fields), end=end), content_type=content_type)


@given(st.binary() | st.binary().map(lambda content: b"--b\r\nContent-Disposition: form-data; name=text\r\n\r\n" + content))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableError):
        read(body)


def test_a_mail_of_thirty_megabytes_takes_no_longer_than_a_moment() -> None:
    lines = (b"A" * 76 + b"\r\n") * 400_000
    for body in (
        form({"text": "Yes!", "attachment1": lines}),
        form({"email": RAW.replace(b"JVBERi0=\r\n", lines)}),
        form({"text": lines}),
    ):
        begun = time.process_time()
        (event,) = sendgrid_inbound.read(received(body, content_type=FORM), CONNECTION)
        assert time.process_time() - begun < 3.0
        assert len(event.raw or b"") < 10_000 or event.raw == body


def test_a_subject_of_automatic_answers_is_enough() -> None:
    assert one(headers=HEADERS, subject="Automatic reply: Hi", text="I am away.").event_type == "auto_replied"
    assert one(headers=HEADERS, subject="Re: Automatic reply: Hi").event_type == "replied"
