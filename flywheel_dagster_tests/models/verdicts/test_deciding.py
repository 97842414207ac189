"""Verdicts on experiments with a past: what is judged, kept and done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import connect
from flywheel_dagster.models.deployment import archive, deploy
from flywheel_dagster.models.experiments.policies import SCORE, Policy
from flywheel_dagster.models.experiments.verdict import Verdict
from flywheel_dagster.models.verdicts.deciding import consider, decide
from flywheel_dagster.models.verdicts.rules import Action, Rules
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.models.verdicts.making import NOW, Trial

Connection = psycopg.Connection[TupleRow]


def stored(connection: Connection) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from experiment_decisions order by id").fetchall()
    connection.commit()
    return rows


def criterion(row: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in row["criteria"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def test_without_an_experiment_nothing_is_decided(connection: Connection) -> None:
    deploy(model(connection)).run(connection)
    connection.commit()
    assert decide(connection, "acme", now=NOW) == []


def test_a_variant_that_is_clearly_better_is_promoted_for_now_and_the_record_says_on_what(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08, meeting=0.02, deal=0.005)
    trial.units("variant_a", 2000, replied=0.16, meeting=0.05, deal=0.01)
    (decision,) = decide(connection, "acme", now=NOW, actor="kim")
    assert (decision.judgement.verdict, decision.action) == (Verdict.PROMOTE, Action.PROMOTE)
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    (row,) = stored(connection)
    assert (row["verdict"], row["action"], row["provisional"], row["policy"], row["actor"]) == (
        "promote",
        "promote",
        True,
        "evidence",
        "kim",
    )
    assert (row["registry_id"], row["control_id"], row["age_days"]) == (trial.variant, trial.control, 14)
    assert row["window_to"] == NOW - timedelta(days=14)
    # Units of the first 14 of 28 days are old enough: half of them.
    assert row["counts"]["control"]["units"] == pytest.approx(1000, abs=1)
    assert row["counts"]["variant_a"]["replied"] == pytest.approx(160, abs=1)
    assert row["statistics"]["control_score"] == pytest.approx(0.2 * 0.08 + 0.3 * 0.02 + 0.5 * 0.005, abs=0.001)
    assert row["thresholds"]["alpha"] == 0.05
    assert criterion(row, "sample_ratio")["passed"]
    (change,) = connection.execute(
        "select actor, reason from model_changes where action = 'promote' and status = 'deployed'"
    ).fetchall()
    assert change[0] == "kim"
    assert change[1].startswith(f"decision {row['id']}: ")
    assert decide(connection, "acme", now=NOW) == []


def test_what_is_too_young_does_not_count(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50, days=28)
    trial.units("control", 1000, first_day=13, replied=0.08)
    trial.units("variant_a", 1000, first_day=13, replied=0.5)
    (decision,) = decide(connection, "acme", now=NOW)
    assert decision.judgement.verdict is Verdict.INCONCLUSIVE
    assert decision.counts["variant_a"]["units"] == 0


def test_what_happened_after_the_age_does_not_count_yet(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 1000, first_day=28, last_day=15, replied=0.1)
    trial.units("variant_a", 1000, first_day=28, last_day=15, replied=0.1, deal=0.1, deal_after=14.5)
    (decision,) = decide(connection, "acme", now=NOW)
    assert decision.counts["variant_a"]["deal"] == 0


@pytest.mark.parametrize("harm", ["bounced", "spam_reported", "unsubscribed"])
def test_a_variant_that_does_harm_ends_at_once(connection: Connection, harm: str) -> None:
    trial = Trial(connection, days=3)
    trial.units("control", 1800, **{harm: 0.01})
    trial.units("variant_a", 200, **{harm: 0.15})
    (decision,) = decide(connection, "acme", now=NOW)
    assert (decision.judgement.verdict, decision.action) == (Verdict.ROLL_BACK, Action.END_VARIANT)
    assert arms(connection) == {"control": ("v1.0.0", 100)}
    assert not criterion(stored(connection)[0], harm)["passed"]
    assert connection.execute("select count(*) from model_changes where action = 'roll_back'").fetchone() == (2,)


def test_after_a_whole_safe_week_the_variant_gets_more_traffic_and_a_new_epoch(connection: Connection) -> None:
    trial = Trial(connection, days=6)
    trial.units("control", 900, replied=0.1)
    trial.units("variant_a", 100, replied=0.1)
    (early,) = decide(connection, "acme", now=NOW)
    assert early.action is Action.NONE
    (later,) = decide(connection, "acme", now=NOW + timedelta(days=2))
    assert (later.judgement.verdict, later.action) == (Verdict.INCONCLUSIVE, Action.RAMP)
    assert arms(connection) == {"control": ("v1.0.0", 50), "variant_a": ("v1.1.0", 50)}
    experiment = trial.experiment
    assert [(each.epoch, each.arm.value, each.share) for each in experiment.arms] == [
        (1, "control", 0.9), (1, "variant_a", 0.1), (2, "control", 0.5), (2, "variant_a", 0.5),
    ]  # fmt: skip
    assert experiment.id == early.experiment.id


def test_lost_units_of_one_arm_stop_the_ramp_and_the_verdict(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 1600, replied=0.3)
    (decision,) = decide(connection, "acme", now=NOW)
    assert (decision.judgement.verdict, decision.action) == (Verdict.INCONCLUSIVE, Action.NONE)
    assert "sample-ratio mismatch" in decision.judgement.reason


def test_a_silent_feed_stops_the_verdict(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.3)
    connection.execute(
        "insert into webhook_events (event_key, organization_id, event_type, occurred_at, received_at, source, matched)"
        " select gen_random_uuid(), 'acme', 'opened', at, at, 'sendgrid', true from generate_series(%s::timestamptz, %s, '12 hours') at",
        (NOW - timedelta(days=25), NOW - timedelta(days=4)),
    )
    connection.commit()
    (decision,) = decide(connection, "acme", now=NOW)
    assert (decision.judgement.verdict, decision.action) == (Verdict.INCONCLUSIVE, Action.NONE)
    assert "feed is silent" in decision.judgement.reason


def test_what_is_not_allowed_is_only_written_down(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.3)
    (decision,) = decide(connection, "acme", now=NOW, allowed=frozenset())
    assert (decision.judgement.verdict, decision.action) == (Verdict.PROMOTE, Action.NONE)
    assert arms(connection)["control"] == ("v1.0.0", 50)
    assert [(row["verdict"], row["action"], row["provisional"]) for row in stored(connection)] == [("promote", "none", False)]


def test_the_rules_are_those_of_the_first_look(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.09)
    (first,) = decide(connection, "acme", Rules(policy=Policy(alpha=0.01)), now=NOW)
    assert first.judgement.alpha == 0.01
    (second,) = decide(connection, "acme", Rules(policy=SCORE), now=NOW)
    assert (second.judgement.alpha, second.action) == (0.01, Action.NONE)


def test_the_plain_rule_can_be_chosen_and_promotes_what_the_evidence_leaves_open(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.09)
    (decision,) = decide(connection, "acme", Rules(policy=SCORE), now=NOW)
    assert (decision.judgement.verdict, decision.action) == (Verdict.PROMOTE, Action.PROMOTE)
    assert stored(connection)[0]["policy"] == "score"


def test_a_unit_counts_for_its_first_arm_wherever_a_ramp_moved_it(connection: Connection) -> None:
    trial = Trial(connection, variant_share=10)
    trial.units("control", 900, replied=0.1)
    trial.units("variant_a", 100, replied=0.1)
    deploy(trial.variant, 50, "variant_a").run(connection)
    connection.commit()
    connection.execute(
        "insert into model_exposures (experiment_id, organization_id, unit, arm, epoch, registry_id, campaign_id, exposed_at)"
        " select experiment_id, organization_id, unit, 'variant_a', 2, %s, campaign_id, %s from model_exposures where arm = 'control' limit 400",
        (trial.variant, NOW - timedelta(days=1)),
    )
    connection.commit()
    (decision,) = decide(connection, "acme", Rules(age=timedelta(0)), now=NOW)
    assert (decision.counts["control"]["units"], decision.counts["variant_a"]["units"]) == (900, 100)


def test_of_two_variants_the_better_one_is_promoted_and_the_error_is_shared(connection: Connection) -> None:
    trial = Trial(connection, variant_share=30)
    third = model(connection, "v1.2.0")
    deploy(third, 30, "variant_b").run(connection)
    connection.commit()
    trial.units("control", 1600, epoch=2, replied=0.08)
    trial.units("variant_a", 1200, epoch=2, replied=0.3)
    trial.variant = third
    trial.units("variant_b", 1200, epoch=2, replied=0.4)
    (decision,) = decide(connection, "acme", now=NOW)
    assert (decision.arm.value, decision.action, decision.judgement.alpha) == ("variant_b", Action.PROMOTE, 0.025)
    assert arms(connection) == {"control": ("v1.2.0", 100)}


def test_a_member_sees_the_decisions_of_its_own_experiments_only(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 100)
    decide(connection, "acme", now=NOW)
    connection.commit()
    for organization, seen in (("acme", 1), ("rival", 0)):
        connection.execute("set local role flywheel_member")
        connection.execute("select set_config('flywheel.organization_id', %s, true)", (organization,))
        for table in ("experiments", "experiment_decisions"):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (seen,), table  # type: ignore[arg-type]
        assert (connection.execute("select count(*) from model_exposures").fetchone() or (0,))[0] == 100 * seen
        connection.rollback()


def test_a_message_that_seems_to_be_sent_a_moment_before_its_exposure_counts(connection: Connection) -> None:
    trial = Trial(connection)
    trial.units("control", 10, replied=0.5)
    connection.execute("update outcome_labels set sent_at = sent_at - interval '4 minutes'")
    connection.commit()
    (decision,) = decide(connection, "acme", Rules(age=timedelta(0)), now=NOW)
    assert decision.counts["control"] | {"cost": 0} == decision.counts["control"] | {"units": 10, "unsent": 0, "cost": 0}


def test_units_without_a_message_are_told(connection: Connection) -> None:
    trial = Trial(connection)
    trial.units("control", 10)
    connection.execute("delete from outcome_labels where lead_id in ('lead-1', 'lead-2')")
    connection.commit()
    (decision,) = decide(connection, "acme", now=NOW + timedelta(days=30))
    assert (decision.counts["control"]["units"], decision.counts["control"]["unsent"]) == (10, 2)


def test_a_plain_rule_needs_units_to_look_at(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 30, replied=0.2)
    trial.units("variant_a", 30, replied=0.5)
    (decision,) = decide(connection, "acme", Rules(policy=SCORE), now=NOW + timedelta(days=20))
    assert (decision.judgement.verdict, decision.action) == (Verdict.INCONCLUSIVE, Action.NONE)
    assert "30 units in the smaller arm of 50" in decision.judgement.reason


def test_looking_writes_nothing_and_fixes_no_rules(connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 100, replied=0.1)
    (seen,) = consider(connection, "acme", Rules(policy=SCORE), now=NOW)
    assert seen.id is None
    assert stored(connection) == []
    assert trial.experiment.rules is None


def test_nobody_waits_for_a_verdict_and_what_changed_meanwhile_is_judged_anew(database: Database, connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08)
    trial.units("variant_a", 2000, replied=0.3)
    with connect(database.addresses.service) as other, ThreadPoolExecutor(1) as pool:
        other.execute("select lock_deployments()")  # a deployment that is not committed yet
        archive(trial.variant).run(other)
        decided = pool.submit(decide, connection, "acme", now=NOW)
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while other.execute(waiting).fetchone() == (0,):
            pass
        other.commit()
        assert decided.result() == []
    assert arms(connection) == {"control": ("v1.0.0", 100)}
