"""Weeks of training rows: what makes them stale, what they hold, and that processes side by side write what one writes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets import weeks as scoring
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_week, score_weeks, stale_weeks
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.weeks import changed_weeks, monday
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

Connection = psycopg.Connection[TupleRow]
WEEK = monday(MONDAY)
ROWS = "select * from scored_training_rows order by outcome_id"
BANDS = "select * from message_bands order by week, text_key"


def write(connection: Connection, count: int = 1, *, weeks: int = 1, **given: Any) -> None:
    sent = [
        message(lead_id=f"lead {number}", sent_at=MONDAY + timedelta(weeks=number % weeks, minutes=number), **given)
        for number in range(count)
    ]
    send(connection, sent)
    record(connection, [event(each.id, "opened", 20) for each in sent])
    connection.commit()


def examples(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("select example from scored_training_rows order by sent_at").fetchall()]


def test_a_week_that_is_scored_is_current_until_one_of_its_outcomes_changes(connection: Connection) -> None:
    write(connection, 4, weeks=2)
    assert stale_weeks(connection) == [WEEK, WEEK + timedelta(weeks=1)]
    score_weeks(connection, WEEK, WEEK + timedelta(weeks=1))
    assert stale_weeks(connection) == []
    connection.execute("update outcome_labels set icp_score = 0.5 where sent_at < %s", (MONDAY + timedelta(days=3),))
    connection.commit()
    assert stale_weeks(connection) == [WEEK]


def test_a_new_name_of_a_lead_makes_its_weeks_stale_and_is_replaced_then(connection: Connection) -> None:
    write(connection, message_body="Hi Ada, shall we talk?")
    score_week(connection, WEEK)
    assert "Hi Ada" in examples(connection)[0]
    cursor = changed_weeks(connection, None).cursor
    connection.execute("update leads set industry = 'Mining'")
    connection.commit()
    assert stale_weeks(connection) == []
    connection.execute("update leads set first_name = 'Ada'")
    connection.commit()
    assert stale_weeks(connection) == changed_weeks(connection, cursor).weeks == [WEEK]
    score_week(connection, WEEK)
    assert "Hi {{first_name}}, shall" in examples(connection)[0]


def test_redaction_is_switched_off_and_senders_are_made_known_by_organization(connection: Connection) -> None:
    write(connection, message_body="Hi, Grace Hopper of Flowmatic here: grace@flowmatic.example")
    score_week(connection, WEEK)
    assert "{{email_address}}" in examples(connection)[0]
    cursor = changed_weeks(connection, None).cursor
    connection.execute("insert into senders (organization_id, first_name, last_name) values ('acme', 'Grace', 'Hopper')")
    connection.execute("update organizations set name = 'Flowmatic' where id = 'acme'")
    connection.commit()
    assert stale_weeks(connection) == changed_weeks(connection, cursor).weeks == [WEEK]
    score_week(connection, WEEK)
    assert "{{sender_first_name}} {{sender_last_name}} of {{sender_company}} here" in examples(connection)[0]
    cursor = changed_weeks(connection, None).cursor
    connection.execute("update organizations set redaction_off = true where id = 'acme'")
    connection.commit()
    assert stale_weeks(connection) == changed_weeks(connection, cursor).weeks == [WEEK]
    score_week(connection, WEEK)
    assert "Grace Hopper of Flowmatic here: grace@flowmatic.example" in examples(connection)[0]
    connection.commit()
    connection.execute("insert into organizations (id) values ('other')")
    assert stale_weeks(connection) == []


def test_a_week_that_lost_its_outcomes_is_stale_and_then_empty(connection: Connection) -> None:
    write(connection)
    score_week(connection, WEEK)
    connection.execute("delete from outcome_labels")
    connection.commit()
    assert stale_weeks(connection) == [WEEK]
    assert score_week(connection, WEEK).rows == 0
    assert stale_weeks(connection) == []
    assert connection.execute("select count(*) from message_bands").fetchone() == (0,)


def test_every_outcome_of_a_week_is_accounted_for(connection: Connection) -> None:
    write(connection, 3, message_body="Write to ada@x.example")
    write(connection, 2, message_body="On Monday, Ada wrote:\n> hello")
    send(connection, [message(lead_id="nobody", sent_at=MONDAY)])
    connection.execute("update outcome_labels set message_body = ' ' where lead_id = 'lead 0'")
    connection.commit()
    week = score_week(connection, WEEK)
    assert (week.sent, week.rows, week.examples) == (6, 5, 3)
    assert week.rejected == {"empty message": 2}
    assert week.replaced["email_address"] == 2
    assert week.tokens == connection.execute("select sum(tokens) from scored_training_rows").fetchone()[0]  # type: ignore[index]


def test_weeks_side_by_side_write_what_one_process_writes(connection: Connection, database: Database, monkeypatch: Any) -> None:
    write(connection, 30, weeks=5, message_body="Shall we talk about {{company}} next week, or the week after?")
    last = WEEK + timedelta(weeks=4)
    alone = score_weeks(connection, WEEK, last)
    rows, bands = connection.execute(ROWS).fetchall(), connection.execute(BANDS).fetchall()
    assert len(rows) == 30 and len(bands) == 5
    connection.execute("delete from scored_training_rows")
    connection.commit()
    monkeypatch.setattr(scoring, "_WORTH_A_PROCESS", 10)
    seen = []
    together = score_weeks(connection, WEEK, last, processes=2, progress=lambda week: seen.append(week.week))
    assert together == alone
    assert seen == [week.week for week in alone]
    assert connection.execute(ROWS).fetchall() == rows
    assert connection.execute(BANDS).fetchall() == bands


def test_silence_is_told_from_other_neutral_outcomes(connection: Connection) -> None:
    sent = [message(lead_id=name) for name in ("silent", "opener", "clicker", "replier", "bouncer")]
    send(connection, sent)
    kinds = ("delivered", "opened", "clicked", "replied", "bounced")
    record(connection, [event(each.id, kind) for each, kind in zip(sent, kinds, strict=True)])
    connection.commit()
    score_week(connection, WEEK)
    found = dict(connection.execute("select lead_id, silent from scored_training_rows").fetchall())
    assert found == {"silent": True, "opener": True, "clicker": False, "replier": False, "bouncer": False}


def test_silence_counts_only_when_its_window_has_passed(connection: Connection, tmp_path: Path) -> None:
    write(connection, 12)
    connection.execute("update organizations set allows_global_training = true")
    score_week(connection, WEEK)
    early = Selection(min_quality=0, validation_share=0, test_share=0, as_of=WEEK + timedelta(days=29))
    assert assemble(connection, "global", tmp_path, early).dropped == {"silent, and its window has not passed": 12}
    late = Selection(min_quality=0, validation_share=0, test_share=0, as_of=WEEK + timedelta(days=31))
    assert assemble(connection, "global", tmp_path, late).examples == 12


def test_what_became_personal_since_a_week_was_scored_is_in_no_dataset(connection: Connection, tmp_path: Path) -> None:
    write(connection, 4, message_body="Hi Ada, shall we talk?")
    connection.execute("update organizations set allows_global_training = true")
    score_week(connection, WEEK)
    everything = Selection(min_quality=0, validation_share=0, test_share=0, as_of=WEEK + timedelta(days=99))
    assert assemble(connection, "global", tmp_path, everything).examples == 4
    connection.execute("update leads set first_name = 'Ada' where lead_id = 'lead 1'")
    connection.commit()
    reason = "personal data became known since its week was scored"
    assert assemble(connection, "acme", tmp_path, everything).dropped == {reason: 1}
    connection.execute("insert into senders (organization_id, first_name) values ('acme', 'Grace')")
    connection.commit()
    assert assemble(connection, "acme", tmp_path, everything).dropped == {reason: 4}
    score_week(connection, WEEK)
    assert assemble(connection, "acme", tmp_path, everything).examples == 4


def test_messages_that_are_not_redacted_stay_out_of_the_global_model(connection: Connection, tmp_path: Path) -> None:
    write(connection, 3)
    connection.execute("update organizations set allows_global_training = true, redaction_off = true")
    connection.commit()
    score_week(connection, WEEK)
    selection = Selection(min_quality=0, as_of=WEEK + timedelta(days=99))
    dropped = assemble(connection, "global", tmp_path, selection).dropped
    assert dropped == {"organization does not redact, so it is not for the global model": 3}
    assert assemble(connection, "acme", tmp_path, selection).candidates == 3


def test_weeks_scored_on_another_server_or_by_other_code_are_stale(connection: Connection, owner: Connection) -> None:
    write(connection, 2)
    for column in ("server", "built_by"):
        score_week(connection, WEEK)
        assert stale_weeks(connection) == []
        connection.execute(f"update scored_weeks set {column} = 'another'")
        connection.commit()
        assert stale_weeks(connection) == [WEEK]
    score_week(connection, WEEK)
    owner.execute("alter table outcome_labels disable trigger before_update")
    owner.execute("update outcome_labels set changed_xid = '900000000000'")  # as a dump of a busier server brings it
    owner.commit()
    assert stale_weeks(connection) == []


def test_a_row_goes_with_its_outcome_and_when_that_moves_to_another_week(connection: Connection) -> None:
    write(connection, 3)
    score_week(connection, WEEK)
    connection.execute("delete from outcome_labels where lead_id = 'lead 0'")
    connection.execute("update outcome_labels set sent_at = sent_at + interval '7 days' where lead_id = 'lead 1'")
    connection.execute("update outcome_labels set sent_at = sent_at + interval '1 hour' where lead_id = 'lead 2'")
    connection.commit()
    assert connection.execute("select lead_id from scored_training_rows").fetchall() == [("lead 2",)]
    assert [week.rows for week in score_weeks(connection, WEEK, WEEK + timedelta(weeks=1))] == [1, 1]
