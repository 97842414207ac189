"""From told leads to a version, and from a version to a decision: the same twice, whole or not at all, one at a time."""

import threading
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.leads import training
from flywheel_dagster.leads.deciding import decide
from flywheel_dagster.leads.decisions import history, roll_back
from flywheel_dagster.leads.gate import Action
from flywheel_dagster.leads.learning.learn import Options
from flywheel_dagster.leads.policies import PLAIN
from flywheel_dagster.leads.told import read_told_leads
from flywheel_dagster.leads.training import train
from flywheel_dagster.leads.versions import deployed_version, list_versions, load_model
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.leads.making import NEW_YEAR, leads, score, tell, told

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(autouse=True)
def _one_setting(quick_learner: None) -> None:
    """Learning is what `learning/` tests."""


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()  # type: ignore[arg-type]
    connection.commit()
    assert row is not None
    return int(row[0])


def test_a_version_is_learnt_kept_with_its_leads_and_can_be_loaded(connection: Connection) -> None:
    told(connection, 120)
    found = train(connection, "acme", run_id="run 1")
    version = found.version
    assert version is not None and found.new and version.version == "1.0" and version.run_id == "run 1"
    assert (version.rows, version.estimator, version.deployed) == (120, "logistic", False)
    assert 0.7 < version.metrics["auc_low"] < version.metrics["out_of_fold"]["auc"] < version.metrics["auc_high"] < 1
    assert version.card["telling"][0][0] in {"website_visits", "email_opens"} and version.card["with_outcome"] == 0
    members = connection.execute(
        "select count(*), count(out_of_fold), count(distinct row_group) > 90 from lead_model_members where model_id = %s",
        (version.id,),
    ).fetchone()
    assert members == (120, 120, True)
    model = load_model(connection, version)
    low, high = model.score([{"website_visits": 1, "email_opens": 1}, {"website_visits": 12, "email_opens": 9}])
    assert low < 0.2 and high > 0.8


def test_the_same_leads_are_the_same_version_and_new_ones_the_next(connection: Connection) -> None:
    told(connection, 80)
    first = train(connection, "acme")
    again = train(connection, "acme")
    assert first.version == again.version and first.new and not again.new and "before" in again.reason
    told(connection, 10, start=80)
    second = train(connection, "acme").version
    assert second is not None and second.version == "1.1"
    told(connection, 30, organization="other")
    other = train(connection, "other").version
    assert other is not None and other.version == "1.0"
    assert [each.version for each in list_versions(connection, "acme")] == ["1.1", "1.0"]


def test_words_that_change_nothing_are_known_to_the_version_all_the_same(connection: Connection) -> None:
    given = told(connection, 80)
    first = train(connection, "acme").version
    tell(connection, given[:9], at=NEW_YEAR + timedelta(days=90))
    again = train(connection, "acme")
    assert first is not None and again.version is not None and not again.new
    assert (again.version.version, again.version.feedback_through) == ("1.0", again.told.through)


def test_fields_that_a_person_left_out_stay_out_until_somebody_says_otherwise(connection: Connection) -> None:
    told(connection, 80)
    first = train(connection, "acme", options=Options(exclude=("age",))).version
    told(connection, 5, start=80)
    second, third = train(connection, "acme").version, train(connection, "acme", options=Options()).version
    assert first is not None and second is not None and third is not None
    assert ["age" in each.card["fields"] for each in (first, second, third)] == [False, False, True]


def test_what_cannot_be_learnt_from_is_remembered_once_with_what_is_missing(connection: Connection) -> None:
    given = leads(60)
    score(connection, given)
    tell(connection, [lead for lead in given if not lead.outcome])
    for _ in range(2):
        found = train(connection, "acme")
        assert found.version is None and "converted" in found.reason
    (only,) = history(connection, "acme")
    assert only.action is Action.INSUFFICIENT and only.numbers["feedback_through"] == found.told.through and only.version is None
    decided = decide(connection, "acme")
    assert decided.candidate is None and not decided.new and decided.serving == "prior"


def test_a_training_that_dies_leaves_nothing_and_is_done_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    told(connection, 80)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("_refuse_erased", "_store"):
        with monkeypatch.context() as broken:
            broken.setattr(training, name, die)
            with pytest.raises(KeyboardInterrupt):
                train(connection, "acme")
        assert (_count(connection, "lead_models"), _count(connection, "lead_model_members")) == (0, 0)
    found = train(connection, "acme")
    assert found.new and found.version is not None and found.version.version == "1.0"


def test_two_trainings_at_once_make_one_version(connection: Connection, database: Database) -> None:
    told(connection, 80)
    found: list[tuple[str, bool]] = []

    def work() -> None:
        with connect(database.addresses.service) as own:
            trained = train(own, "acme")
            assert trained.version is not None
            found.append((trained.version.version, trained.new))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [("1.0", False), ("1.0", True)]


