"""`preference_pairs`: a scope's pairs of a message that won and one that lost, as files named by their content."""

import dagster as dg

from flywheel_dagster.assets.dataset import DatasetConfig
from flywheel_dagster.checks import PAIR_CHECKS, check_pairs
from flywheel_dagster.datasets.examples import FORMAT
from flywheel_dagster.datasets.pairs import assemble_pairs, preview
from flywheel_dagster.datasets.selection import selection_of
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_TRAINING, OWNER_DATA, PREFERENCE_PAIRS, SCORED_TRAINING_ROWS
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import bars, table
from flywheel_dagster.resources import Flywheel

_SHOWN = 10


@dg.asset(
    name=PREFERENCE_PAIRS,
    deps=[dg.AssetDep(SCORED_TRAINING_ROWS, partition_mapping=dg.AllPartitionMapping())],
    partitions_def=scopes,
    group_name=GROUP_TRAINING,
    owners=[OWNER_DATA],
    kinds={"postgres", "file"},
    code_version=str(FORMAT),
    check_specs=PAIR_CHECKS,
)
def preference_pairs(context: dg.AssetExecutionContext, config: DatasetConfig, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Messages that won beside ones that lost with the same audience: organization, channel, industry, role, four weeks.

    In OpenAI's DPO format (train.jsonl …) and as rows for KTO (kto_train.jsonl …), split by lead as the examples are. Messages that failed belong here
    rather than among the examples, which a model imitates.
    """
    settings = config.over(flywheel.settings())
    with plain_failures(), flywheel.connection() as connection:
        dataset = assemble_pairs(connection, context.partition_key, settings.training_data_dir, selection_of(settings))
        checked = check_pairs(connection, dataset)
        shown = preview(connection, dataset, _SHOWN)
    context.log.info(f"dataset {dataset.hash}: {dataset.examples} pairs, {dataset.train_examples} of them to train on")
    became = {"in pairs": 2 * dataset.examples, **dataset.dropped}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(dataset.hash),
        check_results=checked,
        metadata={
            "dagster/row_count": dataset.examples,
            "preview": table(shown, none="no pairs"),
            "kept_and_dropped": table([{"what": what, "messages": count} for what, count in became.items()]),
            "kept_and_dropped_plot": bars(
                {what: float(count) for what, count in became.items()}, title="Winners and losers", ylabel="messages"
            ),
            "dataset_hash": dataset.hash,
            "train_pairs": dataset.train_examples,
            "validation_pairs": dataset.validation_examples,
            "test_pairs": dataset.test_examples,
            "train_tokens": dataset.train_tokens,
            "candidates": dataset.candidates,
            "size_bytes": dataset.bytes,
            "folder": dg.MetadataValue.path(str(dataset.directory)),
        },
    )
