"""Promotions on young outcomes, looked at again as deals come in."""

from datetime import timedelta

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.models.deployment import deploy, deprecate
from flywheel_dagster.models.experiments.re_examination import Finding
from flywheel_dagster.models.verdicts.deciding import decide
from flywheel_dagster.models.verdicts.re_examining import look_again
from flywheel_dagster.models.verdicts.rules import Action
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.models.verdicts.making import NOW, Trial, as_owner
from flywheel_dagster_tests.models.verdicts.test_deciding import stored

Connection = psycopg.Connection[TupleRow]


def promoted(connection: Connection) -> Trial:
    """A variant with more replies was promoted at NOW; control's deals come later."""
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08, meeting=0.02)
    trial.units("variant_a", 2000, replied=0.16, meeting=0.05)
    (decision,) = decide(connection, "acme", now=NOW)
    assert decision.action is Action.PROMOTE
    as_owner(connection, "update experiments set ended_at = %s", NOW)
    return trial


def close_deals(connection: Connection, arm: str, count: int, *, after: int) -> None:
    """So many units of an arm close a deal, `after` days after their message."""
    connection.execute(
        "update outcome_labels set deal_closed = true, deal_closed_at = sent_at + make_interval(days => %s), deal_value = 1000"
        " where id in (select id from outcome_labels where experiment_arm = %s and not deal_closed order by sent_at limit %s)",
        (after, arm, count),
    )
    connection.commit()


def test_a_deal_that_comes_sixty_days_late_changes_the_record(connection: Connection) -> None:
    promoted(connection)
    assert [again.decision for again in look_again(connection, "acme", now=NOW + timedelta(days=10))] != []
    before = len(stored(connection))
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=10))
    assert again.decision is None, "nothing changed since the last look"
    close_deals(connection, "control", 1, after=60)
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=62))
    record = stored(connection)
    assert len(record) == before + 1
    assert (record[-1]["re_examines"], record[-1]["action"], record[-1]["age_days"]) == (record[0]["id"], "none", 62)
    assert record[-1]["counts"]["control"]["deal"] == 1
    assert again.found.finding is not Finding.REVERSED
    assert arms(connection) == {"control": ("v1.1.0", 100)}


def test_deals_that_come_late_and_reverse_the_evidence_take_the_model_back(connection: Connection) -> None:
    promoted(connection)
    close_deals(connection, "control", 300, after=60)
    (early,) = look_again(connection, "acme", now=NOW + timedelta(days=50))
    assert (early.found.finding, arms(connection)) == (Finding.CONFIRMED, {"control": ("v1.1.0", 100)})
    (late,) = look_again(connection, "acme", now=NOW + timedelta(days=65), actor="daily")
    assert (late.found.finding, late.action, late.final) == (Finding.REVERSED, Action.ROLL_BACK, True)
    assert arms(connection) == {"control": ("v1.0.0", 100)}
    last = stored(connection)[-1]
    assert (last["verdict"], last["action"], last["provisional"], last["actor"]) == ("roll_back", "roll_back", False, "daily")
    reasons = connection.execute("select distinct reason from model_changes where action in ('roll_back', 'restore')").fetchall()
    assert [reason.startswith(f"decision {late.promotion} reversed: ") for (reason,) in reasons] == [True]
    assert look_again(connection, "acme", now=NOW + timedelta(days=80)) == []


def test_a_promotion_is_settled_when_its_units_are_old(connection: Connection) -> None:
    promoted(connection)
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=91))
    assert (again.found.finding, again.final, again.age.days) == (Finding.CONFIRMED, True, 90)
    assert look_again(connection, "acme", now=NOW + timedelta(days=92)) == []


def test_what_does_not_serve_at_the_moment_stays_open_and_is_taken_back_when_it_serves_again(connection: Connection) -> None:
    trial = promoted(connection)
    between = model(connection, "v1.2.0")
    deploy(between).run(connection)
    connection.commit()
    close_deals(connection, "control", 300, after=60)
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=65))
    assert (again.found.finding, again.action, again.final) == (Finding.REVERSED, Action.NONE, False)
    assert arms(connection) == {"control": ("v1.2.0", 100)}
    deploy(trial.variant).run(connection)
    connection.commit()
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=66))
    assert (again.action, again.final) == (Action.ROLL_BACK, True)
    assert arms(connection) == {"control": ("v1.0.0", 100)}, "the control of the experiment, not the one that served last"


def test_without_a_way_back_the_reversal_stays_open_and_is_told(connection: Connection) -> None:
    trial = promoted(connection)
    deprecate(trial.control).run(connection)
    connection.commit()
    close_deals(connection, "control", 300, after=60)
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=65))
    assert (again.found.finding, again.action, again.final) == (Finding.REVERSED, Action.NONE, False)
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    (told,) = connection.execute(statement("reversed_promotions"), {"scope": "acme"}).fetchall()
    assert told[:2] == ("acme", "v1.1.0")
    deploy(model(connection, "v1.2.0")).run(connection)
    connection.commit()
    assert connection.execute(statement("reversed_promotions"), {"scope": "acme"}).fetchall() == []


def test_messages_sent_after_the_promotion_do_not_count_for_it(connection: Connection) -> None:
    trial = promoted(connection)
    connection.execute(
        "insert into outcome_labels (organization_id, campaign_id, lead_id, channel, message_body, sent_at, deal_closed, deal_closed_at)"
        " select organization_id, campaign_id, lead_id, channel, 'again', %s, true, %s from outcome_labels where model_registry_id = %s",
        (NOW + timedelta(days=1), NOW + timedelta(days=2), trial.control),
    )
    connection.commit()
    (again,) = look_again(connection, "acme", now=NOW + timedelta(days=65))
    assert again.found.finding is Finding.CONFIRMED
