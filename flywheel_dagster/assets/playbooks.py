"""`playbooks`: the sequences of touches that did better than chance explains, campaign by campaign."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_STRATEGIES, OUTCOME_LABELS, OWNER_STRATEGIES, PLAYBOOKS
from flywheel_dagster.presentation import intervals, table
from flywheel_dagster.resources import Flywheel

if TYPE_CHECKING:
    from flywheel_dagster.strategies.sequences.playbooks import Playbook

_SHOWN, _DRAWN, _LABEL = 50, 12, 70
_NONE = "no sequence has enough leads yet whose window is over, beside others at the same point"


@dg.asset(
    name=PLAYBOOKS,
    deps=[OUTCOME_LABELS],
    group_name=GROUP_STRATEGIES,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres", "table"},
    code_version="1",
)
def playbooks(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Which sequences of touches (order, gap, channel, strategy) led to more meetings, positive replies and deals than the campaign's others.

    A lead counts with each sequence of its first touches if it stood open when the last of them was sent, and with what it achieved within the window
    from then on, whatever it was sent later. It is compared with leads at the same point: as many touches with the same gaps, in the same month, with the
    same answer so far. Lift is over all leads there; `supported` holds the false discoveries of a campaign at a tenth. Who got which sequence
    was somebody's choice, so a playbook is a lead to follow, and an experiment is the proof.
    """
    from flywheel_dagster.strategies.sequences.playbooks import best_playbooks, refresh_playbooks  # numpy and scipy
    from flywheel_dagster.strategies.sequences.rules import Metric, Rules

    settings = flywheel.settings()
    rules = Rules(
        meeting_window=timedelta(days=settings.strategy_meeting_days), deal_window=timedelta(days=settings.strategy_deal_days)
    )
    with plain_failures(), flywheel.connection() as connection:
        refreshed = refresh_playbooks(connection, now=datetime.now(UTC), rules=rules)
        best = {metric: best_playbooks(connection, metric, limit=_SHOWN) for metric in Metric}
    context.log.info(f"{refreshed.campaigns} campaigns looked through")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(refreshed.found.values()),
            "campaigns": refreshed.campaigns,
            "supported": sum(refreshed.supported.values()),
            **{f"sequences_{metric}": count for metric, count in refreshed.found.items()},
            **{f"supported_{metric}": count for metric, count in refreshed.supported.items()},
            **{f"best_{metric}": table([_row(each) for each in found], none=_NONE) for metric, found in best.items()},
            "lift": _drawn(best[Metric.MEETING]),
        },
    )


def _row(playbook: "Playbook") -> dict[str, object]:
    told = playbook.lift is not None
    return {
        "organization": playbook.organization_id,
        "campaign": playbook.campaign_id,
        "sequence": playbook.words,
        "leads": playbook.leads,
        "successes": playbook.successes,
        "rate": f"{playbook.rate:.2%}",
        "expected": f"{playbook.expected_rate:.2%}",
        "shrunken": f"{playbook.shrunken_rate:.2%}",
        "lift": f"× {playbook.lift:.2f}" if told else "–",
        "95 % interval": f"{playbook.lift_low:.2f} to {playbook.lift_high:.2f}" if told else "–",
        "supported": "yes" if playbook.supported else "no",
    }


def _drawn(playbooks: "list[Playbook]") -> dg.MarkdownMetadataValue:
    estimates = {}
    for number, each in enumerate(playbooks[:_DRAWN], 1):
        if each.lift is not None and each.lift_low is not None and each.lift_high is not None:
            words = each.words if len(each.words) <= _LABEL else f"{each.words[:_LABEL]} …"
            estimates[f"{number}. {words}"] = (each.lift, each.lift_low, each.lift_high)
    return intervals(
        estimates, title="Meetings: lift over leads at the same point", xlabel="lift, 95 % interval", at=1.0, none=_NONE
    )
