"""`training_jsonl`: the dataset of a scope, as files named by their content."""

import dagster as dg
from pydantic import Field

from flywheel_dagster.checks import DATASET_CHECKS, check_dataset
from flywheel_dagster.datasets.assemble import assemble
from flywheel_dagster.datasets.examples import FORMAT
from flywheel_dagster.datasets.selection import selection_of
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_TRAINING, OWNER_DATA, SCORED_TRAINING_ROWS, TRAINING_JSONL
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import bars, table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import COMPARED, estimates
from flywheel_dagster.training.prices import price_list


class DatasetConfig(dg.Config):
    """`min_quality_score` (0..1) takes the place of FLYWHEEL_MIN_QUALITY in this run."""

    min_quality_score: float | None = Field(None, ge=0, le=1)

    def over(self, settings: Settings) -> Settings:
        """The settings with what this run was told."""
        return settings if self.min_quality_score is None else settings.model_copy(update={"min_quality": self.min_quality_score})


@dg.asset(
    name=TRAINING_JSONL,
    deps=[dg.AssetDep(SCORED_TRAINING_ROWS, partition_mapping=dg.AllPartitionMapping())],
    partitions_def=scopes,
    group_name=GROUP_TRAINING,
    owners=[OWNER_DATA],
    kinds={"postgres", "file"},
    code_version=str(FORMAT),
    check_specs=DATASET_CHECKS,
)
def training_jsonl(context: dg.AssetExecutionContext, config: DatasetConfig, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """The best examples of a scope as JSONL in the chat format, split by lead into train, validation and test, with a manifest beside it.

    The dataset's name is the SHA-256 of its SHA256SUMS file, so the same rows give the same dataset.
    """
    settings = config.over(flywheel.settings())
    with plain_failures(), flywheel.connection() as connection:
        dataset = assemble(connection, context.partition_key, settings.training_data_dir, selection_of(settings))
        checked = check_dataset(connection, dataset, settings)
    context.log.info(f"dataset {dataset.hash}: {dataset.train_examples} to train, {dataset.validation_examples} to validate")
    kept = {"kept": dataset.examples, **dataset.dropped}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(dataset.hash),
        check_results=checked,
        metadata={
            "dagster/row_count": dataset.examples,
            "kept_and_dropped": table([{"what": what, "outcomes": count} for what, count in kept.items()]),
            "kept_and_dropped_plot": bars(
                {what: float(count) for what, count in kept.items()}, title="Candidates", ylabel="outcomes"
            ),
            "dataset_hash": dataset.hash,
            "train_examples": dataset.train_examples,
            "validation_examples": dataset.validation_examples,
            "test_examples": dataset.test_examples,
            "train_lines": dataset.train_lines,
            "train_tokens": dataset.train_tokens,
            "estimated_cost": table(
                [
                    {
                        "trainer": each.trainer,
                        "base model": each.base_model,
                        "tokens billed": each.tokens,
                        "USD": "no price known" if each.usd is None else f"{each.usd:.2f}",
                        "prices of": each.as_of or "",
                    }
                    for each in estimates(
                        dataset.train_tokens,
                        settings.epochs,
                        base_models=COMPARED | ({settings.trainer: settings.base_model} if settings.base_model else {}),
                        validation_tokens=dataset.validation_tokens,
                        prices=price_list(settings.prices),
                    )
                ]
            ),
            "positive_examples": dataset.positive_examples,
            "deals": dataset.deals,
            "weeks": dataset.weeks,
            "candidates": dataset.candidates,
            "size_bytes": dataset.bytes,
            "folder": dg.MetadataValue.path(str(dataset.directory)),
        },
    )
