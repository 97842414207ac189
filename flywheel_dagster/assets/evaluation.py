"""`model_evaluation`: the trained model's answers to the prompts nobody trained on, and whether it may be registered as ready."""

from dataclasses import asdict

import dagster as dg

from flywheel_dagster.checks import EVALUATION_CHECKS, check_examination
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import FINE_TUNED_MODEL, GROUP_MODELS, MODEL_EVALUATION, OWNER_MODELS
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.training.candidates import examine_candidate
from flywheel_dagster.training.examination.criteria import Criterion
from flywheel_dagster.training.examination.reward import RewardReport
from flywheel_dagster.training.registration import register_candidate


class EvaluationConfig(dg.Config):
    """`again` forgets what the model answered and how it was judged before, and asks anew."""

    again: bool = False


@dg.asset(
    name=MODEL_EVALUATION,
    deps=[FINE_TUNED_MODEL],
    partitions_def=scopes,
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"model", "postgres"},
    code_version="1",
    check_specs=EVALUATION_CHECKS,
)
def model_evaluation(context: dg.AssetExecutionContext, config: EvaluationConfig, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Candidate and current control answer the same untouched prompts; every criterion is told with its value and threshold.

    A model that fails is registered as `failed`, and the run ends here; an interrupted examination goes on without asking anything twice.
    """
    settings, scope = flywheel.settings(), context.partition_key

    def tell(who: str, at: int, of: int) -> None:
        if at == of or at % 50 == 0:
            context.log.info(f"{who}: {at} of {of} answers")

    with plain_failures(), flywheel.connection() as connection:
        examination = examine_candidate(connection, settings, scope, again=config.again, progress=tell)
        if not examination.passed:
            entry = register_candidate(connection, settings, scope)
            serving = "; it serves already, take it back" if entry.status == "deployed" else ""
            context.log.error(f"{scope} {entry.model_version} is registered as {entry.status}{serving}")
    found = examination.findings
    return dg.MaterializeResult(
        data_version=dg.DataVersion(str(examination.id)),
        check_results=check_examination(examination),
        metadata={
            "passed": examination.passed,
            "criteria": table([_row(each) for each in found.criteria]),
            "explanations": table([{"criterion": each.name, "what was found": each.explanation} for each in found.criteria]),
            "compared_with": found.compared_with,
            "control": examination.control_model_id or "none: the messages that people sent",
            "prompts": examination.prompts,
            "model_id": examination.model_id,
            "dataset_hash": examination.dataset_hash,
            "reward_model": _reward(found.reward),
            "calibration": table([asdict(each) for each in found.reward.calibration], none="no reward model"),
            "completion_tokens": found.completion_tokens,
            "mean_seconds_an_answer": found.mean_seconds,
            "examined_before": not examination.new,
        },
    )


def _row(criterion: Criterion) -> dict[str, object]:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g}"

    return {
        "criterion": criterion.name,
        "value": shown(criterion.value),
        "must be": f"{criterion.comparison} {shown(criterion.threshold)}",
        "baseline": shown(criterion.baseline),
        "verdict": criterion.verdict,
        "kind": "hard" if criterion.hard else "soft",
    }


def _reward(report: RewardReport) -> dg.MarkdownMetadataValue:
    told = {name: value for name, value in asdict(report).items() if isinstance(value, int | float | str)}
    gains = {"gain_over_base": report.gain_over_base, "gain_over_audience": report.gain_over_audience}
    told |= {
        name: f"{gain.estimate:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})" for name, gain in gains.items() if gain is not None
    }
    return table([{"what": name, "value": value} for name, value in told.items()])
