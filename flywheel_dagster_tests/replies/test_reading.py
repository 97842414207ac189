"""Replies are judged once, by whoever is to judge them, and paid for once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import PermanentModelError, SettingsError
from flywheel_dagster.outcomes.ledger import rebuild, record
from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.rules.classify import RULES_VERSION
from flywheel_dagster_tests.outcomes.making import event, facts_of, row_of
from flywheel_dagster_tests.replies.asking import CHAT
from flywheel_dagster_tests.replies.making import TEXTS, billed, judged, means_at, read_all, write_replies
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def _fresh_bill(request: pytest.FixtureRequest) -> None:
    if "model_server" in request.fixturenames:
        request.getfixturevalue("model_server").http.delete("/sandbox/billed")


@pytest.mark.parametrize(
    ("method", "version", "with_model", "by_rules"),
    [
        (None, None, True, True),
        ("llm", "2", False, False),
        ("llm", "1", True, False),
        ("llm", "a model without a version", True, False),
        ("rules", "3", True, False),
        ("rules", "2", True, True),
        ("rules", "2.1", True, True),
        ("rules", "2.2", False, True),
        ("rules", "3.2", False, False),
        ("human", None, False, False),
        ("provided", None, False, False),
        ("simulated", "1", False, False),
    ],
)
def test_what_is_due_follows_from_method_and_version(
    connection: Connection, method: str | None, version: str | None, with_model: bool, by_rules: bool
) -> None:
    row = connection.execute(
        "select reply_is_due(%(m)s, %(v)s, 2, 3), reply_is_due(%(m)s, %(v)s, null, 3)", {"m": method, "v": version}
    ).fetchone()
    assert row == (with_model, by_rules)


def test_rules_judge_every_reply_once(connection: Connection) -> None:
    write_replies(connection)
    assert read_all(connection).methods == {"rules": len(TEXTS)}
    assert {method for _, method, _ in judged(connection).values()} == {"rules"}
    assert read_all(connection).judged == 0


def test_only_the_weeks_that_are_asked_for_are_judged(connection: Connection) -> None:
    write_replies(connection, ["A first week's."], week=0)
    write_replies(connection, ["A second week's."], week=1)
    assert read_all(connection, weeks=1).judged == 1
    assert judged(connection)["A second week's."] == (None, None, None)


def test_a_model_is_asked_once_and_what_it_cost_is_written_down(connection: Connection, model_server: Served) -> None:
    outcomes = write_replies(connection)
    tally = read_all(connection, means_at(model_server))
    assert (tally.methods, tally.questions, tally.left) == ({"llm": len(TEXTS)}, len(TEXTS), 0)
    assert read_all(connection, means_at(model_server)).questions == 0
    assert list(billed(model_server).values()) == [1] * len(TEXTS)
    row = connection.execute(
        "select count(*), min(prompt_tokens) > 0, min(completion_tokens) > 0, sum(cost_usd), min(answer) from reply_questions"
    ).fetchone()
    assert row is not None
    assert (row[0], row[1], row[2], row[4]) == (len(TEXTS), True, True, "analysis")
    assert tally.usage.cost_usd is not None
    assert tally.usage.cost_usd > 0
    assert row[3] == pytest.approx(tally.usage.cost_usd)
    assert row_of(connection, outcomes[0])["training_label"] == "positive_example"


def test_replies_that_rules_had_judged_are_shown_to_a_model_that_comes_later(connection: Connection, model_server: Served) -> None:
    write_replies(connection)
    read_all(connection)
    assert read_all(connection, means_at(model_server)).methods == {"llm": len(TEXTS)}
    assert read_all(connection).judged == 0  # and rules don't take it back


def test_nobody_is_overruled_who_brings_a_judgement_of_their_own(connection: Connection, model_server: Served) -> None:
    outcomes = write_replies(connection)
    at = row_of(connection, outcomes[0])["replied_at"].isoformat()
    for outcome, method in zip(outcomes, ("human", "provided", "simulated"), strict=False):
        record(connection, [event(outcome, "reply_classified", 2, method=method, score=0.1, label="neutral", replied_at=at)])
    connection.commit()
    assert read_all(connection, means_at(model_server)).judged == len(TEXTS) - 3
    assert row_of(connection, outcomes[0])["classification_method"] == "human"


def test_a_newer_reply_is_judged_anew_and_the_old_judgement_does_not_stick_to_it(connection: Connection) -> None:
    outcome = write_replies(connection, ["Not interested, thanks."])[0]
    read_all(connection)
    record(connection, [event(outcome, "replied", 5, text="Yes, let's schedule a call next week, Tuesday works for me.")])
    connection.commit()
    assert row_of(connection, outcome)["sentiment_label"] is None
    connection.commit()
    assert read_all(connection).judged == 1
    assert row_of(connection, outcome)["sentiment_label"] == "positive"


def test_a_rebuild_loses_nothing_that_was_paid_for(connection: Connection, model_server: Served) -> None:
    outcomes = write_replies(connection)
    read_all(connection, means_at(model_server))
    before = [facts_of(connection, outcome) for outcome in outcomes]
    connection.commit()
    assert sum(changed for _, changed in rebuild(connection)) == 0
    assert [facts_of(connection, outcome) for outcome in outcomes] == before


@pytest.mark.parametrize("answer", ["refusal", "cut_off", "invalid_json", "out_of_range", "disagreeing"])
def test_rules_stand_in_for_good_where_the_answer_was_paid_for_and_useless(
    connection: Connection, model_server: Served, answer: str
) -> None:
    write_replies(connection, TEXTS[:1])
    model_server.set_fault(match=CHAT, kind="answer", answer=answer)
    tally = read_all(connection, means_at(model_server))
    assert (tally.methods, tally.fallbacks.total(), tally.left) == ({"rules": 1}, 1, 0)
    assert judged(connection)[TEXTS[0]][1:] == ("rules", f"{RULES_VERSION}.{PROMPT_VERSION}")
    assert read_all(connection, means_at(model_server)).questions == 0


def test_rules_stand_in_until_the_next_run_where_nothing_was_paid(connection: Connection, model_server: Served) -> None:
    write_replies(connection, TEXTS[:1])
    model_server.set_fault(match=CHAT, kind="status", status=429, headers={"retry-after": "90"}, body={})
    tally = read_all(connection, means_at(model_server))
    assert (tally.fallbacks, tally.left) == ({"rate_limited": 1}, 1)
    assert judged(connection)[TEXTS[0]][1:] == ("rules", str(RULES_VERSION))
    assert read_all(connection, means_at(model_server)).methods == {"llm": 1}


def test_an_empty_account_is_not_asked_about_every_reply(connection: Connection, model_server: Served) -> None:
    write_replies(connection, [f"Reply {number}" for number in range(30)])
    model_server.set_fault(
        match=CHAT, kind="status", status=429, times=None, body={"error": {"code": "insufficient_quota", "message": "no credit"}}
    )
    before = model_server.count_calls()["calls"].get(CHAT, 0)
    tally = read_all(connection, means_at(model_server))
    assert (tally.methods, tally.fallbacks, tally.left) == ({"rules": 30}, {"no_credit": 30}, 30)
    assert model_server.count_calls()["calls"][CHAT] - before <= 4


def test_an_address_where_nobody_answers_is_not_tried_for_every_reply(connection: Connection, model_server: Served) -> None:
    write_replies(connection, [f"Reply {number}" for number in range(30)])
    nowhere = replace(means_at(model_server), model=ChatModel("m", "sk-none", "http://127.0.0.1:9/v1"), concurrency=2)
    tally = read_all(connection, nowhere)
    assert (tally.fallbacks, tally.left) == ({"unreachable": 30}, 30)
    assert read_all(connection, means_at(model_server)).methods == {"llm": 30}


def test_a_wrong_key_stops_the_run_and_every_question_may_be_asked_again(connection: Connection, model_server: Served) -> None:
    write_replies(connection)
    with pytest.raises(PermanentModelError, match="OPENAI_API_KEY"):
        read_all(connection, means_at(model_server, key="sk-revoked"))
    assert read_all(connection, means_at(model_server)).methods == {"llm": len(TEXTS)}


def test_a_question_whose_answer_died_with_its_process_is_not_asked_again(connection: Connection, model_server: Served) -> None:
    outcomes = write_replies(connection)
    connection.execute(
        "insert into reply_questions (outcome_id, replied_at, prompt_version) select id, latest_reply_at(id), 1 from outcome_labels where id = any (%s)",
        (outcomes[:2],),
    )
    connection.commit()
    tally = read_all(connection, means_at(model_server))
    assert (tally.methods, tally.fallbacks) == ({"llm": len(TEXTS) - 2, "rules": 2}, {"lost_answer": 2})
    assert len(billed(model_server)) == len(TEXTS) - 2
    assert read_all(connection, means_at(model_server)).judged == 0


def test_at_the_ceiling_the_rest_is_left_and_said(connection: Connection, model_server: Served) -> None:
    write_replies(connection, [f"Could you tell me more about {number}?" for number in range(40)])
    tally = read_all(connection, means_at(model_server, budget_usd=Decimal("0.0005")))
    assert tally.usage.cost_usd is not None
    assert 0 < tally.judged < 40
    assert tally.left == 40 - tally.judged
    assert tally.usage.cost_usd < Decimal("0.0015")


def test_a_ceiling_without_a_price_is_refused(connection: Connection, model_server: Served) -> None:
    write_replies(connection)
    with pytest.raises(SettingsError, match="FLYWHEEL_REPLY_PRICE"):
        read_all(connection, means_at(model_server, price=None, budget_usd=Decimal(1)))


def test_replies_without_anything_to_read_are_counted_and_do_no_harm(connection: Connection, model_server: Served) -> None:
    write_replies(connection, ["\u200b\u200b", "Noted."])
    for means in (means_at(model_server), means_at(model_server, batch_from=1)):
        tally = read_all(connection, means)
        assert (tally.unreadable, tally.left) == (1, 0)
    assert judged(connection)["Noted."][1] == "llm"


def test_a_reply_that_was_imported_is_judged_like_any_other(connection: Connection) -> None:
    outcome = write_replies(connection, ["to be replaced"])[0]
    record(
        connection,
        [event(outcome, "snapshot", 30, replied=True, reply_text="Please unsubscribe me.", replied_at="2026-01-20T10:00:00Z")],
    )
    connection.commit()
    assert read_all(connection).judged == 1
    assert row_of(connection, outcome)["training_label"] == "negative_example"
    connection.commit()
    assert read_all(connection, start=row_of(connection, outcome)["sent_at"] - timedelta(days=1)).judged == 0
