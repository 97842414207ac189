"""From an inbound mail, through the running service, to the outcome's label and weight; and the agent's own call."""

import asyncio

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.analyzer import SentimentAnalyzer
from flywheel_dagster.replies.processing import process_reply
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.ingester.serving import serving
from flywheel_dagster_tests.outcomes.making import row_of
from flywheel_dagster_tests.replies.making import means_at, read_all, write_replies
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
BOUNDARY = "xYzZY"


def inbound(outcome: object, text: bytes, charset: str, *, headers: str = "") -> bytes:
    """A form of Inbound Parse whose fields have charsets of their own, as SendGrid posts it."""
    head = f"From: ada@lead.example\r\nMessage-ID: <m-{outcome}@lead.example>\r\nDate: Tue, 13 Jan 2026 10:00:00 +0000\r\n{headers}".encode()
    fields = {
        b"headers": head,
        b"to": f"reply+{outcome}@in.example.com".encode(),
        b"from": "Ádá <ada@lead.example>".encode("latin-1"),
        b"subject": "Re: größer".encode("latin-1"),
        b"text": text,
        b"charsets": b'{"to":"UTF-8","from":"iso-8859-1","subject":"iso-8859-1","text":"' + charset.encode() + b'"}',
    }
    parts = [
        b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


@pytest.mark.parametrize("reader", ["rules", "model"])
def test_a_mail_becomes_label_and_weight_through_the_running_service(
    database: Database, connection: Connection, model_server: Served, reader: str
) -> None:
    happy, gone, away = write_replies(connection, ["Noted."] * 3)
    mails = [
        (happy, "Très intéressant, merci ! Können wir nächste Woche telefonieren? Let's schedule a call.\r\n\r\nOn Mon, 12 Jan 2026 at 09:00, Us <us@example.com> wrote:\r\n> not interested?".encode("cp1252"), "windows-1252", ""),
        (gone, "Not interested, please remove me from your list. Schöne Grüße".encode("iso-8859-15"), "ISO-8859-15", ""),
        (away, "I am out of the office until Monday.".encode("utf-16"), "utf-16", "Auto-Submitted: auto-replied\r\n"),
    ]  # fmt: skip
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as service:
        for outcome, text, charset, headers in mails:
            answer = service.http.post(
                "/webhooks/sendgrid/inbound",
                content=inbound(outcome, text, charset, headers=headers),
                headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
            )
            assert (answer.status_code, answer.json()["events"]) == (200, 1)
    read_all(connection, *([means_at(model_server)] if reader == "model" else []))
    rows = {outcome: row_of(connection, outcome) for outcome in (happy, gone, away)}
    assert (rows[happy]["training_label"], rows[happy]["training_weight"], rows[happy]["interest_level"]) == (
        "positive_example",
        3,
        "high",
    )
    assert "not interested" not in rows[happy]["reply_text"]
    assert "Très intéressant" in rows[happy]["reply_text"]
    assert (rows[gone]["training_label"], rows[gone]["objection_type"], rows[gone]["training_weight"]) == (
        "negative_example",
        "not_interested",
        2,
    )
    assert rows[away]["reply_text"] == "Noted."  # an automatic answer is no reply


def process(database: Database, outcome: object, text: str) -> ReplyAnalysis:
    async def live() -> ReplyAnalysis:
        async with OutcomeTracker(database.addresses.service) as tracker, SentimentAnalyzer(offline=True) as analyzer:
            return await process_reply(tracker, analyzer, str(outcome), text, event_id="m-1")

    return asyncio.run(live())


def test_an_agent_processes_a_reply_as_it_arrives(database: Database, connection: Connection) -> None:
    outcome = write_replies(connection, ["Noted."])[0]
    analysis = process(database, outcome, "Yes, let's schedule a call!")
    row = row_of(connection, outcome)
    assert (row["sentiment_label"], row["reply_sentiment_score"]) == (analysis["sentiment_label"], analysis["sentiment_score"])
    assert (row["sentiment_label"], row["training_label"], row["training_weight"]) == ("positive", "positive_example", 3)
    assert row["classification_method"] == "rules"


def test_of_an_empty_reply_nothing_is_recorded(database: Database, connection: Connection) -> None:
    outcome = write_replies(connection, ["Noted."])[0]
    with pytest.raises(InputError, match="empty"):
        process(database, outcome, " \u200b ")
    assert row_of(connection, outcome)["event_count"] == 1
