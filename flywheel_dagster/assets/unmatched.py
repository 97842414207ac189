"""`unmatched_events`: what was reported and found no outcome, with what would help."""

import dagster as dg

from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_OUTCOMES, OUTCOME_LABELS, OWNER_DATA, UNMATCHED_EVENTS
from flywheel_dagster.outcomes.linking import Unmatched, relink
from flywheel_dagster.outcomes.linking import unmatched_events as list_unmatched
from flywheel_dagster.presentation import bars, table
from flywheel_dagster.resources import Flywheel

EVENTS_FIND_THEIR_OUTCOME = "events_find_their_outcome"


@dg.asset(
    name=UNMATCHED_EVENTS,
    deps=[OUTCOME_LABELS],
    group_name=GROUP_OUTCOMES,
    owners=[OWNER_DATA],
    kinds={"postgres", "table"},
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            EVENTS_FIND_THEIR_OUTCOME,
            asset=UNMATCHED_EVENTS,
            description="Every event that concerns a message has found its outcome. Warns only: messages and addresses arrive later, too.",
        )
    ],
)
def unmatched_events(flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Events of the ledger that belong to no outcome yet. Materializing it decides their links anew, as `flywheel relink` does, and shows
    what is left by reason, with the remedy."""
    with plain_failures(), flywheel.connection() as connection:
        done = relink(connection)
        groups = list_unmatched(connection)
    open_ones = [group for group in groups if group.needs_attention]
    count = sum(group.events for group in open_ones)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(group.events for group in groups),
            "need_attention": count,
            "linked_now": done.linked,
            "by_reason": _shown(groups),
            "plot": bars(_by_reason(groups), title="Events without an outcome", ylabel="events"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=EVENTS_FIND_THEIR_OUTCOME,
                passed=not count,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"{count} events found no outcome; most: {open_ones[0].reason}: {open_ones[0].remedy}"
                if open_ones
                else "all events that concern a message have found it",
                metadata={"events": count, "by_reason": _shown(open_ones)},
            )
        ],
    )


def _shown(groups: list[Unmatched]) -> dg.MarkdownMetadataValue:
    return table(
        [
            {
                "why": group.reason,
                "source": group.source,
                "events": group.events,
                "oldest": f"{group.oldest:%Y-%m-%d}",
                "newest": f"{group.newest:%Y-%m-%d}",
                "what helps": group.remedy,
            }
            for group in groups
        ]
    )


def _by_reason(groups: list[Unmatched]) -> dict[str, float]:
    counts: dict[str, float] = {}
    for group in groups:
        counts[group.reason] = counts.get(group.reason, 0) + group.events
    return counts
