"""Strategies in the graph: what the five assets show, and when the schedule asks for them."""

import dagster as dg
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import hourly_strategies
from flywheel_dagster_tests.orchestration.conftest import Run
from flywheel_dagster_tests.orchestration.test_assets import metadata, unmet
from flywheel_dagster_tests.strategies.making import sent

Connection = psycopg.Connection[TupleRow]
_COPY = {"CopywriterAgent": {"hooks_used": ["curiosity"], "cta": "book"}}


def _asked(instance: dg.DagsterInstance) -> object:
    with dg.build_schedule_context(instance=instance, resources={"flywheel": Flywheel()}) as context:
        return hourly_strategies(context)


def test_the_assets_show_what_works_and_the_schedule_asks_when_something_changed(
    connection: Connection, run: Run, instance: dg.DagsterInstance
) -> None:
    nothing = run("learn_strategies")
    assert nothing.success, unmet(nothing)
    assert metadata(nothing, "flywheel_metrics")["weeks"] == "no message was sent yet"
    assert isinstance(_asked(instance), dg.SkipReason)

    sent(connection, "PAS_casual", 300, replied=90, meetings=30, deals=12, decisions=_COPY)
    sent(connection, "AIDA_direct", 300, replied=15, meetings=3, deals=1, industry="Retail")
    assert isinstance(_asked(instance), dg.RunRequest)
    done = run("learn_strategies")
    assert done.success, unmet(done)
    counted = metadata(done, "strategy_performance")
    assert (counted["organizations"], counted["weeks_counted_again"], counted["dimensions_learnt"]) == (1, 1, 3)
    assert "| acme | PAS_casual | 300 | 300 (100.0%) |" in counted["strategies"] and "| hooks_used, cta |" in counted["decisions"]
    winning = metadata(done, "winning_strategies")
    first = winning["by_performance"].splitlines()[2]
    assert first.startswith("| acme | 1 | PAS_casual | 300 |") and "| yes |" in first
    assert "data:image/png;base64," in winning["reply_rates"] and "industry" in winning["warnings"]
    assert "| acme | PersonalizerAgent | 600 |" in metadata(done, "agent_leaderboard")["agents"]
    metrics = metadata(done, "flywheel_metrics")
    assert (metrics["outcomes"], metrics["training_ready"]) == (600, 600)
    assert "| 17.50% | 5.50% | 2.17% |" in metrics["weeks"] and "data:image/png;base64," in metrics["rates"]
    assert isinstance(_asked(instance), dg.SkipReason)
    assert metadata(run("learn_strategies"), "strategy_performance")["weeks_counted_again"] == 0
