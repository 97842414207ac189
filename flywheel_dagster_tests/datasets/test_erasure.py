"""Erasing a lead: nothing of theirs is left anywhere, statistics stay, nobody else notices, and nothing of theirs comes back."""

import asyncio
import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from flywheel_dagster.database import connect
from flywheel_dagster.datasets.erasure import Erasure, erase, look
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.ledger import Recorded, rebuild, record, send
from flywheel_dagster.outcomes.linking import relink
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.erasing import STAMPS, TEXTS, Connection, Person, live, new_marker, places, rows
from flywheel_dagster_tests.ingester.serving import serving
from flywheel_dagster_tests.ingester.test_any_order import EVENTS, MESSAGES, SENT
from flywheel_dagster_tests.outcomes.making import event, facts_of, message, row_of


def forget(connection: Connection, person: Person, folder: Path) -> Erasure:
    done, _ = erase(connection, person.organization_id, person.lead_id, folder)
    return done


def statistics(connection: Connection, organization: str) -> list[dict[str, Any]]:
    """All that is counted and summed of outcomes: every column but texts, identity and stamps."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("select * from outcome_labels where organization_id = %s order by id", (organization,)).fetchall()
    return [{name: value for name, value in row.items() if name not in TEXTS | STAMPS} for row in found]


def everything_of(connection: Connection, person: Person) -> list[str]:
    """All rows that hold a person's marker, as text."""
    found = []
    for table in ("leads", "outcome_labels", "webhook_events", "outcome_references", "reference_aliases", "scored_training_rows"):
        found += rows(connection, table, "strpos(t::text, %s) > 0", (person.marker,))
    return found


