"""Promoting the winner by HTTP: on the evidence alone, and on the record."""

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster_tests.api.serving import Serving
from flywheel_dagster_tests.models.making import arms
from flywheel_dagster_tests.models.verdicts.making import Trial

Connection = psycopg.Connection[TupleRow]
PROMOTE = "/training/promote-winner"


def test_a_variant_that_is_clearly_better_gets_all_traffic(served: Serving, connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.08, meeting=0.02, deal=0.005)
    trial.units("variant_a", 2000, replied=0.16, meeting=0.05, deal=0.01)
    said = served.asking("acme").post(PROMOTE).json()
    assert (said["winner"], said["winner_id"]) == ("variant", str(trial.variant))
    assert said["variant_score"] > said["control_score"] > 0
    assert abs(said["improvement_percentage"] / (100 * (said["variant_score"] / said["control_score"] - 1)) - 1) < 0.05
    assert [(each["arm"], each["verdict"], each["action"]) for each in said["variants"]] == [("variant_a", "promote", "promote")]
    assert arms(connection) == {"control": ("v1.1.0", 100)}
    row = connection.execute("select id, actor from experiment_decisions").fetchone()
    assert row is not None
    assert row[0] == said["variants"][0]["decision_id"]
    assert row[1].startswith("API key environment ")


def test_without_enough_evidence_nobody_wins_and_nothing_changes(served: Serving, connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    for arm in ("control", "variant_a"):
        trial.units(arm, 60, replied=0.1)
    before = arms(connection)
    connection.commit()
    said = served.asking("*").post(PROMOTE, json={"organization_id": "acme"}).json()
    assert (said["winner"], said["winner_id"]) == (None, None)
    assert [(each["verdict"], each["action"]) for each in said["variants"]] == [("inconclusive", "none")]
    assert said["variants"][0]["reason"]
    assert arms(connection) == before


def test_a_variant_that_does_harm_leaves_all_traffic_to_the_control(served: Serving, connection: Connection) -> None:
    trial = Trial(connection, variant_share=50)
    trial.units("control", 2000, replied=0.1, unsubscribed=0.001)
    trial.units("variant_a", 2000, replied=0.1, unsubscribed=0.2)
    said = served.asking("acme").post(PROMOTE, json={}).json()
    assert (said["winner"], said["winner_id"]) == ("control", str(trial.control))
    assert said["variants"][0]["verdict"] == "roll_back"
    assert arms(connection) == {"control": ("v1.0.0", 100)}


def test_where_no_experiment_runs_the_answer_says_how_to_begin_one(served: Serving) -> None:
    answer = served.asking("*").post(PROMOTE)
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "no_experiment")
    assert "/training/deploy" in answer.json()["error"]["message"]


def test_another_organizations_experiment_is_neither_judged_nor_told_of(served: Serving, connection: Connection) -> None:
    Trial(connection, variant_share=50)
    assert served.asking("rival").post(PROMOTE, json={"organization_id": "acme"}).status_code == 404
    assert served.asking("rival").post(PROMOTE).status_code == 409
    assert served.asking("rival").post(PROMOTE, json={"organization_id": None}).status_code == 403
    assert connection.execute("select count(*) from experiment_decisions").fetchone() == (0,)
