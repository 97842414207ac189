"""`scored_training_rows`: the weekly partitions, each outcome with label, weight, score and its finished example."""

import dagster as dg

from flywheel_dagster.datasets.examples import FORMAT
from flywheel_dagster.datasets.weeks import ScoredWeek, score_weeks
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_TRAINING, OUTCOME_LABELS, OWNER_DATA, REPLY_SENTIMENT, SCORED_TRAINING_ROWS
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster.partitions import week_of, weeks
from flywheel_dagster.presentation import bars, column_schema, table
from flywheel_dagster.resources import Flywheel


@dg.asset(
    name=SCORED_TRAINING_ROWS,
    deps=[OUTCOME_LABELS, REPLY_SENTIMENT],
    partitions_def=weeks,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_TRAINING,
    owners=[OWNER_DATA],
    kinds={"postgres", "python"},
    code_version=str(FORMAT),
    metadata={
        "dagster/column_schema": column_schema(
            {
                "outcome_id": "uuid",
                "week": "date",
                "organization_id": "text",
                "quality_score": "double precision",
                "training_label": "text",
                "training_weight": "double precision",
                "split_point": "double precision",
                "example": "text (JSON line)",
                "rejected": "text (reason)",
            }
        )
    },
)
def scored_training_rows(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Every outcome that reached someone or bounced, one row each, by the week it was sent in (Monday to Monday, UTC).

    A week is written anew in one transaction; any range of weeks can be one run or many.
    """
    keys = sorted(context.partition_keys)
    first, last = week_of(keys[0]), week_of(keys[-1])

    def tell(week: ScoredWeek) -> None:
        context.log.info(f"week {week.week}: {week.rows} rows, {week.examples} examples, mean quality {week.mean_quality}")

    with plain_failures(), flywheel.connection() as connection:
        scored = score_weeks(connection, monday(first), monday(last), outcome_note=flywheel.settings().outcome_note, progress=tell)
    for week in scored:
        context.add_asset_metadata(_week_metadata(week), partition_key=str(week.week))
    filled = [week for week in scored if week.rows]
    shown = [
        {"week": week.week, "rows": week.rows, "examples": week.examples, "mean quality": week.mean_quality}
        for week in filled[-12:]
    ]
    return dg.MaterializeResult(
        metadata={
            "weeks_in_this_run": len(scored),
            "rows_in_this_run": sum(week.rows for week in scored),
            "preview": table(shown, none="no outcome was sent in these weeks"),
            "rows_by_week": bars(
                {str(week.week): float(week.rows) for week in scored[-60:]}, title="Training rows by week", ylabel="rows"
            ),
        }
    )


def _week_metadata(week: ScoredWeek) -> dict[str, int | float]:
    """What a single partition shows, also when it was written in a run over many."""
    labels = {label: week.labels.get(label, 0) for label in ("positive_example", "neutral", "negative_example")}
    return {"dagster/row_count": week.rows, "examples": week.examples, "mean_quality": week.mean_quality, **labels}
