"""Nothing of an erased lead comes back: not by redeliveries, later events, new messages, imports, or whoever writes at the same moment."""

import asyncio
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from flywheel_dagster.database import connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.ledger import Recorded, rebuild, record, send
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.erasing import Connection, Person, forget, live, new_marker, places, rows
from flywheel_dagster_tests.ingester.serving import serving
from flywheel_dagster_tests.outcomes.making import event, message


def test_redeliveries_are_known_and_later_events_are_dropped(connection: Connection, tmp_path: Path, owner: Connection) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    first, _ = live(connection, ada)
    live(connection, ben)
    forget(connection, ada, tmp_path)
    was = rows(connection, "webhook_events", "true", ())
    assert record(connection, ada.events) == Recorded(0, len(ada.events), 0, 0)
    m, seen = ada.marker, len(ada.events)
    ada.says("replied", first.id, 20, facts={"text": m}, lead_email=None)
    ada.says("replied", None, 20, facts={"text": m})
    ada.says("replied", None, 20, facts={"text": m}, lead_email=ada.email.upper())
    ada.says("replied", None, 20, facts={"text": m}, lead_email=None, lead_id=ada.lead_id)
    ada.says("deal_closed", None, 20, facts={"deal_id": m}, lead_email=None, references=(f"deal:{m}",))
    ada.says("deal_closed", None, 20, facts={"deal_id": m}, lead_email="unknown@example.org", references=(f"deal:{m}",))
    ada.says("replied", None, 20, lead_email=None, organization_id=None, mentions=(f"deal:{m}",))
    ada.says("opened", first.id, 20, lead_email=None, organization_id=None)
    ada.says("merged", None, 20, facts={"merged": [f"lead:{ada.lead_id}"], "into": "lead:99"}, lead_email=None)
    new = ada.events[seen:]
    assert record(connection, new) == Recorded(0, 0, 0, len(new))
    ben.says("opened", ben.messages[0].id, 21)
    assert record(connection, [*new, ben.events[-1], ada.events[0]]) == Recorded(1, 1, 0, len(new))
    assert len(rows(connection, "webhook_events", "true", ())) == len(was) + 1
    connection.commit()
    assert places(owner, tmp_path, ada.marker) == []


