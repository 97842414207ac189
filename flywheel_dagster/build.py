"""Assembles the graph: the one place where assets, checks, jobs, schedules and sensors meet their resources. Tests pass other resources."""

from collections.abc import Mapping

import dagster as dg

from flywheel_dagster.assets.dataset import training_jsonl
from flywheel_dagster.assets.evaluation import model_evaluation
from flywheel_dagster.assets.leads import lead_feedback, lead_scoring_deployment, lead_scoring_model
from flywheel_dagster.assets.meetings import held_meetings
from flywheel_dagster.assets.metrics import flywheel_metrics
from flywheel_dagster.assets.model import fine_tuned_model
from flywheel_dagster.assets.outcomes import outcome_labels
from flywheel_dagster.assets.pairs import preference_pairs
from flywheel_dagster.assets.performance import model_performance
from flywheel_dagster.assets.playbooks import playbooks
from flywheel_dagster.assets.registry import model_registry_entry
from flywheel_dagster.assets.replies import reply_sentiment
from flywheel_dagster.assets.strategies import agent_leaderboard, strategy_performance, winning_strategies
from flywheel_dagster.assets.training_rows import scored_training_rows
from flywheel_dagster.assets.unmatched import unmatched_events
from flywheel_dagster.assets.verdict import experiment_verdict
from flywheel_dagster.assets.warehouse import warehouse_outcomes
from flywheel_dagster.jobs import JOBS
from flywheel_dagster.lead_watches import LEAD_CHECKS
from flywheel_dagster.operations import OPERATIONS
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.schedules import SCHEDULES
from flywheel_dagster.sensors import SENSORS
from flywheel_dagster.watches import bases_stay, feeds_alive


def build_defs(resources: Mapping[str, object] | None = None) -> dg.Definitions:
    """The whole graph; `resources` replaces the default ones by name."""
    return dg.Definitions(
        assets=[
            outcome_labels,
            held_meetings,
            unmatched_events,
            reply_sentiment,
            scored_training_rows,
            warehouse_outcomes,
            training_jsonl,
            preference_pairs,
            fine_tuned_model,
            model_evaluation,
            model_registry_entry,
            model_performance,
            experiment_verdict,
            strategy_performance,
            winning_strategies,
            agent_leaderboard,
            playbooks,
            flywheel_metrics,
            lead_feedback,
            lead_scoring_model,
            lead_scoring_deployment,
        ],
        asset_checks=[bases_stay, feeds_alive, *LEAD_CHECKS],
        jobs=[*JOBS, *OPERATIONS],
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={"flywheel": Flywheel()} | dict(resources or {}),
        executor=dg.in_process_executor,
    )