def test_nobody_who_scores_or_tells_waits_for_a_training(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = told(connection, 80)
    store = training._store

    def meanwhile(*of: object, **named: object) -> str:
        with connect(database.addresses.service) as other:
            other.execute("set lock_timeout = '1s'")
            score(other, given[:3])
            told(other, 2, start=500)
        return store(*of, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_store", meanwhile)
    found = train(connection, "acme")
    assert found.version is not None and found.version.rows == 80
    assert len(read_told_leads(connection, "acme").rows) == 82


def test_a_lead_that_is_erased_meanwhile_is_not_learnt_from(
    connection: Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = told(connection, 80)
    store = training._store

    def meanwhile(*of: object, **named: object) -> str:
        with connect(database.addresses.service) as other:
            other.execute("select begin_erasure('acme', %s)", (given[0].lead_id,))
        return store(*of, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_store", meanwhile)
    with pytest.raises(InputError, match="erased while it was learnt from"):
        train(connection, "acme")
    assert _count(connection, "lead_models") == 0


def test_a_first_version_that_tells_leads_apart_is_deployed_once(connection: Connection) -> None:
    told(connection, 120)
    train(connection, "acme")
    decided = decide(connection, "acme", decided_by="run 1")
    assert decided.new and decided.decision.action is Action.DEPLOY and decided.serving == "1.0"
    assert decided.decision.numbers["against"] == "prior" and decided.decision.numbers["rows"] == 120
    again = decide(connection, "acme")
    assert not again.new and again.serving == "1.0" and "already" in again.decision.reason
    (only,) = history(connection, "acme")
    assert (only.action, only.version, only.deployed, only.decided_by) == (Action.DEPLOY, "1.0", None, "run 1")


def test_a_first_version_that_knows_nothing_stays_away(connection: Connection) -> None:
    told(connection, 120, strength=0)
    train(connection, "acme")
    first = decide(connection, "acme")
    assert first.decision.action is Action.KEEP and first.serving == "prior"
    assert decide(connection, "acme").decision == first.decision and len(history(connection, "acme")) == 1


def test_a_later_version_is_judged_by_leads_that_the_deployed_one_had_not_seen(connection: Connection) -> None:
    told(connection, 120)
    train(connection, "acme")
    decide(connection, "acme")
    told(connection, 30, start=120)
    train(connection, "acme")
    few = decide(connection, "acme")
    assert (
        few.decision.action is Action.INSUFFICIENT
        and few.decision.numbers["rows"] <= 30
        and "more told leads" in few.decision.reason
    )
    assert few.decision.numbers["look"] == 1
    told(connection, 90, start=150)
    train(connection, "acme")
    enough = decide(connection, "acme")
    assert enough.decision.numbers["rows"] > 90 and enough.decision.numbers["look"] == 1 and enough.serving == "1.0"
    told(connection, 20, start=240)
    train(connection, "acme")
    assert decide(connection, "acme").decision.numbers["look"] == 2
    versions = list_versions(connection, "acme")
    first = deployed_version(versions)
    assert first is not None and first.version == "1.0" and enough.decision.numbers["deployed"] == str(first.id)


def test_a_version_that_learnt_a_world_anew_replaces_one_that_did_not(connection: Connection) -> None:
    told(connection, 60, strength=0, seed=8)
    train(connection, "acme")
    assert decide(connection, "acme", policy=PLAIN).decision.action in (Action.DEPLOY, Action.KEEP)
    if deployed_version(list_versions(connection, "acme")) is None:
        _deploy_by_hand(connection, list_versions(connection, "acme")[0].id)
    told(connection, 300, start=60, strength=2)
    train(connection, "acme")
    decided = decide(connection, "acme")
    assert (
        decided.decision.action is Action.DEPLOY and decided.serving == "1.1" and decided.decision.numbers["against"] == "version"
    )


def _deploy_by_hand(connection: Connection, model: UUID) -> None:
    connection.execute(
        "insert into lead_decisions (organization_id, model_id, action, reason, decided_by) values ('acme', %s, 'deploy', 'test', 'test')",
        (model,),
    )
    connection.commit()


def test_features_that_came_with_the_outcome_count_only_where_there_are_no_others(connection: Connection) -> None:
    told(connection, 120)
    told(connection, 80, start=120, late=True)
    train(connection, "acme")
    numbers = decide(connection, "acme").decision.numbers
    assert (numbers["rows"], numbers["with_outcome"], numbers["left_out_with_outcome"]) == (120, 0, 80)
    told(connection, 100, organization="late", late=True)
    train(connection, "late")
    numbers = decide(connection, "late").decision.numbers
    assert (numbers["rows"], numbers["with_outcome"], numbers["left_out_with_outcome"]) == (100, 100, 0)


def test_a_version_that_is_rolled_back_stays_so_on_the_same_leads(connection: Connection) -> None:
    told(connection, 120)
    train(connection, "acme")
    decide(connection, "acme")
    assert roll_back(connection, "acme", decided_by="ada", reason="complaints") == "prior"
    train(connection, "acme")
    decided = decide(connection, "acme")
    assert not decided.new and decided.serving == "prior" and "rolled back" in decided.decision.reason
    newest = history(connection, "acme")[0]
    assert (newest.action, newest.version, newest.deployed, newest.reason, newest.decided_by) == (
        Action.ROLL_BACK, None, "1.0", "complaints", "ada",
    )  # fmt: skip
    assert roll_back(connection, "acme", "1.0", decided_by="ada") == "1.0"
    told(connection, 5, start=120)
    train(connection, "acme")
    with pytest.raises(InputError, match=r"1\.1 was never deployed"):
        roll_back(connection, "acme", "1.1", decided_by="ada")


def test_rolling_back_goes_on_to_what_was_before_and_ends_at_the_prior(connection: Connection) -> None:
    for lot in range(3):
        told(connection, 40, start=40 * lot)
        version = train(connection, "acme").version
        assert version is not None
        _deploy_by_hand(connection, version.id)
    assert [roll_back(connection, "acme", decided_by="ada") for _ in range(3)] == ["1.1", "1.0", "prior"]
    with pytest.raises(InputError, match="nothing to roll back"):
        roll_back(connection, "acme", decided_by="ada")
    with pytest.raises(InputError, match="scores the leads of acme already"):
        roll_back(connection, "acme", "prior", decided_by="ada")
    with pytest.raises(InputError, match=r"no version '9\.9'.*1\.2, 1\.1, 1\.0"):
        roll_back(connection, "acme", "9.9", decided_by="ada")
    with pytest.raises(InputError, match="there are: none yet"):
        roll_back(connection, "nobody", "1.0", decided_by="ada")
