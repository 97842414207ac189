"""Mails and forms as they really come: charsets, encodings, line ends, nests, and what is hostile or broken."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.sources.mail import decoded, message_ids, text_of, without_attachments, written_at
from flywheel_dagster.ingester.sources.mime_parts import parameter, read_headers, rebuilt, split


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_the_parts_of_a_form_are_found_with_either_line_end(end: bytes) -> None:
    body = end.join(
        [b"--b", b'Content-Disposition: form-data; name="a"', b"", b"1", b"2", b"--b \t", b"", b"--bb", b"--b--", b"--b", b"x"]
    )
    found = split(body, b"b")
    assert found is not None
    assert [body[part.start : part.end] for part in found.parts] == [b"1" + end + b"2", b"--bb"]
    assert [dict(part.headers) for part in found.parts] == [{"content-disposition": 'form-data; name="a"'}, {}]
    assert rebuilt(body, found.parts, [b"", b"?"]) == end.join(
        [b"--b", b'Content-Disposition: form-data; name="a"', b"", b"", b"--b \t", b"", b"?", b"--b--", b"--b", b"x"]
    )


def test_a_form_without_its_end_is_read_to_where_it_stops() -> None:
    found = split(b"preamble\r\n--b\r\nA: 1\r\n\r\nhalf", b"b")
    assert found is not None
    assert (found.begin, [part[1:] for part in found.parts]) == (10, [(23, 27)])
    assert split(b"--b--\r\n", b"b") is None
    assert split(b"nothing", b"b") is None
    assert split(b"--\r\n", b"") is None


@given(st.lists(st.sampled_from([b"--b", b"--b--", b"\r\n", b"\n", b"a", b":", b" ", b"\r"])).map(b"".join))
def test_the_parts_lie_in_the_body_one_after_the_other(body: bytes) -> None:
    found = split(body, b"b")
    at = found.begin if found else 0
    for part in found.parts if found else ():
        assert at <= part.start <= part.end <= len(body)
        at = part.end
    if found:
        assert rebuilt(body, found.parts, [body[part.start : part.end] for part in found.parts]) == body


def test_headers_are_unfolded_and_the_first_of_a_name_counts() -> None:
    assert read_headers(b"\xef\xbb\xbfReferences: <a>\r\n\t<b>\nSubject: x: y\nsubject: z\nno header\n") == {
        "references": "<a> <b>",
        "subject": "x: y",
    }


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ('form-data; name="a b"; filename="x;y.txt"', "filename", "x;y.txt"),
        ("multipart/form-data; boundary=xYzZY", "boundary", "xYzZY"),
        ("attachment; filename*=utf-8''caf%C3%A9", "filename", "café"),
        ("attachment; filename*0=a; filename*1=b", "filename", "ab"),
        ("attachment", "filename", None),
        ("attachment; filename*" + "9" * 5000 + "=x", "filename", ""),
    ],
)
def test_a_parameter_is_read_in_every_spelling(header: str, name: str, value: str | None) -> None:
    assert parameter(header, name) == value


@given(st.text(st.sampled_from("a;=*'\"0%é\0 charset")), st.sampled_from(["charset", "a"]))
def test_any_header_has_a_parameter_or_none(header: str, name: str) -> None:
    parameter(header, name)


def test_ids_are_read_with_and_without_brackets() -> None:
    assert message_ids("<a@x> <b@y>") == ["a@x", "b@y"]
    assert message_ids("<a@x><odd>") == ["a@x", "odd"]
    assert message_ids("a@x") == ["a@x"]
    assert message_ids("your message of Tuesday") == []
    assert message_ids(f"<{'a' * 600}@x>") == []


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Wed, 10 Aug 2016 18:10:13 -0700", datetime(2016, 8, 11, 1, 10, 13, tzinfo=UTC)),
        ("Wed, 10 Aug 2016 18:10:13 -0000", datetime(2016, 8, 10, 18, 10, 13, tzinfo=UTC)),
        ("10 Aug 16 18:10 GMT", datetime(2016, 8, 10, 18, 10, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
    ],
)
def test_the_date_is_that_of_the_header(date: str, at: datetime | None) -> None:
    assert written_at({"date": date}) == at


@given(st.text(st.sampled_from("0123456789 :,+-JanMoPMZ")))
def test_any_date_is_a_time_or_none(date: str) -> None:
    written_at({"date": date})


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("schön".encode("cp850"), "cp850", "schön"),
        ("schön".encode("iso-8859-1"), "ISO-8859-1", "schön"),
        ("“schön”".encode("cp1252"), "windows-1252", "“schön”"),
        ("schön".encode(), "utf-8", "schön"),
        ("schön".encode(), None, "schön"),
        ("schön".encode("cp1252"), None, "schön"),
        ("schön".encode(), "x-unknown", "schön"),
        ("schön".encode(), "a\0b", "schön"),
        ("schön".encode(), "zlib", "schön"),
        ("schön".encode(), "punycode", "schön"),
        ("こんにちは".encode("iso-2022-jp"), "iso-2022-jp", "こんにちは"),
    ],
)
def test_characters_are_read_in_the_charset_that_the_sender_names(content: bytes, charset: str | None, text: str) -> None:
    assert decoded(content, charset) == text


@given(
    st.binary(),
    st.text(max_size=20) | st.sampled_from(["utf-16", "utf-7", "idna", "hex", "rot13", "unicode_escape", "mbcs", "undefined"]),
)
def test_any_bytes_in_any_charset_are_some_text(content: bytes, charset: str) -> None:
    decoded(content, charset)


MAIL = b"""\
From: a@x\r
Content-Type: multipart/mixed; boundary="outer"\r
\r
--outer\r
Content-Type: multipart/alternative; boundary=inner\r
\r
--inner\r
Content-Type: text/plain; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
Sch=F6n, ja=\r
!\r
--inner\r
Content-Type: text/html\r
\r
<p>not this</p>\r
--inner--\r
--outer\r
Content-Type: text/plain; name=list.txt\r
Content-Disposition: attachment; filename=list.txt\r
\r
secret list\r
--outer\r
Content-Type: application/pdf\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0=\r
--outer--\r
"""


def test_the_plain_text_is_read_and_attachments_are_not() -> None:
    assert text_of(MAIL) == "Schön, ja!"


def test_the_mail_is_kept_without_what_was_attached() -> None:
    lean = without_attachments(MAIL)
    assert lean == MAIL.replace(b"secret list", b"").replace(b"JVBERi0=", b"")
    assert without_attachments(lean) == lean
    assert text_of(lean) == text_of(MAIL)


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "abcd", "schön"])
def test_base64_is_read_whatever_stands_between(text: str) -> None:
    encoded = base64.b64encode(text.encode()).decode()
    for spelling in (encoded, "\r\n".join(encoded), encoded.rstrip("="), f"!{encoded}*"):
        mail = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: BASE64\n\n{spelling}"
        assert text_of(mail.encode()) == text


def test_a_mail_in_html_alone_is_read_as_text() -> None:
    assert text_of(b"Content-Type: text/html\n\n<div>Hi<br>there</div>") == "Hi\nthere"


PIECES = st.sampled_from(
    [
        *(
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"Content-Type: text/html\r\n",
            b"Content-Type: message/rfc822\n",
            b"\r\n",
        ),
        *(
            b"\n--b\r\n",
            b"--b--",
            b"\n",
            b"\r",
            b"Content-Transfer-Encoding: base64\n",
            b"Content-Transfer-Encoding: quoted-printable\n",
        ),
        *(b"\xff=", b"=C3=", b"YWI", b"<p>", b"&#x1F600;", b"Content-Type: text/plain; charset=utf-16\n", b"From: a\n", b"<!--"),
    ]
)


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_any_mail_is_some_text_and_leaner_without_attachments(mail: bytes) -> None:
    text_of(mail)
    lean = without_attachments(mail)
    assert len(lean) <= len(mail)
    assert without_attachments(lean) == lean


def test_hostile_mail_takes_no_longer_than_other_mail() -> None:
    nest = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(5_000))
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 500_000
    false = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"\n--bb" * 400_000
    folds = b"Subject: " + b"\n " * 500_000
    for mail in (nest, parts, false, folds, b"From: <" * 300_000):
        begun = time.process_time()
        text_of(without_attachments(mail))
        assert time.process_time() - begun < 2.0, mail[:50]
