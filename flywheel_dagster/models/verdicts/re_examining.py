"""Looks again at promotions that were made on young outcomes, as deals come in; evidence that reversed takes the model back."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.errors import DeploymentError
from flywheel_dagster.models.deployment import roll_back, roll_back_to
from flywheel_dagster.models.experiments.re_examination import Finding, ReExamination, re_examine
from flywheel_dagster.models.experiments.verdict import Verdict
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.deciding import store_decision
from flywheel_dagster.models.verdicts.rules import Action, stored_rules
from flywheel_dagster.models.verdicts.running import experiment_of, units_of

_VERDICTS = {Finding.CONFIRMED: Verdict.PROMOTE, Finding.OPEN: Verdict.INCONCLUSIVE, Finding.REVERSED: Verdict.ROLL_BACK}


@dataclass(frozen=True)
class LookedAgain:
    """A promotion that was looked at again. `decision` is the new record, None where nothing had changed since the last one."""

    promotion: int
    decision: int | None
    age: timedelta
    found: ReExamination
    action: Action
    final: bool


def look_again(
    connection: psycopg.Connection[TupleRow],
    scope: str,
    *,
    now: datetime,
    actor: str | None = None,
    allowed: frozenset[Action] = frozenset(Action),
) -> list[LookedAgain]:
    """Look again at the scope's provisional promotions, each by its own rules, at the age that all of its units have reached.

    Evidence that reversed brings back the control that the promoted model replaced, or else the scope's last one that can serve. A promotion is
    settled when its units are `full_age` old, or when its model was taken back. One whose model doesn't serve at the moment stays open: it may
    serve again.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("provisional_promotions"), {"scope": scope}).fetchall()
    return [_look(connection, row, scope, now, actor, allowed) for row in rows]


def _look(
    connection: psycopg.Connection[TupleRow],
    row: dict[str, Any],
    scope: str,
    now: datetime,
    actor: str | None,
    allowed: frozenset[Action],
) -> LookedAgain:
    rules, arm = stored_rules(row["thresholds"]), Arm(row["arm"])
    age = min(rules.full_age, max(rules.age, timedelta(days=(now - row["ended_at"]).days)))
    with connection.transaction():
        experiment = experiment_of(connection, experiment_id=row["experiment_id"])
        assert experiment is not None
        units = units_of(connection, experiment, as_of=now, age=age)
    found = re_examine(units.totals(experiment, arm), policy=rules.policy, variants=row["variants"])
    counts = {each.value: units.counts(each) for each in (Arm.CONTROL, arm)}
    old = age >= rules.full_age
    wanted = found.finding is Finding.REVERSED and Action.ROLL_BACK in allowed
    with connection.transaction():
        action = Action.ROLL_BACK if wanted and _taken_back(connection, row, scope, found.reason, actor) else Action.NONE
        final = old or action is Action.ROLL_BACK
        if counts == row["counts"] and not final:
            return LookedAgain(row["id"], None, age, found, action, final)
        decision = store_decision(
            connection,
            experiment,
            arm=arm,
            rules=rules,
            verdict=_VERDICTS[found.finding],
            action=action,
            provisional=not final,
            age=age,
            window=(row["window_from"], row["ended_at"]),
            counts=counts,
            found=found.record(),
            actor=actor,
            re_examines=row["id"],
        )
    return LookedAgain(row["id"], decision, age, found, action, final)


def _taken_back(connection: psycopg.Connection[TupleRow], row: dict[str, Any], scope: str, why: str, actor: str | None) -> bool:
    """Whether the promoted model served and doesn't any more."""
    connection.execute("select lock_deployments()")
    (serves,) = connection.execute(statement("is_control"), {"registry_id": row["registry_id"]}).fetchone() or (False,)
    reason = f"decision {row['id']} reversed: {why}"
    for way in (
        (roll_back_to(row["control_id"], actor=actor, reason=reason), roll_back(scope, actor=actor, reason=reason))
        if serves
        else ()
    ):
        with suppress(DeploymentError):  # that one was deprecated, or there is none: the check says that somebody has to choose
            way.run(connection)
            return True
    return False
