"""Erasing a lead: nothing of theirs is left anywhere, statistics stay, nobody else notices, and nothing of theirs comes back."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from flywheel_dagster.datasets.erasure import erase, look
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import Recorded, rebuild, record, send
from flywheel_dagster.outcomes.linking import relink
from flywheel_dagster_tests.datasets.erasing import STAMPS, TEXTS, Connection, Person, forget, live, new_marker, places, rows
from flywheel_dagster_tests.ingester.test_any_order import EVENTS, MESSAGES, SENT
from flywheel_dagster_tests.outcomes.making import facts_of, message, row_of
from flywheel_dagster_tests.thoroughness import examples


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


@settings(max_examples=examples(40, quick=10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
