"""`fine_tuned_model`: trained on the scope's dataset, and paid for once."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.gates import require_trainable
from flywheel_dagster.datasets.published import kind_for, required_dataset
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.registry import upcoming_version
from flywheel_dagster.names import FINE_TUNED_MODEL, GROUP_MODELS, OWNER_MODELS, PREFERENCE_PAIRS, TRAINING_JSONL
from flywheel_dagster.partitions import scopes
from flywheel_dagster.patience import Patience
from flywheel_dagster.presentation import lines, table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.candidates import candidate_of, note_training
from flywheel_dagster.training.choice import trainer_of_job
from flywheel_dagster.training.jobs import TrainedModel, collect, settle_others
from flywheel_dagster.training.submission import train
from flywheel_dagster.training.trainer import JobStatus, LossPoint, Trainer


class TrainingConfig(dg.Config):
    """`resubmit` buys a new job after one that failed, was cancelled, or is no longer known to the provider; it never doubles one that runs or
    succeeded. `job_id` waits for a job that was bought before, by the provider's id, instead of training on the dataset of today. `model_version`
    (v2.1.0) goes into the model's name; the scope's next one by default."""

    resubmit: bool = False
    job_id: str | None = None
    model_version: str | None = None


@dg.asset(
    name=FINE_TUNED_MODEL,
    deps=[TRAINING_JSONL, PREFERENCE_PAIRS],
    partitions_def=scopes,
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"model"},
    code_version="2",
)
def fine_tuned_model(context: dg.AssetExecutionContext, config: TrainingConfig, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """A model trained by FLYWHEEL_TRAINER on the scope's dataset: the examples, or with FLYWHEEL_TRAINING_METHOD=dpo the preference pairs.

    A run that was interrupted goes on with the same job when it is run again: nothing is paid for twice.
    """
    settings, scope = flywheel.settings(), context.partition_key
    seen: list[JobStatus] = []

    def tell(status: JobStatus) -> None:
        if not seen or (status.provider_status, status.last_event) != (seen[-1].provider_status, seen[-1].last_event):
            tokens = f", {status.trained_tokens} tokens" if status.trained_tokens else ""
            context.log.info(f"{status.job_id}: {status.provider_status}{tokens}. {status.last_event or ''}")
            seen.append(status)

    with plain_failures(), flywheel.connection() as connection, flywheel.patience() as patience:
        if config.job_id is not None:
            trained = collect(connection, settings, config.job_id, patience=patience, progress=tell)
        else:
            trained = _train(connection, flywheel.trainer(), settings, scope, config, patience, tell)
        note_training(connection, scope, trained.id)
        candidate = candidate_of(connection, settings, scope)
        for told in settle_others(connection, settings, scope, but=trained.id):
            context.log.warning(told)
    chosen = candidate.job["settings"]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(trained.model_id),
        metadata={
            "model_id": trained.model_id,
            "job_id": trained.job_id,
            "dataset_hash": candidate.dataset.hash,
            "trainer": candidate.job["trainer"],
            "base_model": chosen["base_model"],
            "method": chosen.get("method", "supervised"),
            "what_the_model_id_means": trainer_of_job(settings, candidate.job["trainer"], chosen).offer.model_id,
            "trained_tokens": trained.trained_tokens or 0,
            "duration_seconds": trained.duration.total_seconds(),
            "estimated_cost_usd": _usd(trained.estimated_usd),
            "cost_usd": _usd(trained.cost_usd),
            "loss": _losses(trained.loss_curve),
            "progress": table(
                [{"state": status.provider_status, "said": status.last_event or ""} for status in seen[-20:]],
                none="finished earlier",
            ),
        },
    )


def _train(
    connection: psycopg.Connection[TupleRow],
    trainer: Trainer,
    settings: Settings,
    scope: str,
    config: TrainingConfig,
    patience: Patience,
    progress: Callable[[JobStatus], None],
) -> TrainedModel:
    dataset = required_dataset(connection, scope, settings.training_data_dir, kind=kind_for(trainer.recipe.method))
    require_trainable(connection, dataset, settings.min_examples)
    version = config.model_version or upcoming_version(connection, scope, dataset.example_format)
    connection.commit()
    return train(
        connection,
        trainer,
        dataset,
        suffix=f"{settings.model_name}-{version}".replace(".", "-"),
        patience=patience,
        resubmit=config.resubmit,
        budget_usd=settings.training_budget_usd,
        progress=progress,
    )


def _usd(amount: Decimal | None) -> float | str:
    return float(amount) if amount is not None else "no price known"


def _losses(curve: Sequence[LossPoint]) -> dg.MarkdownMetadataValue:
    if not curve:
        return dg.MetadataValue.md("this trainer tells no losses")
    sides = {
        "training": [(point.step, point.training) for point in curve if point.training is not None],
        "validation": [(point.step, point.validation) for point in curve if point.validation is not None],
    }
    return lines(sides, title="Loss", xlabel="step", ylabel="nats a token")
