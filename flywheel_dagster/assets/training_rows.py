"""`scored_training_rows`: the weekly partitions, each outcome with label, weight, score and its finished example."""

import os
from collections import Counter

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
                "delivered": "boolean",
                "silent": "boolean",
                "split_point": "double precision",
                "text_key": "bigint",
                "tokens": "int",
                "example": "text (JSON line)",
                "rejected": "text (reason)",
            }
        )
    },
)
def scored_training_rows(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Every outcome that reached someone or bounced, one row each, by the week it was sent in (Monday to Monday, UTC), with its finished example.

    Signatures and quoted threads are cut and personal data replaced, unless its organization switched that off. A week is written anew in one
    transaction; any range of weeks can be one run or many, and a long one is shared among processes (FLYWHEEL_PROCESSES).
    """
    keys = sorted(context.partition_keys)
    first, last = week_of(keys[0]), week_of(keys[-1])

    def tell(week: ScoredWeek) -> None:
        context.log.info(f"week {week.week}: {week.rows} rows, {week.examples} examples, mean quality {week.mean_quality}")

    settings = flywheel.settings()
    with plain_failures(), flywheel.connection() as connection:
        scored = score_weeks(
            connection,
            monday(first),
            monday(last),
            outcome_note=settings.outcome_note,
            processes=settings.processes or os.cpu_count() or 1,
            progress=tell,
        )
    for week in scored:
        context.add_asset_metadata(_week_metadata(week), partition_key=str(week.week))
    filled = [week for week in scored if week.rows]
    shown = [
        {"week": week.week, "sent": week.sent, "rows": week.rows, "examples": week.examples, "mean quality": week.mean_quality}
        for week in filled[-12:]
    ]
    became = Counter(
        {
            "example": sum(week.examples for week in scored),
            "neither delivered nor bounced, or without text": sum(week.sent - week.rows for week in scored),
        }
    )
    replaced: Counter[str] = Counter()
    for week in scored:
        became.update(week.rejected)
        replaced.update(week.replaced)
    return dg.MaterializeResult(
        metadata={
            "weeks_in_this_run": len(scored),
            "rows_in_this_run": sum(week.rows for week in scored),
            "tokens_in_this_run": sum(week.tokens for week in scored),
            "what_became_of_the_outcomes": table([{"what": what, "outcomes": count} for what, count in became.most_common()]),
            "replaced": table(
                [{"placeholder": name, "times": count} for name, count in replaced.most_common()],
                none="no personal data was replaced",
            ),
            "preview": table(shown, none="no outcome was sent in these weeks"),
            "rows_by_week": bars(
                {str(week.week): float(week.rows) for week in scored[-60:]}, title="Training rows by week", ylabel="rows"
            ),
        }
    )


def _week_metadata(week: ScoredWeek) -> dict[str, int | float]:
    """What a single partition shows, also when it was written in a run over many."""
    labels = {label: week.labels.get(label, 0) for label in ("positive_example", "neutral", "negative_example")}
    counts = {"sent": week.sent, "examples": week.examples, "tokens": week.tokens, "replaced": week.replaced.total()}
    return {"dagster/row_count": week.rows, **counts, "mean_quality": week.mean_quality, **labels}
