"""The whole circle, beside `make dev`: the agent of sales_agent.py writes to forty leads, a play world answers through webhooks, and its strategies move.

    .venv/bin/python examples/whole_circle.py [--ingester http://127.0.0.1:8081]

The world likes PAS: of those who get it most answer, book a meeting and buy; of the others hardly anybody does. The agent isn't told.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2
from sales_agent import SalesAgent

from flywheel_dagster.models.model_registry import ModelRegistry
from flywheel_dagster.settings import load_settings
from flywheel_dagster.strategies.integration import AgentOutcomeIntegration
from flywheel_dagster.training.routing import router_of

LEADS, CAMPAIGN = 40, "spring"
LEAD = {"industry": "SaaS", "role": "VP Sales"}
AGO = datetime.now(UTC) - timedelta(days=140)  # so that silence says something, and deals have had their time


async def whole_circle(ingester: str, organization: str, model: str = "gpt-4o-mini") -> dict[str, list[dict[str, object]]]:
    """The organization's strategies before and after."""
    sent: dict[UUID, str] = {}
    async with (
        ModelRegistry() as registry, AgentOutcomeIntegration() as outcomes, router_of(load_settings()) as router,
        httpx2.AsyncClient(base_url=ingester) as world,
    ):  # fmt: skip
        await registry.set_baseline_model(model, organization_id=organization)
        agent = SalesAgent(
            outcomes, router, lambda outcome, text, category: sent.update({outcome: category}), organization, CAMPAIGN
        )
        before: list[dict[str, object]] = []
        for half in range(2):
            for number in range(LEADS // 2):
                outcome = await agent.write_to(f"lead-{half}-{number}", LEAD, AGO + half * timedelta(weeks=2))
                await _answer(world, agent, outcome, liked=sent[outcome].startswith("PAS") or number % 10 == 0)
            await outcomes.refresh(organization)
            found = await outcomes.get_winning_strategies(organization, "reply_rate", min_samples=1)
            before, after = before or found, found
    return {"before": before, "after": after}


async def _answer(world: httpx2.AsyncClient, agent: SalesAgent, outcome: UUID, *, liked: bool) -> None:
    """What a lead does, as the providers tell it."""
    now, id = datetime.now(UTC), str(outcome)
    events = [{"email": "lead@example.com", "event": event, "timestamp": int(now.timestamp()), "sg_event_id": uuid4().hex, "outcome_id": id}
        for event in ("delivered", "open")]  # fmt: skip
    (await world.post("/webhooks/sendgrid", json=events)).raise_for_status()
    if liked:
        await agent.answered(outcome, "Interested! Can we schedule a call next week?")
        (
            await world.post("/webhooks/crm/meetings", json={"event": "meeting.booked", "meeting_id": id, "outcome_id": id})
        ).raise_for_status()
        won = {"event": "deal.closed_won", "deal_id": id, "deal_value": 9000, "closed_at": now.isoformat(), "outcome_id": id}
        (await world.post("/webhooks/crm/deals", json=won)).raise_for_status()


def main() -> None:
    """Print both."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--ingester", default="http://127.0.0.1:8081", help="the webhooks' address [%(default)s]")
    arguments.add_argument("--organization", default="example", help="who sends [%(default)s]")
    given = arguments.parse_args()
    for when, rows in asyncio.run(whole_circle(given.ingester, given.organization)).items():
        print(when)
        for row in rows:
            print(
                f"  {row['strategy']:<18} {row['total_sent']:>3} sent  {row['replied']:>3} replies  {row['meetings']:>3} meetings  {row['deals']:>3} deals"
                f"  worth believing: {row['estimate']:.0%} ({row['low']:.0%} to {row['high']:.0%})  best with {row['probability_best']:.0%}"
            )


if __name__ == "__main__":
    main()
