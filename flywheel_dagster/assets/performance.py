"""`model_performance`: what the registered versions achieved, as the outcomes of their messages have it now."""

import dagster as dg
from psycopg.rows import dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_MODELS, MODEL_PERFORMANCE, MODEL_REGISTRY_ENTRY, OUTCOME_LABELS, OWNER_MODELS
from flywheel_dagster.presentation import bars, table, told
from flywheel_dagster.resources import Flywheel

_SHOWN = 50


@dg.asset(
    name=MODEL_PERFORMANCE,
    deps=[OUTCOME_LABELS, dg.AssetDep(MODEL_REGISTRY_ENTRY, partition_mapping=dg.AllPartitionMapping())],
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"postgres"},
    code_version="1",
)
def model_performance(flywheel: Flywheel) -> dg.MaterializeResult[None]:
    """Messages, replies, meetings, deals and revenue of each version, and its rates beside the baseline's: the view `model_leaderboard` as of now.

    The numbers are derived from outcomes; nobody counts them by hand. Rates of models that wrote at different times or for different leads are no
    comparison: that is what `experiment_verdict` is for.
    """
    with plain_failures(), flywheel.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("leaderboard"), {"min_samples": 1, "scopes": None}).fetchall()
        reported = cursor.execute(statement("reported_elsewhere")).fetchall()
    serving = [row for row in rows if row["status"] == "deployed"]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "deployed": len(serving),
            "messages": sum(row["total_messages_sent"] for row in rows),
            "revenue": float(sum(row["total_revenue"] for row in rows)),
            "leaderboard": table([_row(row) for row in rows[:_SHOWN]], none="no model has written a message yet"),
            "measured_elsewhere": table([dict(row) for row in reported[:_SHOWN]], none="nobody has reported totals of their own"),
            "reply_rates": bars(
                {f"{row['scope']} {row['model_version']}": 100 * row["reply_rate"] for row in rows[:12]},
                title="Reply rate",
                ylabel="%",
            ),
        },
    )


def _row(row: dict[str, object]) -> dict[str, object]:
    return {
        "scope": row["scope"],
        "version": row["model_version"],
        "status": row["status"] if row["ab_test_group"] is None else f"{row['ab_test_group']}, {row['traffic_percentage']:g} %",
        "messages": row["total_messages_sent"],
        "reply rate": told(row["reply_rate"], "{:.2%}"),
        "meeting rate": told(row["meeting_rate"], "{:.2%}"),
        "close rate": told(row["close_rate"], "{:.2%}"),
        "replies against the baseline": told(row["reply_rate_vs_baseline"], "{:+.1f} %"),
        "deals against the baseline": told(row["close_rate_vs_baseline"], "{:+.1f} %"),
        "revenue": f"{row['total_revenue']:,.0f}",
    }
