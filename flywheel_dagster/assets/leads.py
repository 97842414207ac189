"""`lead_feedback`, `lead_scoring_model`, `lead_scoring_deployment`: what sales teams told of their leads, what is learnt from it, and which version scores.

Each is partitioned by organization. A run over several treats one after the other, and shows each one's facts at its own partition.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from flywheel_dagster.actors import actor_of
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import (
    GROUP_LEADS,
    LEAD_FEEDBACK,
    LEAD_SCORING_DEPLOYMENT,
    LEAD_SCORING_MODEL,
    OUTCOME_LABELS,
    OWNER_MODELS,
    OWNER_STRATEGIES,
)
from flywheel_dagster.partitions import organizations
from flywheel_dagster.presentation import bars, lines, shortened, stacked, table
from flywheel_dagster.resources import Flywheel

if TYPE_CHECKING:
    from flywheel_dagster.leads.deciding import Decided
    from flywheel_dagster.leads.decisions import Recorded
    from flywheel_dagster.leads.summary import Summary
    from flywheel_dagster.leads.training import Trained
    from flywheel_dagster.leads.versions import Version

_WEEKS, _SHOWN, _DRAWN = 26, 20, 12


@dg.asset(
    name=LEAD_FEEDBACK,
    deps=[OUTCOME_LABELS],
    partitions_def=organizations,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_LEADS,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres"},
    code_version="1",
)
def lead_feedback(context: dg.AssetExecutionContext, flywheel: Flywheel) -> None:
    """What became of an organization's leads, as its sales team, its files and its deals told: the view `lead_training_rows` as of now.

    A lead's features are those of one of its scorings from before the outcome was known. Where it has none such, those of later stand for it, and are counted.
    """
    from flywheel_dagster.leads.summary import summarize

    for organization in context.partition_keys:
        with plain_failures(), flywheel.connection() as connection:
            found = summarize(connection, organization)
        context.log.info(f"{organization}: {found.told} leads told of, {found.waiting} wait for an outcome")
        context.add_asset_metadata(_told(found), partition_key=organization)


@dg.asset(
    name=LEAD_SCORING_MODEL,
    deps=[LEAD_FEEDBACK],
    partitions_def=organizations,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_LEADS,
    owners=[OWNER_MODELS],
    kinds={"postgres", "scikitlearn"},
    code_version="1",
)
def lead_scoring_model(context: dg.AssetExecutionContext, flywheel: Flywheel) -> None:
    """A version of an organization's lead model, learnt from all that was told: 1.0, 1.1 …; the same leads give the same version. It scores nobody yet.

    Logistic regression, or boosted trees where there are enough leads and they are shown to do better. AUC and calibration are those of leads that the
    model had not seen.
    """
    from flywheel_dagster.leads.training import train  # numpy and scikit-learn, which nothing else here needs at load time

    for organization in context.partition_keys:
        with plain_failures(), flywheel.connection() as connection:
            trained = train(connection, organization, run_id=context.run.run_id, decided_by=actor_of(context.run))
        context.log.info(f"{organization}: {trained.reason}")
        context.add_asset_metadata(_trained(trained), partition_key=organization)


@dg.asset(
    name=LEAD_SCORING_DEPLOYMENT,
    deps=[LEAD_SCORING_MODEL],
    partitions_def=organizations,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_LEADS,
    owners=[OWNER_MODELS],
    kinds={"postgres"},
    code_version="1",
)
def lead_scoring_deployment(context: dg.AssetExecutionContext, flywheel: Flywheel) -> None:
    """Which version scores an organization's leads: the newest one replaces the deployed one when it is shown to rank unseen leads better.

    Compared on leads told of since the deployed version, by FLYWHEEL_LEAD_POLICY; every decision is kept with its numbers in `lead_decisions`. Rolling back
    is for people: `flywheel leads roll-back`.
    """
    from flywheel_dagster.leads.deciding import decide
    from flywheel_dagster.leads.decisions import history
    from flywheel_dagster.leads.policies import Policy, Rule

    policy = Policy(Rule(flywheel.settings().lead_policy))
    for organization in context.partition_keys:
        with plain_failures(), flywheel.connection() as connection:
            decided = decide(connection, organization, policy=policy, decided_by=actor_of(context.run))
            past = history(connection, organization, limit=_SHOWN)
        context.log.info(f"{organization}: {decided.decision.action}, {decided.decision.reason}; {decided.serving} scores")
        context.add_asset_metadata(_decided(decided, past), partition_key=organization)


def _told(found: "Summary") -> dict[str, Any]:
    weeks = dict(list(found.by_week().items())[-_WEEKS:])
    return {
        "dagster/row_count": found.told,
        "scored": found.scored,
        "waiting": found.waiting,
        "waiting_high": found.waiting_high,
        "converted": found.converted,
        "lost": found.told - found.converted,
        "with_outcome": found.with_outcome,
        "by_source": table(
            [
                {"told by": source, "leads": f"{told:,}", "converted": f"{converted:,} ({converted / told:.1%})"}
                for source, (told, converted) in found.by_source().items()
            ],
            none="nothing was told yet: PUT /feedback/{lead_id}, the form at /feedback, or flywheel leads feedback FILE",
        ),
        "by_week": stacked(
            {
                "converted": [float(converted) for _, converted in weeks.values()],
                "lost": [float(told - converted) for told, converted in weeks.values()],
            },
            [f"{week:%d %b}" for week in weeks],
            title="Leads told of by week",
            ylabel="leads",
        ),
    }


def _trained(trained: "Trained") -> dict[str, Any]:
    told = {
        "dagster/row_count": len(trained.told.rows),
        "converted": trained.told.converted,
        "with_outcome": trained.told.with_outcome,
        "feedback_through": trained.told.through,
        "new": trained.new,
        "reason": trained.reason,
    }
    if trained.version is None:
        return {**told, "version": "none yet"}
    return told | _version(trained.version)


def _version(version: "Version") -> dict[str, Any]:
    metrics, card = version.metrics, version.card
    seen = metrics["out_of_fold"]
    return {
        "version": version.version,
        "estimator": version.estimator,
        "why": metrics["why"],
        "auc": seen["auc"],
        "auc_low": metrics["auc_low"],
        "auc_high": metrics["auc_high"],
        "brier": seen["brier"],
        "log_loss": seen["log_loss"],
        "calibration_slope": seen["calibration_slope"],
        "base_rate": metrics["base_rate"],
        "artifact_sha256": version.artifact_sha256,
        "data_sha256": version.data_sha256,
        "by_estimator": table([_estimated(name, each) for name, each in metrics["by_estimator"].items()]),
        "forward": table(
            [_estimated("told later", metrics["forward"])] if metrics["forward"] else [],
            none="too few leads, or no times, to learn from the past and look at what came after it",
        ),
        "roc": lines(
            {f"version {version.version}": seen["roc"], "chance": [(0.0, 0.0), (1.0, 1.0)]},
            title=f"ROC of unseen leads, AUC {seen['auc']:.3f} ({metrics['auc_low']:.3f} to {metrics['auc_high']:.3f})",
            xlabel="share of lost leads above a score",
            ylabel="of converted ones",
        ),
        "calibration": lines(
            {
                "unseen leads": [(each["predicted"], each["observed"]) for each in seen["calibration"]],
                "as said": [(0.0, 0.0), (1.0, 1.0)],
            },
            title="Calibration of unseen leads",
            xlabel="mean score",
            ylabel="share that converted",
        ),
        "telling_fields": bars(
            {shortened(name): moved for name, moved in card["telling"][:_DRAWN]},
            title="What moves scores most",
            ylabel="mean change of log-odds",
        ),
        "leakage_warnings": table(
            [{"field": each["field"], "AUC alone": each["auc"], "why": each["why"]} for each in card["leaks"]],
            none="no field predicts too well",
        ),
        "notes": table(card["notes"][:_SHOWN], none="every field is learnt from"),
    }


def _estimated(name: str, of: Mapping[str, Any]) -> dict[str, object]:
    error = "" if of["auc_error"] is None else f" ± {of['auc_error']:.3f}"
    return {
        "estimator": name,
        "leads": f"{of['rows']:,}",
        "converted": f"{of['converted']:,}",
        "AUC": f"{of['auc']:.3f}{error}",
        "Brier": f"{of['brier']:.4f}",
        "log loss": f"{of['log_loss']:.4f}",
        "calibration": f"{of['calibration_intercept']:+.2f}, slope {of['calibration_slope']:.2f}",
    }


def _decided(decided: "Decided", past: list["Recorded"]) -> dict[str, Any]:
    numbers = decided.decision.numbers
    gained = {name: numbers[name] for name in ("difference", "lower", "upper") if numbers.get(name) is not None}
    return {
        "serving": decided.serving,
        "decision": decided.decision.action.value,
        "reason": decided.decision.reason,
        "new": decided.new,
        **gained,
        "numbers": table(
            [{"number": name.replace("_", " "), "value": value} for name, value in numbers.items()],
            none="nothing was compared now",
        ),
        "history": table(
            [
                {
                    "when": f"{each.decided_at:%Y-%m-%d %H:%M}",
                    "decision": each.action.value.replace("_", " "),
                    "version": each.version or ("prior" if each.action.value == "roll_back" else "–"),
                    "before": each.deployed or "prior",
                    "by": each.decided_by,
                    "why": each.reason,
                }
                for each in past
            ],
            none="nothing was decided yet",
        ),
    }
