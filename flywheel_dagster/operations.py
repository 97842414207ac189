"""The jobs that change who serves, started by people, the API and the sensor: promote the winner of an experiment, and roll back."""

from datetime import UTC, datetime

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.actors import actor_of
from flywheel_dagster.database import statement
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.deployment import archive, roll_back
from flywheel_dagster.names import GLOBAL_SCOPE
from flywheel_dagster.resources import Flywheel


class PromotionConfig(dg.Config):
    """Whose experiment: "global", or an organization's id."""

    scope: str = GLOBAL_SCOPE


class RollbackConfig(dg.Config):
    """Whose model is taken back, and why. `arm` ends this variant of the running experiment; without it the control before this one comes back.

    `registry_id` is the variant that is meant: another one in its place is left alone. With `only_if_harmful` it is judged first, and ends only where
    a guardrail is breached or the evidence says that it is worse.
    """

    scope: str = GLOBAL_SCOPE
    arm: str | None = None
    registry_id: str | None = None
    only_if_harmful: bool = False
    reason: str | None = None


@dg.op(name="judge_and_promote")
def promote_the_winner(context: dg.OpExecutionContext, config: PromotionConfig, flywheel: Flywheel) -> None:
    """Judge the scope's experiment now, and give all traffic to who won; without enough evidence nothing changes, and the log says why."""
    from flywheel_dagster.models.verdicts.promoting import promote_winner as promote
    from flywheel_dagster.models.verdicts.rules import rules_of

    actor = actor_of(context.run)
    with plain_failures(), flywheel.connection() as connection:
        if _done_before(connection, config.scope, actor):
            context.log.info("this was done before its worker died")
            return
        found = promote(connection, config.scope, rules_of(flywheel.settings()), now=datetime.now(UTC), actor=actor)
    best = found.best
    context.log.info(f"{config.scope}: {found.winner or 'nobody won yet'}; {best.judgement.reason}")
    relative = best.judgement.relative_improvement
    context.add_output_metadata(
        {
            "winner": found.winner or "nobody yet",
            "winner_id": str(found.winner_id or "none"),
            "improvement_percentage": "unknown" if relative is None else 100 * relative,
            "reason": best.judgement.reason,
        }
    )


@dg.op(name="roll_back")
def take_back(context: dg.OpExecutionContext, config: RollbackConfig, flywheel: Flywheel) -> None:
    """Bring back the scope's control before this one with all traffic, or end one variant."""
    actor = actor_of(context.run)
    with plain_failures(), flywheel.connection() as connection:
        if _done_before(connection, config.scope, actor):
            told = "this was done before its worker died"
        elif config.arm is None:
            serving = roll_back(config.scope, actor=actor, reason=config.reason).run(connection)
            told = f"{serving.model_version} serves"
        else:
            told = _end_variant(connection, config, config.arm, flywheel, actor)
    context.log.info(f"{config.scope}: {told}")
    context.add_output_metadata({"done": told})


def _end_variant(connection: psycopg.Connection[TupleRow], config: RollbackConfig, arm: str, flywheel: Flywheel, actor: str) -> str:
    from flywheel_dagster.models.verdicts.rules import rules_of
    from flywheel_dagster.models.verdicts.running import variant_of
    from flywheel_dagster.models.verdicts.watching import end_harmful

    variant = variant_of(connection, config.scope, arm)
    if config.registry_id not in (None, str(variant)):
        return f"{arm} is another model by now, which is left alone"
    if config.only_if_harmful:
        rules = rules_of(flywheel.settings())
        decision = end_harmful(connection, config.scope, variant, rules, now=datetime.now(UTC), actor=actor)
        return (
            "the variant is not shown to do harm any more"
            if decision is None
            else f"decision {decision.id}: {decision.judgement.reason}"
        )
    ended = archive(variant, actor=actor, reason=config.reason, action="roll_back").run(connection)
    return f"{ended.model_version} is {ended.status}"


def _done_before(connection: psycopg.Connection[TupleRow], scope: str, actor: str) -> bool:
    row = connection.execute(statement("acted_before"), {"scope": scope, "actor": actor}).fetchone()
    return row is not None and bool(row[0])


@dg.job(name="promote_winner", description="Judge a scope's experiment and promote its winner, if it has one.")
def promote_winner() -> None:
    """One step."""
    promote_the_winner()


@dg.job(name="rollback", description="Bring back a scope's control before this one, or end a variant.")
def rollback() -> None:
    """One step."""
    take_back()


OPERATIONS = [promote_winner, rollback]
