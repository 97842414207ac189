"""The whole loop on one machine: a simulated history, the asset graph, a registered model, and a summary. Safe to kill and to run again."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import Addresses, addresses, connect
from flywheel_dagster.errors import FlywheelError
from flywheel_dagster.migrations import migrate
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.processes import dagster_environment, run_module
from flywheel_dagster.report import report
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
    environment = dagster_environment(settings, own_home=True)
    if run_module("flywheel_dagster.run", ["--observe", "--stale-weeks", "--scope", SCOPE, "--strategies"], environment) != 0:
        raise FlywheelError("the demo stopped at the step named above; run make demo again to go on from there")
    with connect(where.service) as connection:
        say("\n" + report(connection, settings, SCOPE))
    say(
        f"\nDone in {time.monotonic() - began:.0f} s. Next:\n"
        f"  make dev                                    the Dagster UI on http://127.0.0.1:{settings.dagster_port}\n"
        '  psql "$(.venv/bin/flywheel database-url)"   the views active_models, model_leaderboard, training_ready_outcomes\n'
        "  .venv/bin/flywheel down                     stops the database and the model server"
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
