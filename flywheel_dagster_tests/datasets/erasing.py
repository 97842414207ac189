"""Makes leads whose every value is told apart from all else, and looks for those values everywhere."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.erasure import Erasure, erase
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster_tests.outcomes.making import MONDAY, message

Connection = psycopg.Connection[TupleRow]

TEXTS = {"lead_id", "subject_line", "message_body", "agent_decisions", "reply_text", "bounce_reason"}
STAMPS = {"updated_at", "changed_xid"}


@dataclass
class Person:
    """A lead with a marker in each value; `marker` is in all of them."""

    marker: str
    organization_id: str = "acme"
    messages: list[SentMessage] = field(default_factory=list)
    events: list[OutcomeEvent] = field(default_factory=list)

    @property
    def lead_id(self) -> str:
        return f"{self.marker}-lead-7"

    @property
    def email(self) -> str:
        return f"{self.marker}.mail@example.org"

    def sends(self, day: float = 0, **given: Any) -> SentMessage:
        """A message to this lead, full of what is known of them."""
        sent = message(
            organization_id=self.organization_id,
            lead_id=self.lead_id,
            sent_at=MONDAY + timedelta(days=day),
            subject_line=f"{self.marker} subject",
            message_body=f"Dear {self.marker} body, shall we talk about number {len(self.messages)}?",
            agent_decisions={"writer": {"note": f"{self.marker} decision", "framework": "AIDA"}},
            lead_industry="software",
            lead_email=self.email,
            **given,
        )
        self.messages.append(sent)
        return sent

    def says(self, kind: str, outcome: UUID | None, day: float = 1, **given: Any) -> OutcomeEvent:
        """An event with a payload that holds the person's values."""
        facts = given.pop("facts", {})
        told = {"email": self.email, "name": f"{self.marker} name", "kind": kind, "number": len(self.events), "facts": facts}
        usual: dict[str, Any] = {
            "source": "crm",
            "organization_id": self.organization_id,
            "raw": orjson.dumps(told, default=str),
            "lead_email": self.email,
            "source_event_id": f"{self.marker}-event-{len(self.events)}",
        }
        event = OutcomeEvent(
            event_type=EventType(kind),
            occurred_at=MONDAY + timedelta(days=day),
            outcome_id=outcome,
            facts=facts,
            **(usual | given),
        )
        self.events.append(event)
        return event


def live(connection: Connection, person: Person) -> list[SentMessage]:
    """Two messages and all that can become of them, by every way in which an event finds its outcome."""
    m = person.marker
    first, second = person.sends(), person.sends(9, campaign_id="autumn")
    send(connection, person.messages)
    connection.execute(
        "update leads set first_name = %s, last_name = %s, company = %s, phone = %s where organization_id = %s and lead_id = %s",
        (f"{m} first", f"{m} last", f"{m} company", f"{m} phone", person.organization_id, person.lead_id),
    )
    known_as = message_reference(f"{m}-message@mail", person.email)
    person.says("noted", first.id, 0, facts={"kind": f"{m} sent"}, references=(known_as,))
    person.says("bounced", first.id, 0.1, facts={"reason": f"550 {m} is unknown"}, alias=f"{m}-alias")
    person.says("opened", first.id, 1, facts={"machine": True})
    person.says("clicked", first.id, 1, facts={"url": f"https://example.org/?who={m}"})
    person.says("replied", None, 2, facts={"text": f"{m} reply: yes, gladly"}, mentions=(known_as,), lead_id=person.lead_id)
    judged = {"score": 0.9, "label": "positive", "interest_signal": True, "interest_level": "high", "objection_type": "none"}
    at = (MONDAY + timedelta(days=2)).isoformat()
    person.says(
        "reply_classified",
        first.id,
        3,
        facts={**judged, "method": "llm", "version": "2", "replied_at": at, "reasoning": f"{m} likes it"},
    )
    reviewed = {"label": "positive", "weight": 2.5, "objection_type": "none", "note": f"{m} note"}
    person.says(
        "reply_classified", first.id, 3, facts={**judged, "method": "human", "version": "1", "replied_at": at, "reviewed": reviewed}
    )
    person.says(
        "meeting_booked", None, 4, facts={"meeting_id": f"{m}-meeting"}, references=(f"meeting:{m}",), lead_id=person.lead_id
    )
    person.says("meeting_completed", None, 5, facts={"meeting_id": f"{m}-meeting"}, references=(f"meeting:{m}",), lead_email=None)
    person.says("deal_opened", second.id, 10, facts={"deal_id": f"{m}-deal"}, references=(f"deal:{m}",))
    person.says(
        "deal_closed", None, 12, facts={"deal_id": f"{m}-deal", "value": "12000.50", "currency": "EUR"}, references=(f"deal:{m}",),
        lead_email=None,
    )  # fmt: skip
    person.says("deal_opened", second.id, 12, facts={"deal_id": f"{m}-other"})
    person.says("noted", None, 300, facts={"kind": "contact.changed", "property": m}, lead_id=person.lead_id, lead_email=None)
    person.says("noted", None, 301, facts={"kind": "unreadable"}, lead_email=None)
    person.says(
        "merged", None, 302, facts={"merged": [f"deal:{m}-old"], "into": f"deal:{m}"}, lead_email=None, references=(f"deal:{m}",)
    )
    record(connection, person.events)
    connection.commit()
    return [first, second]


def dump(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every row of every table as text; what is stored as bytes also as the text that it is."""
    tables = connection.execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
    ).fetchall()
    for (table,) in tables:
        for (row,) in connection.execute(sql.SQL("select t::text from {} t").format(sql.Identifier(table))).fetchall():
            yield table, row
        columns = connection.execute(
            "select column_name from information_schema.columns where table_name = %s and data_type = 'bytea'", (table,)
        ).fetchall()
        for (column,) in columns:
            query = sql.SQL("select encode({}, 'escape') from {}").format(sql.Identifier(column), sql.Identifier(table))
            for (content,) in connection.execute(query).fetchall():
                yield table, content or ""
    for (values,) in connection.execute("select array_to_string(array[most_common_vals::text, histogram_bounds::text], ' ') from pg_stats"
                                        " where schemaname = 'public'").fetchall():  # fmt: skip
        yield "pg_stats", values or ""


def places(connection: Connection, directory: Path, marker: str) -> list[str]:
    """Where a marker still stands: in which tables and files, plain, in hex or in base64."""
    signs = {marker.lower(), marker.encode().hex(), base64.b64encode(marker.encode()).decode().rstrip("=")[:-1].lower()}
    found = {table for table, row in dump(connection) if any(sign in row.lower() for sign in signs)}
    for path in directory.rglob("*") if directory.is_dir() else ():
        if path.is_file() and any(sign.encode() in path.read_bytes().lower() for sign in signs):
            found.add(str(path))
    return sorted(found)


def rows(connection: Connection, table: str, where: str, given: Sequence[Any]) -> list[str]:
    """Rows as text, to compare byte for byte."""
    query = sql.SQL("select t::text from {} t where " + where + " order by 1").format(sql.Identifier(table))  # type: ignore[arg-type, operator]
    return [row[0] for row in connection.execute(query, given).fetchall()]


def new_marker() -> str:
    """A word that occurs nowhere else."""
    return f"zq{uuid4().hex[:10]}"


def forget(connection: Connection, person: Person, folder: Path) -> Erasure:
    """Erase the person's lead."""
    done, _ = erase(connection, person.organization_id, person.lead_id, folder)
    return done