def test_nothing_of_the_lead_is_left_statistics_stay_and_nobody_else_changes(
    connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada, ben, cleo = Person(new_marker()), Person(new_marker()), Person(new_marker(), organization_id="rival")
    for person in (ada, ben, cleo):
        live(connection, person)
    owner.execute("analyze")
    owner.commit()
    assert places(owner, tmp_path, ada.marker) != []
    before, others = statistics(connection, "acme"), [everything_of(connection, person) for person in (ben, cleo)]
    connection.commit()

    done = forget(connection, ada, tmp_path)

    assert (done.outcomes, done.events, done.others, len(done.weeks)) == (2, len(ada.events), 0, 2)
    assert places(owner, tmp_path, ada.marker) == []
    assert statistics(connection, "acme") == before
    assert [everything_of(connection, person) for person in (ben, cleo)] == others
    assert connection.execute("select count(distinct lead_id) from outcome_labels").fetchone() == (3,)
    assert connection.execute("select count(*) from training_ready_outcomes").fetchone() == (4,)


def test_what_is_rebuilt_and_linked_anew_afterwards_is_the_same(connection: Connection, tmp_path: Path) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    first, second = live(connection, ada)
    live(connection, ben)
    forget(connection, ada, tmp_path)
    after = [facts_of(connection, sent.id) for sent in (first, second)]
    ledger = rows(connection, "webhook_events", "true", ())
    assert sum(changed for _, changed in rebuild(connection)) == 0
    relink(connection)
    assert [facts_of(connection, sent.id) for sent in (first, second)] == after
    assert rows(connection, "webhook_events", "true", ()) == ledger
    assert (after[0]["replied"], after[0]["reply_text"], after[0]["classification_method"]) == (True, None, "human")
    assert (after[1]["deal_closed"], str(after[1]["deal_value"])) == (True, "12000.50")


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


def test_erasing_again_changes_nothing_and_lists_the_same(connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    first = forget(connection, ada, tmp_path)
    was = [rows(connection, table, "true", ()) for table in ("webhook_events", "outcome_labels", "leads", "erased_leads")]
    again = forget(connection, ada, tmp_path)
    assert (again.outcomes, again.events, again.training_rows) == (0, 0, 0)
    assert (again.outcome_ids, again.weeks, again.datasets) == (first.outcome_ids, first.weeks, first.datasets)
    assert [rows(connection, table, "true", ()) for table in ("webhook_events", "outcome_labels", "leads", "erased_leads")] == was


def test_looking_first_changes_nothing(connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    was = [rows(connection, table, "true", ()) for table in ("webhook_events", "outcome_labels", "leads", "erased_leads")]
    planned = look(connection, "acme", ada.lead_id)
    assert [rows(connection, table, "true", ()) for table in ("webhook_events", "outcome_labels", "leads", "erased_leads")] == was
    connection.commit()
    assert planned == forget(connection, ada, tmp_path)


@pytest.mark.parametrize(("organization", "lead"), [("acme", "nobody"), ("rival", "ada"), ("acme", "ADA")])
def test_a_lead_of_whom_nothing_is_known_is_an_error_that_says_so(
    connection: Connection, tmp_path: Path, organization: str, lead: str
) -> None:
    send(connection, [message(lead_id="ada"), message(organization_id="rival", lead_id="bob")])
    connection.commit()
    with pytest.raises(InputError, match="case-sensitive"):
        erase(connection, organization, lead, tmp_path)
    assert rows(connection, "erased_leads", "true", ()) == []


def test_a_lead_that_only_events_know_is_erased_too(connection: Connection, owner: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    m = ada.marker
    ada.says("deal_opened", None, 1, facts={"deal_id": m}, lead_id=ada.lead_id, references=(f"deal:{m}",))
    ada.says("deal_closed", None, 2, facts={"deal_id": m, "value": "5"}, references=(f"deal:{m}",), lead_email=None)
    ada.says("replied", uuid4(), 2, facts={"text": m})
    ada.says("noted", None, 3, facts={"kind": m}, lead_id="crm-55")
    ada.says("noted", None, 4, facts={"kind": m}, lead_id="crm-55", lead_email=None)
    record(connection, ada.events)
    connection.commit()
    done = forget(connection, ada, tmp_path)
    assert (done.outcomes, done.events) == (0, len(ada.events))
    assert places(owner, tmp_path, m) == []
    assert record(connection, ada.events).repeated == len(ada.events)
    later = [replace_time(sent) for sent in ada.events]
    assert record(connection, later) == Recorded(0, 0, 0, len(later))


def replace_time(sent: OutcomeEvent) -> OutcomeEvent:
    return msgspec.structs.replace(sent, source_event_id="later")


def test_leads_that_were_merged_are_one_person(connection: Connection, owner: Connection, tmp_path: Path) -> None:
    ada, old, ben = Person(new_marker()), Person(new_marker()), Person(new_marker())
    for person in (ada, old, ben):
        live(connection, person)
    record(
        connection,
        [ada.says("merged", None, 5, facts={"merged": [f"lead:{old.lead_id}"], "into": f"lead:{ada.lead_id}"}, lead_email=None)],
    )
    connection.commit()
    done = forget(connection, ada, tmp_path)
    assert (done.merged, done.outcomes) == (1, 4)
    assert places(owner, tmp_path, ada.marker) == places(owner, tmp_path, old.marker) == []
    assert len(forget(connection, ada, tmp_path).outcome_ids) == len(forget(connection, old, tmp_path).outcome_ids) == 4
    assert places(owner, tmp_path, ben.marker) != []


def test_an_event_of_another_leads_message_that_names_the_lead_is_emptied(
    connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    live(connection, ada)
    sent, _ = live(connection, ben)
    ada.says("replied", sent.id, 30, facts={"text": f"{ada.marker} answers for a colleague"})
    record(connection, ada.events)
    connection.commit()
    assert facts_of(connection, sent.id)["reply_text"] == f"{ada.marker} answers for a colleague"
    assert forget(connection, ada, tmp_path).others == 1
    assert places(owner, tmp_path, ada.marker) == []
    row = facts_of(connection, sent.id)
    assert (row["replied"], row["reply_text"], row["subject_line"]) == (True, None, f"{ben.marker} subject")
    assert sum(changed for _, changed in rebuild(connection)) == 0
    assert record(connection, ada.events).recorded == 0


def test_what_two_leads_share_stays_with_the_other(connection: Connection, tmp_path: Path) -> None:
    ada, ben = Person(new_marker()), Person(new_marker())
    live(connection, ada)
    mine, yours = ada.messages[0], live(connection, ben)[0]
    shared = "message:to-many@mail"
    record(connection, [ada.says("noted", mine.id, 0, references=(shared,)), ben.says("noted", yours.id, 0, references=(shared,))])
    asked = ben.says("opened", None, 2, lead_email=None, mentions=(shared,))
    assert record(connection, [asked]).unmatched == 1
    connection.execute("update leads set email = 'info@example.org'")
    connection.commit()
    done = forget(connection, ada, tmp_path)
    assert done.shared_email
    relink(connection)
    found = connection.execute("select unmatched_reason from webhook_events where event_key = %s", (asked.event_key,)).fetchone()
    assert found == ("several outcomes could be meant",)
    assert record(connection, [ben.says("replied", None, 13, lead_email="info@example.org")]).recorded == 1
    assert record(connection, [ben.says("opened", yours.id, 13, references=(shared,))]).recorded == 1


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


def test_members_and_the_service_see_neither_the_secret_nor_the_hashes(connection: Connection, tmp_path: Path) -> None:
    ada = Person(new_marker())
    live(connection, ada)
    forget(connection, ada, tmp_path)
    for table in ("erasure_key", "erased_names", "erased_events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select * from {table}")  # type: ignore[arg-type]
        connection.rollback()
    for writing in ("delete from erased_leads", "insert into erased_names select gen_random_uuid(), 'acme'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(writing)  # type: ignore[arg-type]
        connection.rollback()
    connection.execute("set local role flywheel_member")
    connection.execute("select set_config('flywheel.organization_id', 'acme', true)")
    for statement in ("select * from erased_leads", "select erase_lead('acme', 'ada')", "select begin_erasure('acme', 'ada')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement)  # type: ignore[arg-type]


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


KINDS = ["delivered", "bounced", "opened", "clicked", "replied", "auto_replied", "reply_classified", "unsubscribed", "meeting_booked",
         "meeting_cancelled", "meeting_completed", "meeting_no_show", "deal_opened", "deal_updated", "deal_closed", "deal_lost", "noted", "snapshot"]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events in any number and order, many of them at the same moment, naming outcome, lead, address or thing."""
    scores = st.sampled_from([-1, -0.3, 0, 0.5, 1])
    found = []
    for _ in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from(KINDS))
        facts: dict[str, Any] = {}
        thing = draw(st.sampled_from(["", "1", "2"]))
        if kind.startswith("deal"):
            facts = {
                "deal_id": thing,
                "value": draw(st.sampled_from(["1", "20.5", "60000"])),
                "currency": draw(st.sampled_from(["EUR", "USD"])),
            }
        elif kind.startswith("meeting"):
            facts = {"meeting_id": thing, "meeting_at": "2026-01-09T10:00:00+00:00"}
        elif kind == "reply_classified":
            facts = {"score": draw(scores), "label": draw(st.sampled_from(["positive", "negative"])), "interest_signal": draw(st.booleans()),
                     "method": draw(st.sampled_from(["human", "llm", "rules"])), "version": draw(st.sampled_from(["1", "2.1", "10"]))}  # fmt: skip
        elif kind == "snapshot":
            facts = {"opened": True, "open_count": draw(st.integers(1, 5)), "replied": draw(st.booleans()), "deal_value": "7"}
        if draw(st.booleans()):
            facts["text" if kind == "replied" else "reason"] = "MARKER words"
        how = draw(st.sampled_from(["outcome", "lead", "email", "thing", "outcome and thing"]))
        found.append({"kind": kind, "day": draw(st.sampled_from([1, 1, 2, 12])), "which": draw(st.integers(0, 1)), "facts": facts,
                      "how": how, "thing": draw(st.sampled_from(["deal:1", "deal:2"])), "whose": draw(st.integers(0, 1))})  # fmt: skip
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_whatever_happened_statistics_stay_and_no_value_does(
    connection: Connection, owner: Connection, tmp_path: Path, history: list[dict[str, Any]]
) -> None:
    organization = f"org-{uuid4().hex[:8]}"
    people = [Person(new_marker(), organization), Person(new_marker(), organization)]
    for person in people:
        send(connection, [person.sends(), person.sends(9)])
    for told in history:
        person = people[told["whose"]]
        m = person.marker
        facts = {key: value.replace("MARKER", m) if isinstance(value, str) else value for key, value in told["facts"].items()}
        named = told["how"].startswith("outcome")
        person.says(
            told["kind"], person.messages[told["which"]].id if named else None, told["day"], facts=facts,
            lead_id=person.lead_id if told["how"] == "lead" else None, lead_email=person.email if told["how"] == "email" else None,
            references=(f"{told['thing']}-{m}",) if "thing" in told["how"] else (),
        )  # fmt: skip
    record(connection, [each for person in people for each in person.events])
    connection.commit()
    ada, ben = people
    before, other = statistics(connection, organization), everything_of(connection, ben)
    connection.commit()
    forget(connection, ada, tmp_path)
    assert places(owner, tmp_path, ada.marker) == []
    assert statistics(connection, organization) == before
    assert everything_of(connection, ben) == other
    assert sum(changed for _, changed in rebuild(connection, organization_id=organization)) == 0
    relink(connection, organization_id=organization)
    assert statistics(connection, organization) == before
    assert record(connection, [*ada.events, *ben.events]).recorded == 0
    owner.rollback()
    connection.commit()


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


@pytest.mark.parametrize("number", range(len(SENT)))
def test_a_lead_of_whom_every_vendor_told_is_erased_and_told_again(
    connection: Connection, owner: Connection, tmp_path: Path, number: int
) -> None:
    send(connection, MESSAGES)
    record(connection, EVENTS)
    connection.commit()
    lead = SENT[number]
    before = statistics(connection, "acme")
    others = [(row_of(connection, sent.outcome), ledger_of(connection, sent.outcome)) for sent in SENT if sent is not lead]
    connection.commit()
    done, _ = erase(connection, "acme", lead.email, tmp_path)
    assert (done.outcomes, done.others, done.merged) == (1, 0, 0)
    assert places(owner, tmp_path, lead.email) == []
    assert done.events == len(ledger_of(connection, lead.outcome))

    def nothing_else_changed() -> None:
        assert statistics(connection, "acme") == before
        assert [
            (row_of(connection, sent.outcome), ledger_of(connection, sent.outcome)) for sent in SENT if sent is not lead
        ] == others

    nothing_else_changed()
    assert record(connection, EVENTS).recorded == 0
    assert sum(changed for _, changed in rebuild(connection)) == 0
    relink(connection)
    nothing_else_changed()


def ledger_of(connection: Connection, outcome: UUID) -> list[str]:
    return rows(connection, "webhook_events", "outcome_id = %s", (outcome,))
