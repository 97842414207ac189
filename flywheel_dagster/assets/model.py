"""`fine_tuned_model`: trained on the scope's dataset, and paid for once."""

import dagster as dg

from flywheel_dagster.datasets.gates import require_trainable
from flywheel_dagster.datasets.published import current_dataset
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.registry import upcoming_version
from flywheel_dagster.names import FINE_TUNED_MODEL, GROUP_MODELS, OWNER_MODELS, TRAINING_JSONL
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobStatus


class TrainingConfig(dg.Config):
    """`resubmit` buys a new job after one that failed or was cancelled; it never doubles one that runs or succeeded."""

    resubmit: bool = False


@dg.asset(
    name=FINE_TUNED_MODEL,
    deps=[TRAINING_JSONL],
    partitions_def=scopes,
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"openai"},
    code_version="1",
)
def fine_tuned_model(context: dg.AssetExecutionContext, config: TrainingConfig, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """A model fine-tuned on the scope's dataset. A run that was interrupted goes on with the same job when it is run again."""
    settings, trainer, scope = flywheel.settings(), flywheel.trainer(), context.partition_key
    seen: list[JobStatus] = []

    def tell(status: JobStatus) -> None:
        if not seen or (status.provider_status, status.last_event) != (seen[-1].provider_status, seen[-1].last_event):
            tokens = f", {status.trained_tokens} tokens" if status.trained_tokens else ""
            context.log.info(f"{status.job_id}: {status.provider_status}{tokens}. {status.last_event or ''}")
            seen.append(status)

    with plain_failures(), flywheel.connection() as connection:
        dataset = require_trainable(
            connection, current_dataset(connection, scope, settings.training_data_dir), scope, settings.min_examples
        )
        version = upcoming_version(connection, scope, dataset.example_format)
        connection.commit()
        trained = train(
            connection,
            trainer,
            dataset,
            suffix=f"flywheel-{version}".replace(".", "-"),
            patience=flywheel.patience(),
            resubmit=config.resubmit,
            budget_usd=settings.training_budget_usd,
            progress=tell,
        )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(trained.model_id),
        metadata={
            "model_id": trained.model_id,
            "job_id": trained.job_id,
            "dataset_hash": dataset.hash,
            "trainer": trainer.name,
            "base_model": trainer.base_model,
            "trained_tokens": trained.trained_tokens or 0,
            "cost_usd": float(trained.cost_usd) if trained.cost_usd is not None else "no price known",
            "progress": table(
                [{"state": status.provider_status, "said": status.last_event or ""} for status in seen[-20:]],
                none="finished earlier",
            ),
        },
    )
