"""Who serves: what each verb does, what the database refuses whoever writes, and the history."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect, statement
from flywheel_dagster.errors import DeploymentError, InputError, UnknownModelError
from flywheel_dagster.models.deployment import Verb, archive, deploy, deprecate, live_at, promote, roll_back, set_baseline
from flywheel_dagster.models.model_registry import ModelRegistry
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.models.making import arms, model
from flywheel_dagster_tests.models.test_registry import registered
from flywheel_dagster_tests.thoroughness import examples

Connection = psycopg.Connection[TupleRow]


@pytest.fixture
def versions(connection: Connection) -> list[UUID]:
    return [model(connection, f"v1.{number}.0") for number in range(4)]


def done(connection: Connection, *verbs: Verb) -> dict[str, tuple[str, float]]:
    for verb in verbs:
        verb.run(connection)
        connection.commit()
    return arms(connection)


def history(connection: Connection, *columns: str) -> list[TupleRow]:
    found = connection.execute(
        f"select {', '.join(columns)} from model_changes c join model_registry m on m.id = c.registry_id where action <> 'register' order by c.id"  # type: ignore[arg-type]
    ).fetchall()
    connection.commit()
    return found


def test_a_variant_takes_its_share_from_the_control_and_gives_it_back(connection: Connection, versions: list[UUID]) -> None:
    first, second, third, _ = versions
    assert done(connection, deploy(first)) == {"control": ("v1.0.0", 100)}
    assert done(connection, deploy(second, 10, "variant_a")) == {"control": ("v1.0.0", 90), "variant_a": ("v1.1.0", 10)}
    assert done(connection, deploy(second, 50, "variant_a"))["control"] == ("v1.0.0", 50)
    both = done(connection, deploy(third, 20, "variant_b"))
    assert both == {"control": ("v1.0.0", 30), "variant_a": ("v1.1.0", 50), "variant_b": ("v1.2.0", 20)}
    assert done(connection, archive(second)) == {"control": ("v1.0.0", 80), "variant_b": ("v1.2.0", 20)}
    assert done(connection, promote(third)) == {"control": ("v1.2.0", 100)}


def test_another_model_in_an_arm_takes_the_place_of_the_one_before(connection: Connection, versions: list[UUID]) -> None:
    first, second, third, fourth = versions
    done(connection, deploy(first), deploy(second, 10, "variant_a"))
    assert done(connection, deploy(third, 20, "variant_a")) == {"control": ("v1.0.0", 80), "variant_a": ("v1.2.0", 20)}
    assert done(connection, deploy(fourth, 80, "control")) == {"control": ("v1.3.0", 80), "variant_a": ("v1.2.0", 20)}
    assert done(connection, deploy(first)) == {"control": ("v1.0.0", 100)}


def test_the_baseline_becomes_the_control_of_a_first_variant(connection: Connection, versions: list[UUID]) -> None:
    base = model(connection, "gpt-4o-mini", is_base=True)
    with pytest.raises(DeploymentError, match=r"has no control that v1\.0\.0 could be compared with: set a baseline"):
        deploy(versions[0], 10, "variant_a").run(connection)
    assert done(connection, set_baseline(base), deploy(versions[0], 10, "variant_a")) == {
        "control": ("gpt-4o-mini", 90),
        "variant_a": ("v1.0.0", 10),
    }
    with pytest.raises(DeploymentError, match="is the baseline of acme: set another baseline first"):
        deprecate(base).run(connection)


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (lambda v: deploy(v[0], 10, "variant_a"), "v1.0.0 of acme is its control"),
        (
            lambda v: deploy(v[2], 90, "variant_b"),
            "nothing is left for the control: the variants would have 100 %: less than 90 % is free",
        ),
        (lambda v: deploy(v[2], 95, "control"), "a control of 95 % leaves -5 % without a model: the variants have 10 %"),
        (lambda v: deploy(v[2], 0, "variant_b"), "0 % is no share"),
        (lambda v: deploy(v[2], float("nan"), "variant_b"), "is no share"),
        (lambda v: deploy(v[2], 101), "101 % is no share"),
        (lambda v: deploy(v[2], 10, "variant_c"), "no arm is called variant_c: it is control, variant_a or variant_b"),
        (lambda v: archive(v[0]), "v1.0.0 is the control of an experiment of acme: promote or archive the variants first"),
        (lambda v: roll_back("acme"), "scope acme has no earlier control to go back to"),
        (lambda v: roll_back("nobody"), "scope nobody has no earlier control"),
    ],
)
def test_what_breaks_the_rules_is_refused_with_the_remedy_and_changes_nothing(
    connection: Connection, versions: list[UUID], verb: Callable[[list[UUID]], Verb], said: str
) -> None:
    before = done(connection, deploy(versions[0]), deploy(versions[1], 10, "variant_a"))
    noted = history(connection, "c.id")
    with pytest.raises(DeploymentError) as refused:
        verb(versions).run(connection)
    assert said in str(refused.value)
    assert (arms(connection), history(connection, "c.id")) == (before, noted)


@pytest.mark.parametrize("status", ["failed", "training"])
def test_what_is_not_ready_serves_nobody(connection: Connection, status: str) -> None:
    unfit = model(connection, status=status)
    for verb in (deploy(unfit), promote(unfit), set_baseline(unfit)):
        with pytest.raises(DeploymentError, match=r"failed its examination|is not trained yet"):
            verb.run(connection)


def test_an_unknown_model_is_told_from_a_refusal(connection: Connection) -> None:
    with pytest.raises(UnknownModelError, match=r"no model has the registry id .*: see flywheel model list"):
        deploy(uuid4()).run(connection)


def test_a_deprecated_model_never_comes_back(connection: Connection, versions: list[UUID]) -> None:
    first, second, *_ = versions
    done(connection, deploy(first), deploy(second), deprecate(first))
    with pytest.raises(DeploymentError, match=r"v1\.0\.0 of acme can't be deployed: it is deprecated"):
        deploy(first).run(connection)
    with pytest.raises(DeploymentError, match="no earlier control"):
        roll_back("acme").run(connection)


def test_a_roll_back_goes_to_the_control_before_and_never_to_what_was_rolled_back(
    connection: Connection, versions: list[UUID]
) -> None:
    first, second, third, _ = versions
    done(connection, deploy(first), promote(second), promote(third))
    assert done(connection, roll_back("acme", reason="spam reports")) == {"control": ("v1.1.0", 100)}
    assert done(connection, roll_back("acme")) == {"control": ("v1.0.0", 100)}
    with pytest.raises(DeploymentError, match="no earlier control"):
        roll_back("acme").run(connection)
    assert done(connection, deploy(third), roll_back("acme")) == {"control": ("v1.0.0", 100)}


def test_a_roll_back_ends_the_experiment(connection: Connection, versions: list[UUID]) -> None:
    first, second, third, _ = versions
    done(connection, deploy(first), promote(second), deploy(third, 10, "variant_a"))
    assert done(connection, roll_back("acme")) == {"control": ("v1.0.0", 100)}


def test_the_history_says_who_did_what_and_why_and_stays(connection: Connection, versions: list[UUID]) -> None:
    first, second, *_ = versions
    done(
        connection,
        deploy(first, actor="kim", reason="first one"),
        deploy(second, 10, "variant_a", actor="lee"),
        promote(second, reason="+8 %"),
    )
    user = connection.info.user
    assert history(
        connection, "action", "actor", "reason", "model_version", "c.status", "c.traffic_percentage", "c.ab_test_group"
    ) == [
        ("deploy", "kim", "first one", "v1.0.0", "deployed", 100, "control"),
        ("deploy", "lee", None, "v1.0.0", "deployed", 90, "control"),
        ("deploy", "lee", None, "v1.1.0", "deployed", 10, "variant_a"),
        ("promote", user, "+8 %", "v1.0.0", "archived", 0, None),
        ("promote", user, "+8 %", "v1.1.0", "deployed", 100, "control"),
    ]
    for change in ("update model_changes set actor = 'nobody'", "delete from model_changes", "truncate model_changes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(change)  # type: ignore[arg-type]
        connection.rollback()


def test_the_name_of_who_acted_does_not_outlive_the_transaction(connection: Connection, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0], actor="kim", reason="mine"), deploy(versions[1]))
    assert {actor for (actor,) in history(connection, "actor")[1:]} == {connection.info.user}


def test_what_was_live_at_a_moment_is_known(connection: Connection, versions: list[UUID]) -> None:
    everyone = model(connection, "v9.0.0", None)
    base = model(connection, "gpt-4o-mini", None, is_base=True)
    moments = [datetime.now(UTC)]
    for verb in (
        set_baseline(base),
        deploy(everyone),
        deploy(versions[0]),
        deploy(versions[1], 10, "variant_a"),
        promote(versions[1]),
    ):
        verb.run(connection)
        connection.commit()
        moments.append(datetime.now(UTC))
    archive(versions[1]).run(connection)
    connection.commit()

    def seen(organization: str, moment: datetime) -> list[tuple[str, str | None, float]]:
        found = live_at(connection, organization, moment)
        connection.commit()
        return [(row["model_version"], row["ab_test_group"], row["traffic_percentage"]) for row in found]

    assert [seen("acme", moment) for moment in moments] == [
        [],
        [("gpt-4o-mini", None, 0)],
        [("v9.0.0", "control", 100)],
        [("v1.0.0", "control", 100)],
        [("v1.0.0", "control", 90), ("v1.1.0", "variant_a", 10)],
        [("v1.1.0", "control", 100)],
    ]
    assert seen("acme", datetime.now(UTC)) == seen("rival", moments[-1]) == [("v9.0.0", "control", 100)]


@pytest.mark.parametrize(
    "change",
    [
        "update model_registry set traffic_percentage = 80 where ab_test_group = 'control'",
        "update model_registry set status = 'archived', traffic_percentage = 0, ab_test_group = null where ab_test_group = 'control'",
        "update model_registry set traffic_percentage = 0 where ab_test_group = 'variant_a'",
        "insert into model_registry (organization_id, model_id, model_version, base_model, trainer, status, ab_test_group, traffic_percentage)"
        " values ('acme', 'm', 'v7.0.0', 'm', 'openai', 'deployed', 'variant_b', 10)",
        "update model_registry set organization_id = 'rival' where ab_test_group = 'variant_a'",
    ],
)
def test_whoever_writes_one_control_and_all_of_the_traffic_remain(
    connection: Connection, versions: list[UUID], change: str
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 10, "variant_a"))
    connection.execute(change)  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.CheckViolation, match="scope acme would have"):
        connection.commit()
    connection.rollback()
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("update model_registry set ab_test_group = 'control' where ab_test_group = 'variant_a'")
    connection.rollback()


CHOICES = st.tuples(
    st.sampled_from(["deploy", "promote", "archive", "deprecate", "roll_back", "set_baseline"]),
    st.integers(0, 3),
    st.sampled_from(["control", "variant_a", "variant_b"]),
    st.sampled_from([5, 10, 33.3, 50, 90, 100]),
)


def chosen(versions: list[UUID], choice: tuple[str, int, str, float]) -> Verb:
    name, number, arm, share = choice
    plain = {"promote": promote, "archive": archive, "deprecate": deprecate, "set_baseline": set_baseline}
    if name == "deploy":
        return deploy(versions[number], share, arm)
    return roll_back("acme") if name == "roll_back" else plain[name](versions[number])


@settings(max_examples=examples(25, quick=10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choices=st.lists(CHOICES, max_size=12))
def test_any_verbs_in_any_order_leave_one_control_all_traffic_and_the_whole_history(
    database: Database, choices: list[tuple[str, int, str, float]]
) -> None:
    with connect(database.addresses.service) as connection:
        organization = f"firm-{uuid4().hex[:8]}"
        versions = [model(connection, f"v1.{number}.0", organization) for number in range(4)]
        for choice in choices:
            with suppress(DeploymentError):
                (roll_back(organization) if choice[0] == "roll_back" else chosen(versions, choice)).run(connection)
            connection.commit()
            serving = arms(connection, organization)
            assert not serving or (sum(share for _, share in serving.values()) == pytest.approx(100) and "control" in serving)
            live = {
                row["ab_test_group"]: (row["model_version"], row["traffic_percentage"])
                for row in live_at(connection, organization, datetime.now(UTC))
            }
            connection.commit()
            assert not serving or live == serving


def test_a_thousand_calls_at_once_leave_one_control_and_a_complete_history(
    database: Database, connection: Connection, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]))
    (before,) = connection.execute("select count(*) from model_changes").fetchall()[0]
    connection.commit()

    def act(seed: int) -> Counter[str]:
        rng, told = random.Random(seed), Counter[str]()
        with connect(database.addresses.service) as mine:
            for _ in range(125):
                name = rng.choice(["deploy", "deploy", "promote", "roll_back"])
                arm = rng.choice(["control", "variant_a", "variant_b"])
                verb = chosen(versions, (name, rng.randrange(4), arm, rng.choice([10, 50, 100])))
                try:
                    verb.run(mine)
                    told["done"] += 1
                except DeploymentError:
                    told["refused"] += 1
                mine.commit()
        return told

    with ThreadPoolExecutor(8) as pool:
        told = sum(pool.map(act, range(8)), Counter[str]())
    assert told.total() == 1000
    assert told["done"] > 200
    serving = arms(connection)
    assert "control" in serving
    assert sum(share for _, share in serving.values()) == pytest.approx(100)
    # Each model is what its last change says; each change follows from the one before; no moment had two controls or lost traffic.
    assert connection.execute(
        "select count(*) from model_registry m join lateral (select * from model_changes c where c.registry_id = m.id order by id desc limit 1) l on true"
        " where (l.status, l.traffic_percentage, l.ab_test_group) is distinct from (m.status, m.traffic_percentage, m.ab_test_group)"
    ).fetchone() == (0,)
    (after,) = connection.execute("select count(*) from model_changes").fetchall()[0]
    assert after - before >= told["done"] / 2
    moments = connection.execute("select distinct xmin::text, max(changed_at) from model_changes group by 1").fetchall()
    connection.commit()
    for _, moment in random.Random(1).sample(moments, 50):
        live = live_at(connection, "acme", moment)
        assert sum(row["traffic_percentage"] for row in live) in (0, pytest.approx(100))
        assert sum(row["ab_test_group"] == "control" for row in live) == (1 if live else 0)


def test_exposures_and_deployments_do_not_hold_each_other_up(
    database: Database, connection: Connection, versions: list[UUID]
) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 10, "variant_a"))
    stop = Event()

    async def expose(number: int) -> int:
        async with ModelRegistry(database.addresses.service, refresh_seconds=0) as registry:
            count = 0
            while not stop.is_set():
                await registry.get_model_for_request("acme", "spring", f"lead-{number}-{count}")
                count += 1
            return count

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(asyncio.run, expose(number)) for number in range(4)]
        for turn in range(40):
            deploy(versions[1], 10 + turn, "variant_a").run(connection)
            connection.commit()
        stop.set()
        assert min(caller.result() for caller in callers) > 0
    assert arms(connection)["variant_a"] == ("v1.1.0", 49)


def test_a_variant_of_any_share_can_be_ended(connection: Connection, versions: list[UUID]) -> None:
    done(connection, deploy(versions[0]), deploy(versions[1], 22.6, "variant_a"), deploy(versions[2], 27.3, "variant_b"))
    assert done(connection, archive(versions[1]), archive(versions[2])) == {"control": ("v1.0.0", 100)}


def test_a_model_that_was_rolled_back_is_no_target_whatever_was_done_to_it_since(
    connection: Connection, versions: list[UUID]
) -> None:
    first, second, *_ = versions
    done(connection, deploy(first), promote(second), set_baseline(second), roll_back("acme"), set_baseline(first))
    with pytest.raises(DeploymentError, match="no earlier control"):
        roll_back("acme").run(connection)


def test_a_member_reads_no_reasons_of_the_global_scope(connection: Connection) -> None:
    everyone = model(connection, "v1.0.0", None)
    done(connection, deploy(everyone, actor="alice", reason="bounces 4 % against 2 %"))
    connection.execute("set local role flywheel_member")
    connection.execute("set local flywheel.organization_id = 'acme'")
    assert connection.execute("select count(*) from model_changes").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select lock_deployments()")
    connection.rollback()
    connection.execute("set local role flywheel_member")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select salt from experiments")
    connection.rollback()


def test_a_serving_version_keeps_its_model(connection: Connection) -> None:
    first = registered(connection, "acme", "data")
    connection.commit()
    done(connection, deploy(first.id))
    with pytest.raises(InputError, match=r"v1\.0\.0 of acme serves as .*; archive it"):
        registered(connection, "acme", "data", model_id="ft:retrained", fine_tuning_job_id="ftjob-2")
    connection.rollback()
    done(connection, archive(first.id))
    assert registered(connection, "acme", "data", model_id="ft:retrained", fine_tuning_job_id="ftjob-2").model_id == "ft:retrained"


def test_first_traffic_takes_no_arm_that_would_end_the_running_experiment(connection: Connection, versions: list[UUID]) -> None:
    first, second, third, _ = versions
    done(connection, deploy(first), deploy(second, 10, "variant_a"), deploy(third, 10, "variant_b"), archive(third))
    assert connection.execute(statement("free_variant"), {"scope": "acme"}).fetchone() == (None,)
