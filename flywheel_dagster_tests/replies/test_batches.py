"""A batch is bought once, whatever breaks: the process dies before and after every call, and the bill shows each reply once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import PermanentModelError, TransientModelError
from flywheel_dagster.replies import batches
from flywheel_dagster.replies.batch_client import BatchClient
from flywheel_dagster.replies.reading import Means
from flywheel_dagster_tests.replies.making import billed, judged, means_at, read_all, write_replies
from flywheel_dagster_tests.sandbox.model_server.served import Served

Connection = psycopg.Connection[TupleRow]
COUNT = 12
CREATE = "POST /v1/batches"


class Death(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _fresh_bill(model_server: Served) -> None:
    model_server.http.delete("/sandbox/billed")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "REQUESTS", 5)
    monkeypatch.setattr(batches, "_GROUP", 2)


def write(connection: Connection) -> None:
    write_replies(connection, [f"Could you tell me more about {number}?" for number in range(COUNT)])


def test_many_replies_go_in_batches_of_bounded_size_and_are_paid_for_once(connection: Connection, model_server: Served) -> None:
    write(connection)
    tally = read_all(connection, means_at(model_server, batch_from=COUNT))
    assert (tally.batches, tally.methods, tally.left) == (3, {"llm": COUNT}, 0)
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT
    assert not billed(model_server, "chat")
    assert read_all(connection, means_at(model_server, batch_from=1)).questions == 0
    row = connection.execute("select count(*), sum(requests), min(status) from reply_batches").fetchone()
    assert row == (3, COUNT, "recorded")


def test_a_batch_costs_half(connection: Connection, model_server: Served) -> None:
    write(connection)
    batched = read_all(connection, means_at(model_server, batch_from=1)).usage
    write_replies(connection, [f"Could you tell me more about {number}?" for number in range(COUNT)], week=1)
    single = read_all(connection, means_at(model_server)).usage
    assert batched.cost_usd is not None
    assert single.cost_usd is not None
    assert batched.cost_usd == pytest.approx(single.cost_usd / 2)


def test_what_was_sent_does_not_stay_with_the_provider(connection: Connection, model_server: Served) -> None:
    before = {file.id for file in model_server.client.files.list()}
    write(connection)
    read_all(connection, means_at(model_server, batch_from=1))
    assert {file.id for file in model_server.client.files.list()} <= before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("call", ["upload", "create", "status", "results", "delete_file"])
def test_the_process_may_die_around_any_call(
    connection: Connection, model_server: Served, monkeypatch: pytest.MonkeyPatch, call: str, nth: int, when: str
) -> None:
    write(connection)
    with monkeypatch.context() as patched:
        patched.setattr(BatchClient, call, dying(getattr(BatchClient, call), nth, when))
        with pytest.raises(Death):
            read_all(connection, means_at(model_server, batch_from=1))
    tally = read_all(connection, means_at(model_server, batch_from=1))
    assert tally.left == 0
    assert {method for _, method, _ in judged(connection).values()} == {"llm"}
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT
    assert not billed(model_server, "chat")


def dying(method: Callable[..., Any], nth: int, when: str) -> Callable[..., Any]:
    """The method, whose n-th call ends the process."""
    calls = 0

    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and when == "before":
            raise Death
        found = method(*arguments, **named)
        if calls == nth:
            raise Death
        return found

    return call


def test_the_process_may_die_between_two_groups_of_answers(
    connection: Connection, model_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(connection)
    with monkeypatch.context() as patched:
        patched.setattr(batches, "write_answers", dying(batches.write_answers, 4, "after"))
        with pytest.raises(Death):
            read_all(connection, means_at(model_server, batch_from=1))
    assert 0 < sum(method == "llm" for _, method, _ in judged(connection).values()) < COUNT
    read_all(connection, means_at(model_server, batch_from=1))
    assert {method for _, method, _ in judged(connection).values()} == {"llm"}
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def test_a_create_whose_answer_is_lost_buys_one_batch(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match=CREATE, kind="drop_after")
    assert read_all(connection, means_at(model_server, batch_from=1)).methods == {"llm": COUNT}
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def test_a_busy_provider_is_asked_again(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match=CREATE, kind="status", status=429, times=2, body={})
    assert read_all(connection, means_at(model_server, batch_from=1)).methods == {"llm": COUNT}


def test_a_batch_that_expires_keeps_its_answers_and_the_rest_is_asked_again(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match=CREATE, kind="batch_expires", after=2)
    tally = read_all(connection, means_at(model_server, batch_from=1))
    assert (tally.methods, tally.fallbacks, tally.left) == ({"llm": COUNT - 3, "rules": 3}, {"expired": 3}, 3)
    assert read_all(connection, means_at(model_server, batch_from=1)).methods == {"llm": 3}
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def test_a_failed_batch_says_why_and_costs_nothing(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match=CREATE, kind="batch_fails")
    with pytest.raises(PermanentModelError, match="nothing was paid for"):
        read_all(connection, means_at(model_server, batch_from=1))
    assert read_all(connection, means_at(model_server, batch_from=1)).left == 0
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def test_waiting_has_an_end_and_the_next_run_goes_on_with_the_same_batch(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match=CREATE, kind="batch_slow", looks=30)
    means = means_at(model_server, batch_from=1)
    with pytest.raises(TransientModelError, match="materialize reply_sentiment again"):
        read_all(connection, impatient(means))
    assert read_all(connection, means).left == 0
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def impatient(means: Means) -> Means:
    """Who waits for no time at all."""
    return replace(means, patience=replace(means.patience, limit=timedelta(0)))


def test_useless_answers_in_a_batch_are_replaced_by_rules(connection: Connection, model_server: Served) -> None:
    write(connection)
    model_server.set_fault(match="BATCH *", kind="answer", answer="refusal", times=4)
    tally = read_all(connection, means_at(model_server, batch_from=1))
    assert (tally.methods, tally.fallbacks, tally.left) == ({"llm": COUNT - 4, "rules": 4}, {"refusal": 4}, 0)
    assert sorted(billed(model_server, "batch").values()) == [1] * COUNT


def test_the_ceiling_holds_for_batches(connection: Connection, model_server: Served) -> None:
    write(connection)
    tally = read_all(connection, means_at(model_server, batch_from=1, budget_usd=Decimal("0.0006")))
    assert tally.usage.cost_usd is not None
    assert 0 < tally.judged < COUNT
    assert (tally.left, tally.usage.cost_usd < Decimal("0.0006")) == (COUNT - tally.judged, True)
