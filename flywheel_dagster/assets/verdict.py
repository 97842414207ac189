"""`experiment_verdict`: a day's verdict on a scope's experiment, and on promotions that are not settled yet."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.actors import actor_of
from flywheel_dagster.database import statement
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.routing.assignment import Arm
from flywheel_dagster.names import EXPERIMENT_VERDICT, GROUP_MODELS, MODEL_REGISTRY_ENTRY, OUTCOME_LABELS, OWNER_MODELS
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import band, table
from flywheel_dagster.resources import Flywheel

if TYPE_CHECKING:
    from flywheel_dagster.models.verdicts.deciding import Decision
    from flywheel_dagster.models.verdicts.running import Experiment

SAMPLE_RATIO, GUARDRAILS, PROMOTIONS = "sample_ratio_holds", "guardrails_hold", "promotions_hold"
_FUNNEL = ("replied", "meeting", "deal")


@dg.asset(
    name=EXPERIMENT_VERDICT,
    deps=[OUTCOME_LABELS, MODEL_REGISTRY_ENTRY],
    partitions_def=scopes,
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"postgres"},
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(SAMPLE_RATIO, asset=EXPERIMENT_VERDICT, description="The arms got the shares that they should have."),
        dg.AssetCheckSpec(
            PROMOTIONS, asset=EXPERIMENT_VERDICT, description="No model serves whose promotion older outcomes have reversed."
        ),
        dg.AssetCheckSpec(
            GUARDRAILS,
            asset=EXPERIMENT_VERDICT,
            description="No variant is shown to be worse on bounces, spam reports, unsubscribes, negative replies or cost a meeting.",
        ),
    ],
)
def experiment_verdict(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Promote, keep, roll back or inconclusive: judged on leads that are old enough, kept as a decision record, and acted on.

    Looks again at promotions on young outcomes first: deals that came late may take the model back. With FLYWHEEL_EXPERIMENT_ACTS=false the verdict
    is only written down; the jobs promote_winner and rollback act on it.
    """
    from flywheel_dagster.models.experiments.guardrails import NAMES
    from flywheel_dagster.models.verdicts.deciding import decide  # numpy and scipy, which nothing else here needs at load time
    from flywheel_dagster.models.verdicts.re_examining import look_again
    from flywheel_dagster.models.verdicts.rules import allowed_of, rules_of

    settings, scope, now = flywheel.settings(), context.partition_key, datetime.now(UTC)
    rules, allowed, actor = rules_of(settings), allowed_of(settings), actor_of(context.run)
    with plain_failures(), flywheel.connection() as connection:
        again = look_again(connection, scope, now=now, actor=actor, allowed=allowed)
        decisions = decide(connection, scope, rules, now=now, actor=actor, allowed=allowed)
        reversed_ = connection.execute(statement("reversed_promotions"), {"scope": scope}).fetchall()
        funnels = _funnels(connection, decisions[0].experiment, now) if decisions else []
    for looked in again:
        context.log.info(f"promotion {looked.promotion} at {looked.age.days} days: {looked.found.reason}; done: {looked.action}")
    for decision in decisions:
        context.log.info(f"{decision.arm}: {decision.judgement.verdict}, {decision.judgement.reason}; done: {decision.action}")
    criteria = [(decision, each) for decision in decisions for each in decision.judgement.criteria]
    broken = [f"{decision.arm}: {each.text}" for decision, each in criteria if each.name == "sample_ratio" and not each.passed]
    harm = [f"{decision.arm}: {each.text}" for decision, each in criteria if each.name in NAMES and not each.passed]
    nothing = "no experiment runs: deploy a version beside the control to begin one"
    return dg.MaterializeResult(
        check_results=[
            _checked(SAMPLE_RATIO, broken, "the shares are as they should be" if decisions else nothing),
            _checked(
                PROMOTIONS,
                [f"{version} of {whose} serves, though {why}; deploy another version" for whose, version, _, _, why in reversed_],
                "no promotion was reversed by older outcomes, or the model was taken back",
            ),
            _checked(GUARDRAILS, harm, "no guardrail is breached" if decisions else nothing),
        ],
        metadata={
            "verdict": ", ".join(f"{each.arm}: {each.judgement.verdict}" for each in decisions) or "none",
            "reason": "; ".join(each.judgement.reason for each in decisions) or nothing,
            "done": ", ".join(each.action for each in decisions) or "none",
            "scores": table(
                [
                    {
                        "variant": each.arm.value,
                        "control's score": _number(each.judgement.control_score),
                        "variant's score": _number(each.judgement.variant_score),
                        "difference": _number(each.judgement.estimate),
                        "at least": _number(each.judgement.lower),
                        "at most": _number(each.judgement.upper),
                        "probability of being better": "–"
                        if each.judgement.posterior is None
                        else f"{each.judgement.posterior.probability_better:.0%}",
                    }
                    for each in decisions
                ],
                none=nothing,
            ),
            "criteria": table(
                [
                    {
                        "variant": decision.arm.value,
                        "criterion": each.name,
                        "met": "yes" if each.passed else "no",
                        "what was found": each.text,
                    }
                    for decision, each in criteria
                ],
                none=nothing,
            ),
            "funnel": table(funnels, none=nothing),
            "moved_by_a_ramp": sum(each.moved for each in decisions[:1]),
            "leads_without_a_message": sum(counts["unsent"] for each in decisions[:1] for counts in each.counts.values()),
            **{f"confidence_sequence_{each.arm}": _path(each) for each in decisions},
            "looked_at_again": table(
                [
                    {
                        "promotion": each.promotion,
                        "age in days": each.age.days,
                        "finding": each.found.finding.value,
                        "why": each.found.reason,
                        "done": each.action.value,
                    }
                    for each in again
                ],
                none="every promotion is settled",
            ),
        },
    )


def _checked(name: str, failed: list[str], otherwise: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name, passed=not failed, severity=dg.AssetCheckSeverity.ERROR, description="; ".join(failed) or otherwise
    )


def _funnels(connection: psycopg.Connection[TupleRow], experiment: "Experiment", now: datetime) -> list[dict[str, object]]:
    """Each arm's units and what became of them by several ages."""
    from flywheel_dagster.models.experiments.guardrails import EVENTS
    from flywheel_dagster.models.verdicts.running import units_of

    rows: list[dict[str, object]] = []
    for days in (14, 30, 90):
        units = units_of(connection, experiment, as_of=now, age=timedelta(days=days))
        for arm in (Arm.CONTROL, *experiment.variants):
            counts = units.counts(arm)
            if counts["units"]:
                shares = {name: f"{counts[name]:,.0f} ({counts[name] / counts['units']:.2%})" for name in (*_FUNNEL, *EVENTS)}
                rows.append(
                    {
                        "age in days": days,
                        "arm": arm.value,
                        "leads": f"{counts['units']:,.0f}",
                        **shares,
                        "USD": f"{counts['cost']:,.2f}",
                    }
                )
    return rows


def _path(decision: "Decision") -> dg.MarkdownMetadataValue:
    from flywheel_dagster.models.verdicts.path import path_of

    points = path_of(decision.matured, decision.experiment, decision.arm, decision.rules.policy)
    return band(points, title=f"{decision.arm} minus control", xlabel="day of the experiment", ylabel="score a lead")


def _number(value: float | None) -> str:
    return "–" if value is None or not isfinite(value) else f"{value:+.4f}"
