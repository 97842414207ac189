"""`flywheel_metrics`: the flywheel at a glance, week by week."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from psycopg.rows import dict_row

from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import (
    FLYWHEEL_METRICS,
    GROUP_STRATEGIES,
    MODEL_REGISTRY_ENTRY,
    OWNER_STRATEGIES,
    STRATEGY_PERFORMANCE,
)
from flywheel_dagster.presentation import lines, stacked, table, told
from flywheel_dagster.resources import Flywheel

_WEEKS = 26
_RATES = {"replies": "reply_rate", "meetings": "meeting_rate", "deals": "close_rate"}


@dg.asset(
    name=FLYWHEEL_METRICS,
    deps=[STRATEGY_PERFORMANCE, dg.AssetDep(MODEL_REGISTRY_ENTRY, partition_mapping=dg.AllPartitionMapping())],
    group_name=GROUP_STRATEGIES,
    owners=[OWNER_STRATEGIES],
    kinds={"postgres"},
    code_version="1",
)
def flywheel_metrics(flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Outcomes by week of sending, examples ready to train on, mood and its change, rates, cost of a meeting, models trained, over all organizations.

    The view `flywheel_metrics` has them by organization. What the newest weeks brought is still coming: replies within days, deals within months.
    """
    with plain_failures(), flywheel.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from flywheel_metrics_of()").fetchall()
    newest = rows[-_WEEKS:]
    last = rows[-1] if rows else None
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "outcomes": int(sum(row["outcomes"] for row in rows)),
            "training_ready": int(sum(row["training_ready"] for row in rows)),
            "models_trained": int(sum(row["models_trained"] for row in rows)),
            **({"newest_week": str(last["week"])} if last else {}),
            "weeks": table([_row(row) for row in reversed(newest)], none="no message was sent yet"),
            "rates": lines(
                {
                    name: [(place, 100 * row[rate]) for place, row in enumerate(newest) if row[rate] is not None]
                    for name, rate in _RATES.items()
                },
                title="Rates by week of sending",
                xlabel=f"the last {len(newest)} weeks",
                ylabel="%",
            ),
            "messages": stacked(
                {
                    "ready to train on": [float(row["training_ready"]) for row in newest],
                    "not yet": [float(row["outcomes"] - row["training_ready"]) for row in newest],
                },
                [f"{row['week']:%d %b}" for row in newest],
                title="Messages by week",
                ylabel="messages",
            ),
        },
    )


def _row(row: Mapping[str, Any]) -> dict[str, object]:
    return {
        "week": str(row["week"]),
        "outcomes": f"{row['outcomes']:,}",
        "training-ready": f"{row['training_ready']:,}",
        "sentiment": told(row["average_sentiment"], "{:+.2f}"),
        "change": told(row["sentiment_change"], "{:+.2f}"),
        "reply rate": told(row["reply_rate"], "{:.2%}"),
        "meeting rate": told(row["meeting_rate"], "{:.2%}"),
        "close rate": told(row["close_rate"], "{:.2%}"),
        "revenue": f"{row['revenue']:,.0f}",
        "cost": told(row["cost_usd"], "{:,.2f} USD"),
        "a meeting": told(row["cost_per_meeting"], "{:,.2f} USD"),
        "models": row["models_trained"],
    }
