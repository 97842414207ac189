"""What is kept of leads: the newest state beside all scorings, words in force, and the features that are learnt from."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_dagster.database import statement
from flywheel_dagster.leads.writing import words_of
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.scoring import BEGIN, Connection, outcome_of, scored, told, training_rows
from flywheel_dagster_tests.thoroughness import examples


def test_the_newest_scoring_is_the_state_whatever_order_they_come_in(connection: Connection) -> None:
    for day in (2, 0, 3, 1):
        scored(connection, day=day, email_opens=int(day), note=f"day {day}")
    row = connection.execute('select email_opens, attributes, "timestamp" - %s from lead_scores', (BEGIN,)).fetchone()
    assert row is not None and (row[0], row[1], row[2].days) == (3, {"note": "day 3"}, 3)
    assert connection.execute("select count(*) from lead_scorings").fetchone() == (4,)


def test_words_in_any_order_leave_the_newest_in_force(connection: Connection) -> None:
    words = [(1, True), (2, False), (3, None), (4, True)]
    for number, order in enumerate(permutations(words[:3])):
        lead = f"lead {number}"
        scored(connection, lead)
        for day, outcome in order:
            told(connection, outcome, day, lead_id=lead)
        assert outcome_of(connection, lead) is None, order
        told(connection, True, 4, lead_id=lead)
        assert outcome_of(connection, lead) is True
        told(connection, False, 0.5, lead_id=lead)  # late, of before
        assert outcome_of(connection, lead) is True


def test_the_same_word_is_one_row_and_an_unknown_lead_none(connection: Connection) -> None:
    scored(connection)
    assert told(connection, True, 1) == (True, True)
    assert told(connection, True, 1) == told(connection, True, 1, source="file") == (True, False)
    assert told(connection, None, 3) == (True, True) and told(connection, None, 3) == (True, False)
    assert told(connection, True, lead_id="nobody") == (False, False)
    assert told(connection, True, organization="rival") == (False, False)
    assert connection.execute("select source, outcome from lead_feedback order by id").fetchall() == [
        ("feedback", True), ("file", True), ("feedback", None),
    ]  # fmt: skip


def test_a_list_without_times_that_is_read_again_adds_nothing(connection: Connection) -> None:
    scored(connection)
    for outcome, heard in ((True, True), (True, False), (False, True), (False, False), (True, True)):
        values = words_of("acme", [("ada", outcome, None)], source="file", told_by=None)
        assert connection.execute(statement("tell_leads"), values).fetchone() == (True, heard)
        connection.commit()
    assert connection.execute("select count(*) from lead_feedback").fetchone() == (3,)


Said = tuple[str, bool | None, int]
SAID = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([True, False, None]), st.integers(0, 1_000)),
    max_size=8,
    unique_by=lambda word: word[2],
)


@settings(max_examples=examples(200, quick=20), suppress_health_check=list(HealthCheck))
@given(said=SAID, shuffled=st.randoms(use_true_random=False), cut=st.integers(0, 8))
def test_the_newest_word_holds_however_they_arrive(connection: Connection, said: list[Said], shuffled: Random, cut: int) -> None:
    lead = {name: f"{name} {uuid4()}" for name in "ab"}  # of this example alone
    for each in lead.values():
        scored(connection, each)
    arriving = said[:]
    shuffled.shuffle(arriving)
    for part in (arriving[:cut], arriving[cut:]):
        words = [(lead[name], outcome, BEGIN + timedelta(days=day)) for name, outcome, day in part]
        if words:
            connection.execute(statement("tell_leads"), words_of("acme", words, source="feedback", told_by=None))
    for name in "ab":
        newest = max((word for word in said if word[0] == name), key=lambda word: word[2], default=(name, None, 0))
        assert connection.execute("select actual_outcome from lead_scores where lead_id = %s", (lead[name],)).fetchone() == (
            newest[1],
        )
    connection.commit()


def test_news_are_outcomes_that_a_training_did_not_know(connection: Connection) -> None:
    def news(through: int) -> int:
        row = connection.execute("select count_lead_news('acme', %s)", (through,)).fetchone()
        assert row is not None
        return row[0]  # type: ignore[no-any-return]

    for lead in ("ada", "grace"):
        scored(connection, lead)
        told(connection, True, 1, lead_id=lead)
    row = connection.execute("select max(id) from lead_feedback").fetchone()
    assert row is not None
    assert (news(0), news(row[0])) == (2, 0)
    told(connection, True, 2)  # said again
    told(connection, False, 0.5, lead_id="grace")  # late, of before
    assert news(row[0]) == 0
    told(connection, False, 3)
    told(connection, None, 3, lead_id="grace")
    assert (news(0), news(row[0])) == (1, 1)


def test_of_many_equal_words_at_once_only_the_first_is_new(connection: Connection, database: Database) -> None:
    scored(connection)

    def say(_: int) -> bool:
        with psycopg.connect(database.addresses.service) as own:
            return told(own, True, 1)[1]

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(say, range(16)))
    assert outcome_of(connection) is True
    assert sum(heard) == 1 and connection.execute("select count(*) from lead_feedback").fetchone() == (1,)


def test_learnt_from_are_features_of_before_the_outcome_was_told(connection: Connection) -> None:
    for day in (0, 1, 2, 5):
        scored(connection, day=day, email_opens=10 + day)
    told(connection, False, 3)
    told(connection, True, 6)  # corrected
    (row,) = training_rows(connection)
    assert row["features"]["email_opens"] in (10, 11, 12) and row["converted"] is True and row["with_outcome"] is False
    told(connection, None, 7)
    assert training_rows(connection) == []


def test_what_came_with_the_outcome_is_learnt_from_only_where_nothing_else_is(connection: Connection) -> None:
    scored(connection, "first", 0, email_opens=1)
    scored(connection, "first", 1, email_opens=9, late=True)
    scored(connection, "at once", 1, email_opens=9, late=True)
    scored(connection, "afterwards", 4, email_opens=7)
    scored(connection, "afterwards", 3, email_opens=6)
    for lead in ("first", "at once", "afterwards"):
        told(connection, True, 1, lead_id=lead)
    rows = {row["lead_id"]: (row["features"]["email_opens"], row["with_outcome"]) for row in training_rows(connection)}
    assert rows == {"first": (1, False), "at once": (9, True), "afterwards": (6, True)}


def test_every_scoring_of_before_has_the_same_odds(connection: Connection) -> None:
    connection.execute(
        "insert into lead_scores (organization_id, lead_id, conversion_score, risk_category, model_version)"
        " select 'acme', 'lead ' || n, 0.5, 'low', 'prior' from generate_series(1, 900) n"
    )
    connection.execute(
        "insert into lead_scorings (organization_id, lead_id, scored_at, features, conversion_score, risk_category, model_version, source)"
        " select 'acme', 'lead ' || n, now() - make_interval(days => 10 - d), jsonb_build_object('day', d), 0.5, 'low', 'prior', 'api'"
        " from generate_series(1, 900) n, generate_series(1, 3) d"
    )
    connection.execute(
        "insert into lead_feedback (organization_id, lead_id, outcome, told_at, source) select 'acme', 'lead ' || n, true, now(), 'file' from generate_series(1, 900) n"
    )
    connection.commit()
    chosen = Counter(row["features"]["day"] for row in training_rows(connection))
    assert all(240 <= chosen[day] <= 360 for day in (1, 2, 3)), chosen
    assert [row["features"] for row in training_rows(connection)] == [row["features"] for row in training_rows(connection)]


@pytest.mark.parametrize("table", ["lead_scorings", "lead_feedback", "lead_decisions"])
def test_history_can_not_be_rewritten(connection: Connection, table: str) -> None:
    for change in (f"delete from {table}", f"update {table} set organization_id = 'rival'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)  # type: ignore[call-overload]
        connection.rollback()


def test_a_member_sees_its_own_rows_only(connection: Connection) -> None:
    for organization in ("acme", "rival"):
        scored(connection, "ada", organization=organization, email_opens=1)
        told(connection, True, organization=organization)
    seen: dict[str, Any] = {}
    connection.execute("select set_config('role', 'flywheel_member', true), set_config('flywheel.organization_id', 'acme', true)")
    for table in (
        "lead_scores",
        "lead_scorings",
        "lead_feedback",
        "lead_training_rows",
        "lead_models",
        "lead_decisions",
        "lead_model_members",
    ):
        seen[table] = connection.execute(f"select count(*) from {table}").fetchone()[0]  # type: ignore[call-overload,index]
    connection.rollback()
    assert seen == {
        "lead_scores": 1,
        "lead_scorings": 1,
        "lead_feedback": 1,
        "lead_training_rows": 1,
        "lead_models": 0,
        "lead_decisions": 0,
        "lead_model_members": 0,
    }
