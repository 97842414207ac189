"""`warehouse_outcomes`: the training-ready outcomes in the warehouse, week by week."""

import dagster as dg

from flywheel_dagster.datasets.warehouse.export import ExportedWeek, StaleExport, export_weeks, stale_exports
from flywheel_dagster.datasets.warehouse.schema import SCHEMA_VERSION, schema_of
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_TRAINING, OUTCOME_LABELS, OWNER_DATA, WAREHOUSE_OUTCOMES
from flywheel_dagster.outcomes.weeks import is_partition
from flywheel_dagster.partitions import week_of, weeks
from flywheel_dagster.presentation import bars, column_schema, table
from flywheel_dagster.resources import Flywheel

_CHECK = dg.AssetCheckSpec(
    "exports_are_current",
    asset=WAREHOUSE_OUTCOMES,
    description="The warehouse has every week as the database has it. Warns only: outcomes change all the time.",
)


@dg.asset(
    name=WAREHOUSE_OUTCOMES,
    deps=[OUTCOME_LABELS],
    partitions_def=weeks,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_TRAINING,
    owners=[OWNER_DATA],
    kinds={"postgres", "parquet"},
    code_version=str(SCHEMA_VERSION),
    check_specs=[_CHECK],
    metadata={
        "dagster/column_schema": column_schema({column.name: column.type.lower() for column in schema_of(texts=False).with_week})
    },
)
def warehouse_outcomes(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Every outcome that reached someone or bounced, with label, weight and quality, as Parquet or a table of FLYWHEEL_WAREHOUSE, by the
    week it was sent in (Monday to Monday, UTC).

    A week is replaced whole; any range of weeks can be one run or many. What people wrote stays out, unless FLYWHEEL_WAREHOUSE_TEXTS=1.
    """
    texts = flywheel.settings().warehouse_texts

    def tell(week: ExportedWeek) -> None:
        context.log.info(f"week {week.week}: {week.rows} rows, {week.bytes} bytes")

    with plain_failures(), flywheel.connection() as connection, flywheel.warehouse() as destination:
        exported = export_weeks(connection, map(week_of, context.partition_keys), destination, texts=texts, progress=tell)
        stale = [export for export in stale_exports(connection, destination, texts=texts) if is_partition(export.week)]
        where = destination.name
    for week in exported:
        shown: dict[str, object] = {"dagster/row_count": week.rows, "size_bytes": week.bytes, "location": week.location}
        context.add_asset_metadata(shown, partition_key=str(week.week))
    filled = [week for week in exported if week.rows]
    return dg.MaterializeResult(
        check_results=[_checked(stale)],
        metadata={
            "destination": dg.MetadataValue.path(where),
            "table": schema_of(texts=texts).table,
            "schema_version": SCHEMA_VERSION,
            "weeks_in_this_run": len(exported),
            "rows_in_this_run": sum(week.rows for week in exported),
            "bytes_in_this_run": sum(week.bytes for week in exported),
            "weeks": table(
                [{"week": week.week, "rows": week.rows, "bytes": week.bytes} for week in filled[-26:]],
                none="no outcome was sent in these weeks",
            ),
            "rows_by_week": bars(
                {str(week.week): float(week.rows) for week in exported[-60:]}, title="Exported outcomes by week", ylabel="rows"
            ),
            "dagster/column_schema": column_schema(
                {column.name: column.type.lower() for column in schema_of(texts=texts).with_week}
            ),
        },
    )


def _checked(stale: list[StaleExport]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=_CHECK.name,
        passed=not stale,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(stale)} weeks in the warehouse are missing or older than their outcomes; run the job export_weeks over them"
        if stale
        else "all weeks in the warehouse are current",
        metadata={
            "stale_weeks": len(stale),
            "sample": table([{"week": export.week, "why": export.reason} for export in stale[:10]]),
        },
    )
