"""`strategy_performance`, `winning_strategies`, `agent_leaderboard`: what agents decided, what became of it, and what is worth believing."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from psycopg.rows import dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import (
    AGENT_LEADERBOARD,
    GROUP_STRATEGIES,
    OUTCOME_LABELS,
    OWNER_STRATEGIES,
    STRATEGY_PERFORMANCE,
    WINNING_STRATEGIES,
)
from flywheel_dagster.presentation import bars, intervals, table
from flywheel_dagster.resources import Flywheel

_SHOWN, _DRAWN = 50, 12
_NONE = "no message with a framework and a tone was sent yet"


@dg.asset(
    name=STRATEGY_PERFORMANCE,
    deps=[OUTCOME_LABELS],
    group_name=GROUP_STRATEGIES,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres"},
    code_version="1",
)
def strategy_performance(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Counts by what was decided about messages (framework, tone, hooks, call to action, domain, hour, any other key), and what is learnt from them.

    Only weeks are counted again that changed; what agents ask for is read from here. The view `strategy_performance` has the same rows.
    """
    from flywheel_dagster.strategies.counts import Ages
    from flywheel_dagster.strategies.learning import refresh  # numpy and scipy, which nothing else here needs at load time

    settings = flywheel.settings()
    weeks = dimensions = organizations = 0
    with plain_failures(), flywheel.connection() as connection:
        for each in refresh(connection, ages=Ages.of(settings)):
            context.log.info(f"{each.organization_id}: {each.weeks} weeks counted again, {each.dimensions} dimensions learnt")
            weeks, dimensions, organizations = weeks + each.weeks, dimensions + each.dimensions, organizations + 1
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(statement("strategy_totals"), {"limit": _SHOWN}).fetchall()
            kept = cursor.execute(statement("strategy_dimensions_kept")).fetchall()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(row["rows"] for row in kept),
            "organizations": organizations,
            "weeks_counted_again": weeks,
            "dimensions_learnt": dimensions,
            "strategies": table([_counted(row) for row in rows], none=_NONE),
            "decisions": table(
                [
                    {"decisions": ", ".join(row["keys"]), "strategies": row["strategies"], "messages": f"{row['sent']:,}"}
                    for row in kept
                ],
                none="nothing was decided yet",
            ),
        },
    )


@dg.asset(
    name=WINNING_STRATEGIES,
    deps=[STRATEGY_PERFORMANCE],
    group_name=GROUP_STRATEGIES,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres"},
    code_version="1",
)
def winning_strategies(flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Each organization's strategies, ranked by what is worth believing, with the raw rate beside it: the view `winning_strategies` as of now.

    An estimate is drawn towards the other strategies' by as much as it is uncertain, and taken over the organization's own mix of leads. `held` compares
    raw rates among leads of the same kind; a warning says where a strategy went to other leads than the rest.
    """
    with plain_failures(), flywheel.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("winners"), {"limit": _SHOWN * 4}).fetchall()
    best = [row for row in rows if row["metric"] == "performance"]
    replies = [row for row in rows if row["metric"] == "reply_rate"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "decided": sum(row["enough_data"] for row in best),
            "by_performance": table([_believed(row) for row in best[:_SHOWN]], none=_NONE),
            "by_reply_rate": table([_believed(row) for row in replies[:_SHOWN]], none=_NONE),
            "reply_rates": intervals(
                {
                    f"{row['organization_id']} {row['name']}": (100 * row["estimate"], 100 * row["low"], 100 * row["high"])
                    for row in replies[:_DRAWN]
                },
                title="Reply rate, as it is worth believing",
                xlabel="%, 95 % interval",
                at=0.0,
                none=_NONE,
            ),
            "warnings": table(
                [
                    {"organization": row["organization_id"], "strategy": row["name"], "warning": text}
                    for row in replies
                    for text in row["warnings"]
                ],
                none="every strategy went to much the same leads",
            ),
        },
    )


@dg.asset(
    name=AGENT_LEADERBOARD,
    deps=[STRATEGY_PERFORMANCE],
    group_name=GROUP_STRATEGIES,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres"},
    code_version="1",
)
def agent_leaderboard(flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """The agents by what became of the messages that they had a part in, and the decision of each that did best: the view `agent_leaderboard` as of now.

    Agents that work on the same messages share their rates; what tells them apart is how much their decisions matter.
    """
    with plain_failures(), flywheel.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from agent_leaderboard order by organization_id, rank, agent").fetchall()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "agents": table([_agent(row) for row in rows[:_SHOWN]], none="no agent has decided anything yet"),
            "gain": bars(
                {
                    f"{row['organization_id']} {row['agent']}": 100 * (row["best_performance"] / row["performance"] - 1)
                    for row in rows[:_DRAWN]
                    if row["best_performance"] and row["performance"]
                },
                title="Best decision against the agent's average",
                ylabel="% of performance",
            ),
        },
    )


def _counted(row: Mapping[str, Any]) -> dict[str, object]:
    sent = row["sent"]
    return {
        "organization": row["organization_id"],
        "strategy": row["name"],
        "sent": f"{sent:,}",
        **{name: f"{row[name]:,} ({row[name] / sent:.1%})" for name in ("delivered", "opened", "replied", "meetings", "deals")},
        "revenue": f"{row['revenue']:,.0f}",
        "a deal": f"{row['revenue'] / row['deals']:,.0f}" if row["deals"] else "–",
    }


def _believed(row: Mapping[str, Any]) -> dict[str, object]:
    held = row["held_difference"]
    return {
        "organization": row["organization_id"],
        "rank": row["rank"],
        "strategy": row["name"],
        "sent": f"{row['sent']:,}",
        "raw": f"{row['raw']:.2%}",
        "estimate": f"{row['estimate']:.2%}",
        "95 % interval": f"{row['low']:.2%} to {row['high']:.2%}",
        "best with": f"{row['probability_best']:.0%}",
        "enough data": "yes" if row["enough_data"] else f"no: {row['reason']}",
        "held": "–"
        if held is None
        else f"{100 * held:+.1f} points ({100 * row['held_low']:+.1f} to {100 * row['held_high']:+.1f})",
    }


def _agent(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "organization": row["organization_id"],
        "agent": row["agent"],
        "sent": f"{row['sent']:,}",
        "reply rate": f"{row['reply_rate']:.2%}",
        "meeting rate": f"{row['meeting_rate']:.2%}",
        "close rate": f"{row['close_rate']:.2%}",
        "performance": f"{row['performance']:.4f}",
        "best decision": "–"
        if row["best_key"] is None
        else f"{row['best_key']} = {row['best_decision']} ({row['best_sent']:,} sent, {row['best_performance']:.4f})",
    }