def test_new_outcomes_of_an_erased_lead_are_refused_by_every_way_in(
    database: Database, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    live(connection, ada)
    live(connection, ben)
    forget(connection, ada, tmp_path)
    with pytest.raises(InputError, match="was erased"):
        send(connection, [ben.sends(3), ada.sends(3)])
    connection.rollback()
    with pytest.raises(InputError, match="was erased"):
        send(connection, ada.messages[:1])
    connection.rollback()
    for statement in (
        "insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body) values ('acme', 'c', %(lead)s, 'email', 'x')",
        "insert into outcome_labels (id, organization_id, campaign_id, lead_id, channel, message_body) values (%(id)s, 'acme', 'c', %(lead)s, 'email', 'x')",
        "insert into leads (organization_id, lead_id) values ('acme', %(lead)s)",
        "insert into leads (organization_id, lead_id, email) values ('acme', 'new', upper(%(email)s))",
        "update leads set email = %(email)s where lead_id = %(other)s",
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="was erased") as refused:
            connection.execute(statement, {"lead": ada.lead_id, "id": uuid4(), "email": ada.email, "other": ben.lead_id})
        assert ada.marker not in str(refused.value)
        connection.rollback()
    send(connection, [message(organization_id="rival", lead_id=ada.lead_id)])
    connection.execute("delete from outcome_labels where organization_id = 'rival'")
    connection.execute("delete from leads where organization_id = 'rival'")
    connection.commit()
    assert places(owner, tmp_path, ada.marker) == []


async def _track(url: str, person: Person) -> None:
    async with OutcomeTracker(url) as tracker:
        await tracker.track_message_sent("acme", "spring", person.lead_id, "email", "Hello")


def test_the_tracker_refuses_an_erased_lead_with_the_remedy(database: Database, connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    forget(connection, ada, tmp_path)
    with pytest.raises(InputError, match="send them nothing"):
        asyncio.run(_track(database.addresses.service, ada))


def test_events_that_arrive_while_the_lead_is_erased_do_not_survive(
    database: Database, connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    first, _ = live(connection, ada)
    other, _ = live(connection, ben)
    stop, problems = threading.Event(), []

    def write(number: int) -> None:
        try:
            with connect(database.addresses.service) as own:
                for turn in range(10**6):
                    told = f"{ada.marker} {number} {turn}"
                    mine = [
                        event(first.id, "replied", 20, source=f"{number}.{turn}", text=told),
                        event(other.id, "replied", 20, source=f"{number} {turn}", text="other"),
                    ]
                    ids = {"source": f"{number}:{turn}", "lead_id": ada.lead_id, "lead_email": ada.email, "organization_id": "acme"}
                    mine.append(msgspec.structs.replace(event(first.id, "noted", 20, about=told), outcome_id=None, **ids))
                    record(own, mine)
                    own.commit()
                    try:
                        send(own, [ada_message(ada, told)])
                    except InputError:
                        own.rollback()
                    own.commit()
                    if stop.is_set():
                        return
        except psycopg.Error as error:
            problems.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    while connection.execute("select count(*) from webhook_events").fetchone()[0] < 100:  # type: ignore[index]
        connection.commit()
    connection.commit()
    forget(connection, ada, tmp_path)
    stop.set()
    for writer in writers:
        writer.join()
    assert problems == []
    assert places(owner, tmp_path, ada.marker) == []
    assert sum(changed for _, changed in rebuild(connection)) == 0


def ada_message(person: Person, told: str) -> Any:
    return message(lead_id=person.lead_id, message_body=told, lead_email=person.email)


def test_an_import_refuses_rows_of_erased_leads_with_the_reason_and_takes_the_others(
    connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    fields = "id,organization_id,campaign_id,lead_id,channel,message_body,sent_at,replied,reply_text"
    wrote = [
        f"{uuid4()},acme,c,{person.lead_id},email,{person.marker} body,2026-01-05T10:00:0{number}Z,true,{person.marker} reply"
        for number in range(3)
        for person in (ada, ben)
    ]
    file = tmp_path / "past.csv"
    file.write_text("\n".join([fields, *wrote]))
    assert import_outcomes(connection, file).recorded == 6
    forget(connection, ada, tmp_path / "none")
    file.write_text(
        "\n".join([fields, *wrote, wrote[0].replace(wrote[0][:36], str(uuid4())), wrote[1].replace(wrote[1][:36], str(uuid4()))])
    )
    again = import_outcomes(connection, file)
    assert (again.rows, again.recorded, again.repeated, again.rejected) == (8, 1, 3, 4)
    assert again.rejects is not None
    assert again.rejects.read_text().count("was erased") == 4
    connection.commit()
    assert places(owner, tmp_path / "none", ada.marker) == []
    assert connection.execute("select count(*) from outcome_labels where reply_text like %s", (f"{ben.marker}%",)).fetchone() == (
        4,
    )


def test_the_ingester_answers_and_stores_nothing_of_an_erased_lead(
    connection: Connection, database: Database, owner: Connection, tmp_path: Path
) -> None:
    ada = Person(new_marker())
    sent, _ = live(connection, ada)
    told = {
        "event": "replied",
        "outcome_id": str(sent.id),
        "email": ada.email,
        "text": f"{ada.marker} again",
        "timestamp": 1767692000,
    }
    with serving(database, FLYWHEEL_INSECURE_WEBHOOKS="1") as served:
        before = served.http.post("/webhooks/crm/generic", json=told)
        forget(connection, ada, tmp_path)
        again = served.http.post("/webhooks/crm/generic", json=told)
        later = served.http.post("/webhooks/crm/generic", json=told | {"text": f"{ada.marker} later", "timestamp": 1767699000})
    assert [answer.status_code for answer in (before, again, later)] == [200] * 3
    assert places(owner, tmp_path, ada.marker) == []
