"""Judges a scope's running experiment, keeps the decision with all its numbers, and does what it says, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.models.deployment import archive, deploy, promote
from flywheel_dagster.models.experiments.judge import judge
from flywheel_dagster.models.experiments.ramp import Ramp, may_ramp
from flywheel_dagster.models.experiments.verdict import Judgement, Verdict
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.models.verdicts.design import tuned
from flywheel_dagster.models.verdicts.feeds import silent_feeds
from flywheel_dagster.models.verdicts.rules import USUAL, Action, Rules, to_store
from flywheel_dagster.models.verdicts.running import Experiment, Units, experiment_of, fix_rules, moved_units, prior_of, units_of


@dataclass(frozen=True)
class Decision:
    """A verdict on one variant, and what it calls for or what was done. `id` is that of the stored record, None where it was only looked at."""

    id: int | None
    experiment: Experiment
    rules: Rules
    arm: Arm
    judgement: Judgement
    ramp: Ramp
    action: Action
    matured: Units
    moved: int

    @property
    def variant(self) -> UUID:
        """The variant's registry id."""
        return self.experiment.present[self.arm].registry_id

    @property
    def counts(self) -> dict[str, dict[str, float]]:
        """What became of the matured units of control and variant."""
        return {each.value: self.matured.counts(each) for each in (Arm.CONTROL, self.arm)}


def decide(
    connection: psycopg.Connection[TupleRow],
    scope: str,
    rules: Rules = USUAL,
    *,
    now: datetime,
    actor: str | None = None,
    allowed: frozenset[Action] = frozenset(Action),
    only: Callable[[Decision], bool] = lambda _: True,
) -> list[Decision]:
    """Judge each variant of the scope's running experiment; none without one. Only `allowed` actions are taken, what else is called for stays
    in the record as the verdict; decisions that are not among `only` leave no record either. A variant whose promotion ends the experiment is the last that is decided.

    Nobody waits while it judges: deployments are locked only to store and act, and what changed meanwhile is judged anew.
    """
    looked = consider(connection, scope, rules, now=now)
    if not looked:
        return []
    with connection.transaction():
        connection.execute("select lock_deployments()")
        present = experiment_of(connection, scope=scope)
        if present is None or (present.id, present.arms) != (looked[0].experiment.id, looked[0].experiment.arms):
            looked = consider(connection, scope, rules, now=now)
        decided: list[Decision] = []
        for each in filter(only, looked):
            fix_rules(connection, each.experiment, each.rules)
            done = replace(each, action=each.action if each.action in allowed else Action.NONE)
            done = replace(done, id=_store(connection, done, now, actor))
            _act(connection, done, actor)
            decided.append(done)
            if done.action is Action.PROMOTE:
                break
    return decided


def consider(connection: psycopg.Connection[TupleRow], scope: str, rules: Rules = USUAL, *, now: datetime) -> list[Decision]:
    """What a decision would be now, the best variant first: by the experiment's own rules where it has some. Nothing is written."""
    with connection.transaction():
        experiment = experiment_of(connection, scope=scope)
        if experiment is None:
            return []
        rules = experiment.rules or _tuned(connection, experiment, rules, now)
        matured = units_of(connection, experiment, as_of=now, age=rules.age)
        exposed = units_of(connection, experiment, as_of=now, age=None)
        alive = not silent_feeds(connection, as_of=now, organization_id=experiment.organization_id)
        prior = prior_of(connection, experiment, as_of=now, age=rules.age)
        moved = moved_units(connection, experiment)
    variants, days = len(experiment.variants), experiment.days(now)
    found = []
    for arm in experiment.compared:
        old, everybody = matured.totals(experiment, arm), exposed.totals(experiment, arm)
        judgement = judge(old, days=days, exposed=everybody, policy=rules.policy, variants=variants, feeds_alive=alive, prior=prior)
        ramp = may_ramp(everybody, days=days, matured=old, policy=rules.policy, variants=variants, feeds_alive=alive)
        found.append(Decision(None, experiment, rules, arm, judgement, ramp, Action.NONE, matured, moved))
    # The best first: should two be good enough, it is the one that is promoted.
    found.sort(key=lambda each: each.judgement.estimate or 0.0, reverse=True)
    ramps = [each.ramp for each in found]
    return [replace(each, action=_called_for(experiment, each.arm, each.judgement, ramps, rules.ramp_to)) for each in found]


