"""`outcome_labels`: written by the doors, the tracker and imports, not by Dagster, which only observes it."""

from collections.abc import Iterator

import dagster as dg

from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_OUTCOMES, OUTCOME_LABELS, OWNER_DATA
from flywheel_dagster.outcomes.summary import summarize
from flywheel_dagster.outcomes.weeks import FIRST_WEEK
from flywheel_dagster.presentation import bars, table
from flywheel_dagster.resources import Flywheel


@dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]
    name="observe_outcome_labels",
    specs=[
        dg.AssetSpec(
            OUTCOME_LABELS,
            description="One row for each sent message and what became of it, folded from the ledger `webhook_events`. "
            "Observe it to see rows by stage and the newest change.",
            group_name=GROUP_OUTCOMES,
            owners=[OWNER_DATA],
            kinds={"postgres", "table"},
        )
    ],
)
def outcome_labels(flywheel: Flywheel) -> Iterator[dg.ObserveResult]:
    with plain_failures(), flywheel.connection() as connection:
        summary = summarize(connection, first_week=FIRST_WEEK)
    yield dg.ObserveResult(
        asset_key=OUTCOME_LABELS,
        data_version=dg.DataVersion(f"{summary.rows}@{summary.newest_change.isoformat() if summary.newest_change else 'never'}"),
        metadata={
            "dagster/row_count": summary.rows,
            "newest_change": summary.newest_change.isoformat() if summary.newest_change else "never",
            "organizations": summary.organizations,
            "leads": summary.leads,
            "weeks": summary.weeks,
            "ledger_events": summary.events,
            "unmatched_events": summary.unmatched_events,
            "sent_before_the_first_week": summary.before_first_week,
            "by_stage": table([{"stage": stage, "outcomes": count} for stage, count in summary.stages.items()]),
            "funnel": bars(
                {stage: float(count) for stage, count in summary.stages.items()}, title="Outcomes by stage", ylabel="outcomes"
            ),
        },
    )
