"""Pipedrive's notifications: both versions say the same of a deal, a meeting or a person."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.ingester.received import Connection, Provider, UnreadableError
from flywheel_dagster.ingester.sources import pipedrive
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster_tests.ingester.expected import told
from flywheel_dagster_tests.ingester.expected_pipedrive import EXPECTED
from flywheel_dagster_tests.ingester.sources.shapes import (
    ANYTHING,
    ARRIVAL,
    check_events,
    connected,
    objects_with,
    received,
    rows_of_permutations,
)
from flywheel_dagster_tests.outcomes.making import MONDAY, message
from flywheel_dagster_tests.thoroughness import examples

CONNECTION = connected(Provider.PIPEDRIVE)
KEPT = Path(__file__).parents[2] / "samples" / "pipedrive"
OUTCOME = "6f2c9a1e-5b7d-4c3e-9f10-2a3b4c5d6e7f"
KEY = "3d0fa3429dfa2d3dec265b4fc5dc8258ab66cdf3"
DEAL = {"id": 178, "status": "open", "value": 15000, "currency": "BRL", "person_id": 179, "title": "Acme"}
MEETING = {
    "id": 2, "type": "meeting", "done": False, "deal_id": 178, "person_id": 179, "active_flag": True,
    "due_date": "2026-01-08", "due_time": "13:00", "duration": "00:45",
}  # fmt: skip
ACTIONS = {"create": "added", "change": "updated", "delete": "deleted"}


def v2(action: str, entity: str, data: Any, previous: Any = None, day: float = 1, **meta: Any) -> dict[str, Any]:
    """A notification of version 2; `previous` has what changed."""
    own = str((data or previous or {}).get("id"))
    usual = {
        "action": action,
        "entity": entity,
        "entity_id": own,
        "company_id": "15747575",
        "id": f"{action}-{entity}-{own}-{day}",
        "timestamp": (MONDAY + timedelta(days=day)).isoformat().replace("+00:00", "Z"),
        "version": "2.0",
        "attempt": 1,
    }
    return {"data": data, "previous": previous, "meta": usual | meta}


def v1(action: str, entity: str, current: Any, changed: Any = None, day: float = 1, **meta: Any) -> dict[str, Any]:
    """The same in version 1, where the whole object stands in `previous`."""
    seconds = int((MONDAY + timedelta(days=day)).timestamp())
    whole = changed if current is None else None if changed is None else current | changed
    usual = {
        "v": 1,
        "action": ACTIONS.get(action, action),
        "object": entity,
        "id": (current or changed or {}).get("id"),
        "company_id": 15747575,
        "timestamp": seconds,
        "timestamp_micro": seconds * 1_000_000 + 250_000,
    }
    meta = usual | meta
    return {"v": 1, "meta": meta, "current": current, "previous": whole, "event": f"{meta['action']}.{entity}", "retry": 0}


BOTH = pytest.mark.parametrize("version", [v1, v2])


def read(body: Any, connection: Connection = CONNECTION, at: datetime = ARRIVAL) -> list[OutcomeEvent]:
    events = pipedrive.read(received(json.dumps(body).encode(), at=at), connection)
    check_events(events)
    return events


def one(body: Any, connection: Connection = CONNECTION, at: datetime = ARRIVAL) -> OutcomeEvent:
    (event,) = read(body, connection, at)
    return event


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_says_what_the_vendor_means_by_it(shared: Path, name: str) -> None:
    events = pipedrive.read(received((shared / "samples" / name).read_bytes()), CONNECTION)
    check_events(events)
    assert told(events, EXPECTED[name]) == EXPECTED[name].events


@pytest.mark.parametrize("name", sorted(path.name for path in KEPT.glob("*.json")))
def test_a_captured_notification_says_the_same_here(name: str) -> None:
    events = pipedrive.read(received((KEPT / name).read_bytes()), CONNECTION)
    assert told(events, EXPECTED[f"pipedrive/{name}"]) == EXPECTED[f"pipedrive/{name}"].events


@BOTH
@pytest.mark.parametrize(
    ("action", "data", "previous", "becomes"),
    [
        ("create", DEAL, None, "deal_opened"),
        ("create", DEAL | {"status": "won"}, None, "deal_closed"),
        ("change", DEAL | {"status": "won"}, {"status": "open"}, "deal_closed"),
        ("change", DEAL | {"status": "won"}, {"status": "lost"}, "deal_closed"),
        ("change", DEAL | {"status": "lost"}, {"status": "open"}, "deal_lost"),
        ("change", DEAL, {"status": "won"}, "deal_opened"),
        ("change", DEAL, {"status": "lost"}, "deal_opened"),
        ("change", DEAL, {"value": 10}, "deal_updated"),
        ("change", DEAL, {"currency": "EUR"}, "deal_updated"),
        ("change", DEAL | {"status": "won"}, {"title": "Old"}, "deal_updated"),
        ("change", DEAL, {"title": "Old"}, "noted"),
        ("change", DEAL | {"status": "deleted"}, {"status": "open"}, "noted"),
        ("delete", None, DEAL, "noted"),
    ],
)
def test_a_deal_is_what_the_change_of_its_status_makes_of_it(
    version: Any, action: str, data: Any, previous: Any, becomes: str
) -> None:
    event = one(version(action, "deal", data, previous))
    assert (event.event_type, event.references, event.lead_id) == (becomes, ("deal:pipedrive:15747575:178",), "179")
    assert event.facts["deal_id"] == "178"
    if becomes != "noted":
        assert (event.facts["value"], event.facts["currency"]) == ("15000", "BRL")


@BOTH
def test_a_deal_that_was_won_once_and_is_open_again_is_not_won(version: Any) -> None:
    event = one(version("change", "deal", DEAL | {"first_won_time": "2026-01-01T00:00:00Z"}, {"title": "Old"}))
    assert event.event_type == "noted"


@BOTH
def test_a_deal_that_was_won_before_it_was_entered_was_won_then(version: Any) -> None:
    event = one(
        version("create", "deal", DEAL | {"status": "won", "won_time": "2025-12-24 10:00:00", "first_won_time": "2024-01-01"})
    )
    assert (event.event_type, event.occurred_at.isoformat()) == ("deal_closed", "2025-12-24T10:00:00+00:00")


@BOTH
@pytest.mark.parametrize(
    ("value", "previous", "said"),
    [
        (0, {"status": "open"}, None),
        (None, {"status": "open"}, None),
        (0, {"value": 10}, "0"),
        ("12.50", {"value": 10}, "12.50"),
        (-1, {"value": 1}, None),
    ],
)
def test_a_value_that_nobody_entered_is_absent(version: Any, value: Any, previous: dict[str, Any], said: str | None) -> None:
    assert one(version("change", "deal", DEAL | {"status": "won", "value": value}, previous)).facts.get("value") == said


@BOTH
@pytest.mark.parametrize(
    ("action", "data", "previous", "becomes"),
    [
        ("create", MEETING, None, "meeting_booked"),
        ("create", MEETING | {"done": True}, None, "meeting_completed"),
        ("change", MEETING | {"done": True}, {"done": False}, "meeting_completed"),
        ("change", MEETING, {"done": True}, "meeting_booked"),
        ("change", MEETING, {"due_date": "2026-01-07"}, "meeting_booked"),
        ("change", MEETING, {"due_time": "09:00"}, "meeting_booked"),
        ("change", MEETING, {"type": "call"}, "meeting_booked"),
        ("change", MEETING | {"type": "call"}, {"type": "meeting"}, "meeting_cancelled"),
        ("change", MEETING | {"active_flag": False}, {"active_flag": True}, "meeting_cancelled"),
        ("change", MEETING, {"subject": "Old"}, "noted"),
        ("change", MEETING | {"done": True}, {"subject": "Old"}, "noted"),
        ("delete", None, MEETING, "meeting_cancelled"),
        ("delete", None, MEETING | {"done": True}, "noted"),
    ],
)
def test_a_meeting_is_what_the_activity_says(version: Any, action: str, data: Any, previous: Any, becomes: str) -> None:
    event = one(version(action, "activity", data, previous))
    assert (event.event_type, event.lead_id) == (becomes, "179")
    assert (event.references, event.mentions) == (("meeting:pipedrive:15747575:2",), ("deal:pipedrive:15747575:178",))
    assert {name: value for name, value in event.facts.items() if name != "kind"} == {
        "meeting_id": "2",
        "meeting_at": "2026-01-08T13:00:00+00:00",
        "meeting_ends_at": "2026-01-08T13:45:00+00:00",
    }


@BOTH
def test_a_meeting_was_held_when_it_was_marked_so_however_late_that_is_told(version: Any) -> None:
    held = MEETING | {"done": True, "marked_as_done_time": "2026-01-08 14:00:00"}
    for previous in ({"done": False}, {"subject": "Old"}):
        event = one(version("change", "activity", held, previous, 9))
        assert (event.event_type, event.occurred_at.isoformat()) == ("meeting_completed", "2026-01-08T14:00:00+00:00")


@pytest.mark.parametrize(
    ("fields", "begins", "ends"),
    [
        ({"due_time": None}, "2026-01-08T00:00:00+00:00", None),
        ({"due_time": "", "duration": ""}, "2026-01-08T00:00:00+00:00", None),
        ({"due_time": "13:00:30", "duration": "1:00:00"}, "2026-01-08T13:00:30+00:00", "2026-01-08T14:00:30+00:00"),
        ({"duration": "00:00"}, "2026-01-08T13:00:00+00:00", None),
        ({"due_date": None}, None, None),
        ({"due_date": "soon"}, None, None),
        ({"due_date": "9999-12-31", "due_time": "23:59", "duration": "99:59"}, None, None),
    ],
)
def test_the_time_of_a_meeting_is_what_is_known_of_it(fields: dict[str, Any], begins: str | None, ends: str | None) -> None:
    facts = one(v2("create", "activity", MEETING | fields)).facts
    assert (facts.get("meeting_at"), facts.get("meeting_ends_at")) == (begins, ends)


def test_other_types_of_activity_are_meetings_where_the_settings_say_so() -> None:
    demo = v2("create", "activity", MEETING | {"type": "demo"})
    assert (one(demo).event_type, one(demo).references) == ("noted", ())
    assert one(demo, connected(Provider.PIPEDRIVE, meeting_types=["meeting", "demo"])).event_type == "meeting_booked"


@pytest.mark.parametrize(
    ("body", "connection"),
    [
        (
            v2("create", "deal", DEAL | {"custom_fields": {KEY: {"type": "varchar", "value": OUTCOME}}}),
            connected(Provider.PIPEDRIVE, outcome_field=KEY),
        ),
        (v2("create", "deal", DEAL | {"custom_fields": {KEY: OUTCOME}}), connected(Provider.PIPEDRIVE, outcome_field=KEY)),
        (v1("create", "deal", DEAL | {KEY: OUTCOME}), connected(Provider.PIPEDRIVE, outcome_field=KEY)),
        (v2("create", "deal", DEAL | {"custom_fields": {"outcome_id": {"value": OUTCOME}}}), CONNECTION),
        (v1("create", "deal", DEAL | {"outcome_id": OUTCOME}), CONNECTION),
        (v2("delete", "deal", None, DEAL | {"custom_fields": {KEY: OUTCOME}}), connected(Provider.PIPEDRIVE, outcome_field=KEY)),
        (
            v2("change", "deal", DEAL | {"custom_fields": {KEY: OUTCOME}}, {"custom_fields": {}}),
            connected(Provider.PIPEDRIVE, outcome_field=KEY),
        ),
    ],
)
def test_the_outcome_is_named_by_a_custom_field(body: Any, connection: Connection) -> None:
    event = one(body, connection)
    assert (str(event.outcome_id), event.references) == (OUTCOME, ("deal:pipedrive:15747575:178",))


def test_a_custom_field_that_nobody_named_names_no_outcome() -> None:
    assert one(v2("create", "deal", DEAL | {"custom_fields": {KEY: OUTCOME}})).outcome_id is None
    assert one(v2("create", "deal", DEAL | {"outcome_id": "out_123"})).outcome_id is None


@pytest.mark.parametrize(
    ("entity", "data", "lead", "address"),
    [
        (
            "deal",
            {
                "id": 1,
                "person_id": {"value": 179, "email": [{"value": "x@example.com"}, {"value": "Ada@example.com", "primary": True}]},
            },
            "179",
            "ada@example.com",
        ),
        ("deal", {"id": 1, "person": {"id": 179, "emails": [{"value": "ada@example.com"}]}}, "179", "ada@example.com"),
        ("deal", {"id": 1, "custom_fields": {"mail": {"value": "ada@example.com"}}}, None, "ada@example.com"),
        ("activity", {"id": 1, "participants": [{"person_id": 5}, {"person_id": 179, "primary_flag": True}]}, "179", None),
        ("activity", {"id": 1, "participants": [{"person_id": 5}, {"person_id": 6}]}, None, None),
        (
            "activity",
            {"id": 1, "attendees": [{"email_address": "us@x.io", "is_organizer": 1}, {"email_address": "ada@example.com"}]},
            None,
            "ada@example.com",
        ),
        ("activity", {"id": 1, "attendees": [{"email_address": "a@x.io"}, {"email_address": "b@x.io"}]}, None, None),
        ("person", {"id": 179, "emails": [{"value": "ada@example.com", "primary": True}]}, "179", "ada@example.com"),
        ("person", {"id": 179, "email": "ada@example.com"}, "179", "ada@example.com"),
        ("lead", {"id": "c0ffee", "person_id": 179, "value": {"amount": 1, "currency": "EUR"}}, "179", None),
        ("organization", {"id": 1, "name": "Acme"}, None, None),
    ],
)
def test_the_lead_is_the_person_as_far_as_one_is_meant(entity: str, data: Any, lead: str | None, address: str | None) -> None:
    event = one(v2("create", entity, data), connected(Provider.PIPEDRIVE, email_field="mail"))
    assert (event.lead_id, event.lead_email) == (lead, address)


@pytest.mark.parametrize(
    ("body", "merged", "into"),
    [
        (v2("delete", "person", None, {"id": 55}, merged_to_id="77"), "lead:55", "lead:77"),
        (v2("change", "person", {"id": 77}, {"name": "x"}, merged_from_id="55"), "lead:55", "lead:77"),
        (v1("merged", "person", {"id": 77, "merge_what_id": 55}, {"name": "x"}), "lead:55", "lead:77"),
        (v2("delete", "deal", None, {"id": 55}, merged_to_id="77"), "deal:pipedrive:15747575:55", "deal:pipedrive:15747575:77"),
    ],
)
def test_a_merger_names_what_became_what(body: Any, merged: str, into: str) -> None:
    first, noted = read(body)
    assert (first.event_type, first.facts) == ("merged", {"merged": [merged], "into": into})
    assert (noted.event_type, noted.event_key) != (first.event_type, first.event_key)


def test_a_merger_that_changes_the_deal_tells_both() -> None:
    events = read(v2("change", "deal", DEAL | {"value": 30}, {"value": 15}, merged_from_id="55"))
    assert [(event.event_type, event.facts.get("value")) for event in events] == [("merged", None), ("deal_updated", "30")]


@pytest.mark.parametrize(
    "body",
    [
        v2("delete", "organization", None, {"id": 55}, merged_to_id="77"),
        v1("merged", "deal", {"id": 77}, {"title": "x"}),
        v2("change", "product", {"id": 3}, {"name": "x"}),
        {"v": 1, "meta": {"action": "updated", "object": "user", "id": 3}, "current": [{"id": 3}]},
        {"meta": {}},
        {},
        {"meta": 5, "data": [], "previous": "x"},
    ],
)
def test_the_rest_is_noted(body: Any) -> None:
    event = one(body)
    assert event.event_type == "noted"
    assert event.facts["kind"]


@pytest.mark.parametrize(
    ("body", "again", "other"),
    [
        (v2("create", "deal", DEAL), {"attempt": 4}, {"id": "another"}),
        (v1("create", "deal", DEAL), {"webhook_id": "2"}, {"timestamp_micro": 1767690000250001}),
    ],
)
def test_a_redelivery_is_the_same_event(body: dict[str, Any], again: Any, other: Any) -> None:
    key = one(body).event_key
    assert one(body | {"retry": 2, "meta": body["meta"] | again}, at=ARRIVAL + timedelta(minutes=3)).event_key == key
    assert one(body | {"meta": body["meta"] | other}).event_key != key


def test_a_redelivery_without_any_marks_is_known_by_its_content() -> None:
    body = {"meta": {"action": "updated", "object": "deal", "id": 1}, "current": {"id": 1, "status": "won"}, "retry": 0}
    assert one(body).event_key == one(body | {"retry": 3}).event_key
    assert one(body).event_key != one(body | {"current": {"id": 1, "status": "lost"}}).event_key


@pytest.mark.parametrize(
    ("meta", "data", "since"),
    [
        ({"timestamp": 1767690000}, {}, "2026-01-06T09:00:00+00:00"),
        ({"timestamp": None}, {"update_time": "2026-01-07T09:00:00Z"}, "2026-01-07T09:00:00+00:00"),
        ({"timestamp": "soon"}, {}, ARRIVAL.isoformat()),
        ({"timestamp": "1970-01-01T00:00:00Z"}, {}, ARRIVAL.isoformat()),
        ({"timestamp": "2027-01-01T00:00:00Z"}, {}, ARRIVAL.isoformat()),
    ],
)
def test_the_time_is_that_of_the_notification_or_of_the_object(meta: Any, data: Any, since: str) -> None:
    assert one(v2("create", "deal", DEAL | data, **meta)).occurred_at.isoformat() == since


@pytest.mark.parametrize("body", [b"", b"5", b"[]", b"[{}]", b"null", b"{", b"\xff"])
def test_what_is_no_json_object_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^[a-zA-Z ]+$"):
        pipedrive.read(received(body), CONNECTION)


def test_objects_nested_to_the_limit_are_read_or_refused() -> None:
    for depth in (100, *range(800, 1000, 5), 20_000):
        nested = b"[" * depth + b"]" * depth
        body = b'{"meta":{"action":"change","entity":"deal","entity_id":1},"data":{"status":%b,"value":%b},"previous":{"status":%b,"value":%b}}'
        with suppress(UnreadableError):
            check_events(pipedrive.read(received(body % (nested, nested, nested, nested)), CONNECTION))


FIELDS = (
    "id", "status", "value", "currency", "person_id", "person", "participants", "attendees", "custom_fields", "outcome_id", "deal_id",
    "type", "done", "due_date", "due_time", "duration", "active_flag", "is_deleted", "marked_as_done_time", "won_time", "update_time",
    "email", "emails", "merge_what_id",
)  # fmt: skip
META = (
    "id", "entity_id", "company_id", "timestamp", "timestamp_micro", "correlation_id", "merged_to_id", "merged_from_id",
)  # fmt: skip


@settings(max_examples=examples(150, quick=50), deadline=None)
@given(
    objects_with(*FIELDS) | ANYTHING,
    objects_with(*FIELDS) | ANYTHING,
    objects_with(*META),
    st.sampled_from(["create", "change", "delete", "added", "updated", "merged"]),
    st.sampled_from(["deal", "activity", "person", "lead"]),
    st.sampled_from([("entity", "data"), ("object", "current")]),
    st.sampled_from([{}, {"type": "meeting"}, {"status": "won"}, {"type": "meeting", "done": True}]),
)
def test_anything_of_about_the_right_shape_becomes_events_that_can_be_stored(
    now: Any, before: Any, meta: dict[str, Any], action: str, entity: str, names: tuple[str, str], telling: dict[str, Any]
) -> None:
    now = now | telling if isinstance(now, dict) else now
    body = {"meta": {"id": 1, "entity_id": 1} | meta | {"action": action, names[0]: entity}, names[1]: now, "previous": before}
    with suppress(UnreadableError):  # a number that JSON has but nobody reads
        events = read(body)
        assert [pipedrive.read(received(event.raw or b""), CONNECTION) for event in events] == [events] * len(events)


@settings(max_examples=examples(60, quick=20), deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableError):
        check_events(pipedrive.read(received(body), CONNECTION))


def test_a_story_told_by_both_versions_folds_to_the_same_rows_in_any_order(connection: psycopg.Connection[TupleRow]) -> None:
    sent = [message(id=uuid4(), lead_id="179"), message(id=uuid4(), lead_id="200")]
    named = connected(Provider.PIPEDRIVE, outcome_field=KEY)
    won, lost = DEAL | {"id": 8, "person_id": None}, DEAL | {"id": 9, "person_id": 199}
    bodies = [
        v2("create", "deal", won, day=1),
        v2(
            "change",
            "deal",
            won | {"custom_fields": {KEY: {"type": "varchar", "value": str(sent[0].id)}}},
            {"custom_fields": {KEY: None}},
            2,
        ),
        v2("create", "activity", MEETING | {"deal_id": 8, "person_id": None}, day=2),
        v2("change", "activity", MEETING | {"deal_id": 8, "person_id": None, "done": True}, {"done": False}, 3),
        v1("change", "activity", MEETING | {"deal_id": 8, "person_id": None, "done": True}, {"done": False}, 3),
        v2("change", "deal", won | {"status": "won"}, {"status": "open"}, 4),
        v1("change", "deal", won | {"status": "won"}, {"status": "open"}, 4),
        v2("change", "deal", won | {"status": "won", "value": 17000}, {"value": 15000}, 5),
        # Won, opened again, lost; its person 199 turns out to be the lead 200.
        v2("create", "deal", lost, day=1),
        v2("change", "deal", lost | {"status": "won"}, {"status": "open"}, 2),
        v2("change", "deal", lost, {"status": "won"}, 3),
        v2("change", "deal", lost | {"status": "lost"}, {"status": "open"}, 4),
        v2("delete", "person", None, {"id": 199}, 5, merged_to_id="200"),
        v2("create", "activity", MEETING | {"id": 3, "deal_id": 9, "person_id": 200}, day=1),
        v2("delete", "activity", None, MEETING | {"id": 3, "deal_id": 9, "person_id": 200}, 2),
    ]
    events = [event for body in bodies for event in read(body, named)]
    rows = rows_of_permutations(connection, sent, events)
    assert all(row == rows[0] for row in rows)
    first, second = rows[0]
    assert (first["deal_closed"], str(first["deal_value"]), first["deal_currency"]) == (True, "17000.00", "BRL")
    assert (first["meeting_booked"], first["meeting_completed"]) == (True, True)
    assert (second["deal_opened"], second["deal_closed"], second["deal_lost"], second["meeting_booked"]) == (
        True,
        False,
        True,
        False,
    )