def _tuned(connection: psycopg.Connection[TupleRow], experiment: Experiment, rules: Rules, now: datetime) -> Rules:
    """The rules, with the sequence tightest at the volume before the experiment."""
    shares = [each.share for arm, each in experiment.present.items() if arm is not Arm.CONTROL]
    start, variants = 100 * sum(shares) / len(shares), len(experiment.variants)
    before = min(now, experiment.started_at)
    return replace(rules, policy=tuned(connection, experiment.scope, rules, now=before, start_percent=start, variants=variants))


def _called_for(experiment: Experiment, arm: Arm, judgement: Judgement, ramps: list[Ramp], ramp_to: float) -> Action:
    match judgement.verdict:
        case Verdict.PROMOTE:
            return Action.PROMOTE
        case Verdict.KEEP | Verdict.ROLL_BACK:
            return Action.END_VARIANT
    target = ramp_to / 100 / (len(experiment.compared))
    grows = experiment.present[arm].share < target - 1e-9
    return Action.RAMP if grows and all(ramp.allowed for ramp in ramps) else Action.NONE


def _act(connection: psycopg.Connection[TupleRow], decision: Decision, actor: str | None) -> None:
    why = f"decision {decision.id}: {decision.judgement.reason}"
    match decision.action:
        case Action.PROMOTE:
            promote(decision.variant, actor=actor, reason=why).run(connection)
        case Action.END_VARIANT:
            harmful = decision.judgement.verdict is Verdict.ROLL_BACK
            archive(decision.variant, actor=actor, reason=why, action="roll_back" if harmful else "archive").run(connection)
        case Action.RAMP:
            share = decision.rules.ramp_to / (len(decision.experiment.compared))
            why = f"decision {decision.id}: {decision.ramp.reason}"
            deploy(decision.variant, share, decision.arm, actor=actor, reason=why).run(connection)


def _store(connection: psycopg.Connection[TupleRow], decision: Decision, now: datetime, actor: str | None) -> int:
    rules = decision.rules
    return store_decision(
        connection,
        decision.experiment,
        arm=decision.arm,
        rules=rules,
        verdict=decision.judgement.verdict,
        action=decision.action,
        provisional=decision.action is Action.PROMOTE and rules.age < rules.full_age,
        age=rules.age,
        window=(decision.experiment.started_at, now - rules.age),
        counts=decision.counts,
        found=decision.judgement.record() | {"moved_units": decision.moved},
        actor=actor,
    )


def store_decision(
    connection: psycopg.Connection[TupleRow],
    experiment: Experiment,
    *,
    arm: Arm,
    rules: Rules,
    verdict: Verdict,
    action: Action,
    provisional: bool,
    age: timedelta,
    window: tuple[datetime, datetime],
    counts: dict[str, dict[str, float]],
    found: dict[str, Any],
    actor: str | None,
    re_examines: int | None = None,
) -> int:
    """Keep a decision; returns its number. `found` are criteria and statistics in plain JSON."""
    values = {
        "experiment_id": experiment.id,
        "organization_id": experiment.organization_id,
        "arm": arm,
        "registry_id": next(each.registry_id for each in experiment.arms if each.arm is arm),
        "control_id": next(each.registry_id for each in experiment.arms if each.arm is Arm.CONTROL),
        "policy": rules.policy.rule,
        "verdict": verdict,
        "action": action,
        "provisional": provisional,
        "re_examines": re_examines,
        "age_days": age / timedelta(days=1),
        "window_from": window[0],
        "window_to": window[1],
        "counts": Jsonb(counts),
        "statistics": Jsonb({name: value for name, value in found.items() if name != "criteria"}),
        "criteria": Jsonb(found["criteria"]),
        "thresholds": Jsonb(to_store(rules)),
        "code_version": version("flywheel-dagster"),
        "actor": actor or "flywheel",
    }
    row = connection.execute(statement("store_decision"), values).fetchone()
    assert row is not None
    return int(row[0])
