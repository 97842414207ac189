"""The whole loop on one machine: a simulated history, the asset graph, a registered model, and a summary. Safe to kill and to run again."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import Addresses, addresses, connect, statement
from flywheel_dagster.datasets.assemble import Dataset, current_dataset
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.migrations import migrate
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.outcomes.summary import Summary, summarize
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.processes import dagster_environment, run_module
from flywheel_dagster.sandbox.services import model_server_url
from flywheel_dagster.sandbox.simulator.history import history
from flywheel_dagster.sandbox.simulator.run import simulate
from flywheel_dagster.sandbox.simulator.world import World, demo_world
from flywheel_dagster.settings import Settings

SCOPE = "global"
_TRACKED = 60
_TRACKED_SEED = 8


def run_demo(settings: Settings, say: Callable[[str], None]) -> None:
    """Run the loop on the embedded database and the local model server, whatever else is configured. Raises FlywheelError if a step fails."""
    began = time.monotonic()
    settings = settings.model_copy(update={"local": True})
    say("database …")
    where = addresses(settings)
    migrate(where)
    say("local model server …")
    model_server_url(settings.home)
    say("outcomes …")
    with connect(where.service) as connection:
        simulate(connection, demo_world())
        anchor = _anchor(connection)
    asyncio.run(_track(where, anchor))
    say("assets …")
    environment = dagster_environment(settings, own_home=True) | {"FLYWHEEL_POLL_SECONDS": "0.2"}
    if run_module("flywheel_dagster.run", ["--observe", "--stale-weeks", "--scope", SCOPE], environment) != 0:
        raise FlywheelError("the demo stopped at the step named above; run make demo again to go on from there")
    with connect(where.service) as connection:
        dataset = current_dataset(connection, SCOPE, settings.training_data_dir)
        assert dataset is not None
        say(summary_text(connection, dataset, settings, seconds=time.monotonic() - began))


def summary_text(connection: psycopg.Connection[TupleRow], dataset: Dataset, settings: Settings, *, seconds: float) -> str:
    """What the loop came to, for a person."""
    outcomes = summarize(connection, first_week=datetime(2018, 1, 1).date())  # noqa: DTZ001
    with connection.cursor(row_factory=dict_row) as cursor:
        models = cursor.execute(statement("models_of_dataset"), {"hash": dataset.hash, "scope": SCOPE}).fetchall()
    lines = ["", *_outcome_lines(outcomes), "", *_dataset_lines(dataset), "", *(_model_line(model) for model in models), ""]
    lines += [
        f"Done in {seconds:.0f} s. Next:",
        f"  make dev                          the Dagster UI on http://127.0.0.1:{settings.dagster_port} (assets, checks, runs)",
        '  psql "$(.venv/bin/flywheel database-url)"   select * from model_leaderboard, active_models, training_ready_outcomes …',
        f"  {dataset.directory}",
        "  .venv/bin/flywheel down           stops the database and the model server",
    ]
    return "\n".join(lines)


def _outcome_lines(outcomes: Summary) -> list[str]:
    width = max(len(stage) for stage in outcomes.stages)
    most = max(1, outcomes.rows)
    lines = [
        f"Outcomes: {outcomes.rows} messages to {outcomes.leads} leads of {outcomes.organizations} organizations in {outcomes.weeks} weeks"
    ]
    for stage, count in outcomes.stages.items():
        lines.append(f"  {stage.replace('_', ' '):<{width}} {count:>7}  {'█' * round(30 * count / most)}")
    return [*lines, f"  ledger: {outcomes.events} events, {outcomes.unmatched_events} without an outcome"]


def _dataset_lines(dataset: Dataset) -> list[str]:
    lines = [
        f"Dataset {dataset.hash[:16]}: {dataset.examples} examples kept of {dataset.candidates} "
        f"({dataset.train_examples} to train, {dataset.validation_examples} to validate; {dataset.positive_examples} positive, {dataset.deals} deals)"
    ]
    return lines + [
        f"  dropped {count:>6}  {reason}" for reason, count in sorted(dataset.dropped.items(), key=lambda item: -item[1])
    ]


def _model_line(model: dict[str, Any]) -> str:
    return (
        f"Model {model['model_version']} ({model['scope']}): {model['model_id']}\n"
        f"  job {model['fine_tuning_job_id']}, {model['trained_tokens']} tokens trained, ${model['training_cost_usd']}, status {model['status']}"
    )


def _anchor(connection: psycopg.Connection[TupleRow]) -> datetime:
    row = connection.execute("select anchor from simulations where name = 'demo'").fetchone()
    assert row is not None
    anchor: datetime = row[0]
    return anchor


async def _track(where: Addresses, anchor: datetime) -> None:
    """A part of the history as an agent would record it: through OutcomeTracker, a call a fact. The same calls again change nothing."""
    world: World = msgspec.structs.replace(demo_world(), seed=_TRACKED_SEED, messages=_TRACKED)
    async with OutcomeTracker(where.service) as tracker:
        for story in history(world, anchor):
            sent = story.message
            await tracker.track_message_sent(
                sent.organization_id, sent.campaign_id, sent.lead_id, sent.channel, sent.message_body, sent.agent_decisions, sent.subject_line,
                {"industry": sent.lead_industry, "role": sent.lead_role, "company_size": sent.company_size, "icp_score": sent.icp_score},
                outcome_id=sent.id, sent_at=sent.sent_at,
            )  # fmt: skip
            others = [event for event in story.events if not await _tracked(tracker, event)]
            if others:
                with connect(where.service) as connection:
                    record(connection, others)


async def _tracked(tracker: OutcomeTracker, event: OutcomeEvent) -> bool:
    """Say an event through the tracker's own method; False for those that it has none for."""
    outcome, facts = event.outcome_id, event.facts
    assert outcome is not None
    when: dict[str, Any] = {"occurred_at": event.occurred_at, "event_id": str(event.event_key)}
    match event.event_type:
        case EventType.DELIVERED:
            await tracker.track_delivery(outcome, **when)
        case EventType.BOUNCED:
            await tracker.track_delivery(outcome, delivered=False, bounce_reason=facts.get("reason"), **when)
        case EventType.OPENED:
            await tracker.track_opened(outcome, machine=bool(facts.get("machine")), **when)
        case EventType.CLICKED:
            await tracker.track_clicked(outcome, **when)
        case EventType.MEETING_BOOKED:
            await tracker.track_meeting_booked(outcome, meeting_id=facts.get("meeting_id"), **when)
        case EventType.MEETING_COMPLETED | EventType.MEETING_NO_SHOW:
            held = event.event_type is EventType.MEETING_COMPLETED
            await tracker.track_meeting_completed(outcome, held, meeting_id=facts.get("meeting_id"), **when)
        case EventType.DEAL_CLOSED:
            when["closed_at"] = when.pop("occurred_at")
            await tracker.track_deal_closed(
                outcome, facts.get("value"), currency=facts.get("currency"), deal_id=facts.get("deal_id"), **when
            )
        case _:
            return False
    return True
