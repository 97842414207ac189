"""A sales agent in thirty lines: it asks what to try and who writes, sends, says what it did, and learns from the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flywheel_dagster.datasets.prompts import request_messages
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.strategies.integration import AgentOutcomeIntegration

STRATEGIES = [(framework, tone) for framework in ("PAS", "AIDA") for tone in ("professional", "casual")]


@dataclass(frozen=True)
class SalesAgent:
    """Writes for a campaign. `send` hands a text to the mail system, with the outcome id as custom argument and the strategy as category."""

    outcomes: AgentOutcomeIntegration
    router: ModelRouter
    send: Callable[[UUID, str, str], None]
    organization_id: str
    campaign_id: str

    async def write_to(self, lead_id: str, lead: Mapping[str, str], sent_at: datetime | None = None) -> UUID:
        """One message, by a suggested strategy and the model that is the lead's."""
        suggestion = await self.outcomes.suggest_strategy(self.organization_id, lead, "email", allowed=STRATEGIES)
        asked = request_messages(
            {f"lead_{name}": value for name, value in lead.items()} | suggestion.decisions | {"channel": "email"}
        )
        said = await self.router.complete(
            asked, organization_id=self.organization_id, campaign_id=self.campaign_id, lead_id=lead_id
        )
        outcome = await self.outcomes.track_agent_message(
            self.organization_id, self.campaign_id, lead_id, "email", said.text, {"CopywriterAgent": {"cta": "book_meeting"}},
            lead_context=lead, suggestion=suggestion, model_registry_id=said.model_registry_id, experiment_arm=said.experiment_arm, sent_at=sent_at,
        )  # fmt: skip
        self.send(outcome, said.text, suggestion.strategy)
        return outcome

    async def answered(self, outcome: UUID, reply: str) -> ReplyAnalysis:
        """What to make of a lead's answer; the strategies learn from it, too."""
        return await self.outcomes.process_reply(outcome, reply)
