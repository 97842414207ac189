"""Which variants do harm now: the guardrails alone, between two verdicts, and the end of one that does."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.models.experiments.safety import harm
from flywheel_dagster.models.experiments.verdict import Verdict
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.deciding import Decision, decide
from flywheel_dagster.models.verdicts.rules import USUAL, Action, Rules
from flywheel_dagster.models.verdicts.running import experiment_of, units_of


@dataclass(frozen=True)
class Breach:
    """A variant that is shown to do harm, and by what."""

    scope: str
    experiment_id: UUID
    registry_id: UUID
    arm: Arm
    reason: str


def scopes_to_judge(connection: psycopg.Connection[TupleRow]) -> list[str]:
    """The scopes with a running experiment, or with a promotion that isn't settled yet."""
    return [str(scope) for (scope,) in connection.execute(statement("running_experiments")).fetchall()]


def breaches(connection: psycopg.Connection[TupleRow], rules: Rules = USUAL, *, now: datetime) -> list[Breach]:
    """The variants of all running experiments that breach a guardrail."""
    found = []
    for scope in scopes_to_judge(connection):
        experiment = experiment_of(connection, scope=scope)
        if experiment is None:
            continue
        own = experiment.rules or rules
        exposed = units_of(connection, experiment, as_of=now, age=None)
        matured = units_of(connection, experiment, as_of=now, age=own.age)
        for arm in experiment.compared:
            guards = harm(
                exposed.totals(experiment, arm),
                matured.totals(experiment, arm),
                own.policy,
                variants=len(experiment.variants),
            )
            if broken := [each.text for each in guards if not each.passed]:
                found.append(Breach(scope, experiment.id, experiment.present[arm].registry_id, arm, "; ".join(broken)))
    return found


def end_harmful(
    connection: psycopg.Connection[TupleRow],
    scope: str,
    variant: UUID,
    rules: Rules = USUAL,
    *,
    now: datetime,
    actor: str | None = None,
) -> Decision | None:
    """Judge one variant, keep the decision and end it where the verdict is to roll back; None where it isn't, and nothing is kept."""

    def harmful(decision: Decision) -> bool:
        return decision.variant == variant and decision.judgement.verdict is Verdict.ROLL_BACK

    decided = decide(connection, scope, rules, now=now, actor=actor, allowed=frozenset({Action.END_VARIANT}), only=harmful)
    return decided[0] if decided else None
