"""`AgentOutcomeIntegration`: what an agent calls before it writes, as it sends, and when an answer comes."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from flywheel_dagster.database import connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import OutcomeEvent
from flywheel_dagster.outcomes.ledger import Recorded
from flywheel_dagster.outcomes.messages import SentMessage, decided, sent_message
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.analyzer import SentimentAnalyzer
from flywheel_dagster.replies.processing import process_reply
from flywheel_dagster.settings import load_settings
from flywheel_dagster.strategies.counts import Ages, Counted, Counts
from flywheel_dagster.strategies.dimensions import (
    BY_AGENT,
    FRAMEWORK_AND_TONE,
    PERFORMANCE,
    dimension,
    key_of,
    metric_named,
)
from flywheel_dagster.strategies.evaluating import PolicyValue, evaluated, matured
from flywheel_dagster.strategies.judged import judged, row_of
from flywheel_dagster.strategies.learning import refresh
from flywheel_dagster.strategies.suggesting import Allowed, Lesson, Suggestion

_LESSONS = 64  # kept in memory, some megabytes each; the oldest go


class AgentOutcomeIntegration(OutcomeTracker):
    """Tracks an agent's messages, processes their replies, and says which strategies work; for any asyncio program.

    Use it with `async with`, or call `close`. With `organization_id` it is bound to that organization, and knows no other's rows; events then take a look first. `openai_api_key` and
    what else `SentimentAnalyzer` takes come from the settings by default; an `analyzer` given here is used, and stays its owner's to close.
    """

    def __init__(
        self,
        database_url: str | None = None,
        openai_api_key: str | None = None,
        *,
        organization_id: str | None = None,
        analyzer: SentimentAnalyzer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(database_url, **options)
        settings = load_settings()
        self._bound_to, self._key = organization_id, openai_api_key
        self._analyzer, self._owns_analyzer = analyzer, analyzer is None
        self._ages, self._floor = Ages.of(settings), settings.strategy_floor
        self._lessons: dict[tuple[str, tuple[str, ...]], Lesson] = {}

    async def close(self) -> None:
        """Give the connections back, those to the language model too."""
        if self._analyzer is not None and self._owns_analyzer:
            await self._analyzer.close()
            self._analyzer = None
        await super().close()

    async def track_agent_message(
        self,
        organization_id: str,
        campaign_id: str,
        lead_id: str,
        channel: str,
        message_body: str,
        agent_decisions: Mapping[str, Any] | None = None,
        subject_line: str | None = None,
        lead_context: Mapping[str, Any] | None = None,
        *,
        suggestion: Suggestion | None = None,
        **sent: Any,
    ) -> UUID:
        """Write a message that was sent and return its outcome id: `track_message_sent`, whose further arguments it takes as well.

        With the `suggestion` that the message followed, the decisions have its strategy, and the outcome its propensity; without it, or where the agent
        decided otherwise, the message counts for what it was, but not as an experiment.
        """
        decisions = _decisions(agent_decisions, suggestion)
        return await self.track_message_sent(
            organization_id, campaign_id, lead_id, channel, message_body, decisions, subject_line, lead_context,
            **{"strategy_propensity": _propensity(decisions, suggestion, channel), **sent},
        )  # fmt: skip

    async def track_message_sent(self, organization_id: str, *message: Any, **sent: Any) -> UUID:
        """As `OutcomeTracker` has it, of the organization that this one is bound to."""
        return await super().track_message_sent(self._own(organization_id), *message, **sent)

    async def get_training_ready_outcomes(self, organization_id: str, **asked: Any) -> list[dict[str, Any]]:
        """As `OutcomeTracker` has it, of the organization that this one is bound to."""
        return await super().get_training_ready_outcomes(self._own(organization_id), **asked)

    async def track_agent_messages(self, messages: Iterable[Mapping[str, Any]], *, batch: int = 1_000) -> list[UUID]:
        """Write many messages, each a mapping of the arguments of `track_agent_message` (with `sent_at` and maybe `outcome_id`), `batch` in a round trip.

        Returns their outcome ids in order. A message that can't be stored is told by its position (from 1) with InputError, before any is written. Give
        outcome ids to be able to repeat a call that was cut off: what is there stays as it is.
        """
        found = [self._message(position, each) for position, each in enumerate(messages, start=1)]
        for begin in range(0, len(found), batch):
            await self._send(found[begin : begin + batch], [])
        return [message.id for message in found]

    async def process_reply(
        self, outcome_id: UUID | str, reply_text: str, replied_at: datetime | None = None, *, event_id: str | None = None
    ) -> ReplyAnalysis:
        """Classify a reply, beside the message that it answers, and record both in one transaction; returns the analysis.

        Nothing is recorded until the classification is there (rules answer where the model doesn't). Raises InputError for an unknown outcome.
        """
        found = await self._rows("message_of_outcome", {"outcome_id": UUID(str(outcome_id)), "organization_id": self._bound_to})
        if not found:
            raise InputError(f"no outcome {outcome_id}; give the id that track_agent_message returned")
        if self._analyzer is None:
            self._analyzer = SentimentAnalyzer(self._key)
        message = found[0]
        subject = f"{message['subject_line']}\n\n" if message["subject_line"] else ""
        context = {name: message[f"lead_{name}"] for name in ("industry", "role") if message[f"lead_{name}"]}
        return await process_reply(
            self, self._analyzer, outcome_id, reply_text, replied_at, original_message=subject + message["message_body"], context=context, event_id=event_id
        )  # fmt: skip

    async def get_agent_performance(
        self,
        campaign_id: str,
        agent_name: str | None = None,
        *,
        organization_id: str | None = None,
        by: str | Sequence[str] | None = None,
        metric: str = "reply_rate",
    ) -> dict[str, Any]:
        """What a campaign's strategies achieved: `strategy_performance` by name (PAS_professional), each with its decisions, counts, rates, and by `metric` an
        estimate with its 95 % interval, the probability to be the best, and whether there is enough data to say (`reason` if not).

        The strategies are the agent's: framework and tone (PersonalizerAgent, and where no agent is named), hooks and call to action (CopywriterAgent), domain and
        hour (DeliverabilityAgent), any other's own decisions; or `by` names one to three decision keys, such as "hooks_used,cta". A message with several hooks
        counts with each (of a longer list, with the first ten). `organization_id` is needed where two organizations have a campaign of this name. Counts are as of `as_of`, the last refresh.
        """
        organization = await self._of_campaign(campaign_id, organization_id)
        metric_named(metric)
        keys = await self._keys(organization, agent_name, by)
        counted, total = await self._counted(organization, campaign_id, keys, agent_name)
        rows = await asyncio.to_thread(judged, counted, keys, metric) if counted.by_channel else []
        return {
            "campaign_id": campaign_id,
            "organization_id": organization,
            "agent_name": agent_name,
            "keys": list(keys),
            "total_outcomes": total,
            "as_of": counted.as_of,
            "strategy_performance": {row["strategy"]: row for row in rows},
        }

    async def get_winning_strategies(
        self,
        organization_id: str,
        metric: str = "reply_rate",
        min_samples: int = 10,
        *,
        by: str | Sequence[str] = FRAMEWORK_AND_TONE,
        limit: int = 10,
    ) -> list[dict[str, Any]]:
        """An organization's best strategies over all campaigns, by what is worth believing of `metric` (reply_rate, meeting_rate, close_rate, performance).

        Rows as in `get_agent_performance`, besides the difference from the other strategies among leads of the same kind (`held_difference`, with interval) and
        `warnings` where a strategy was used for other leads than the rest. `min_samples` messages are needed to be listed at all.
        """
        organization, keys = self._own(organization_id), dimension(by)
        asked = {
            "organization_id": organization,
            "keys": list(keys),
            "metric": metric_named(metric),
            "min_samples": max(1, min_samples),
            "limit": limit,
        }
        if rows := await self._rows("winning_strategies", asked):
            return [_learnt(keys, row, metric) for row in rows]
        counted, _ = await self._counted(organization, None, keys, None)
        if not counted.by_channel:
            return []
        found = [row for row in await asyncio.to_thread(judged, counted, keys, metric) if row["estimate"] is not None]
        return [{**row, "as_of": counted.as_of} for row in found if row["total_sent"] >= min_samples][:limit]

    async def suggest_strategy(
        self,
        organization_id: str,
        lead_context: Mapping[str, Any] | None = None,
        channel: str = "email",
        *,
        allowed: Allowed | None = None,
        metric: str = PERFORMANCE,
        by: str | Sequence[str] = FRAMEWORK_AND_TONE,
    ) -> Suggestion:
        """A strategy to use for a lead: the likelier to be the best for leads of its kind (industry, role, company_size), the more often; each that is allowed is tried
        now and then. By default those that the organization has used are allowed, or, while it has sent nothing, those of other organizations that share."""
        lesson = await self._lesson(self._own(organization_id), dimension(by))
        return lesson.suggest(channel, lead_context or {}, allowed=allowed, metric=metric, floor=self._floor)

    async def estimate_policy(
        self,
        organization_id: str,
        policy: str | Mapping[str, float],
        metric: str = PERFORMANCE,
        *,
        since: datetime | None = None,
    ) -> PolicyValue:
        """What always using one strategy (PAS_professional), or drawing them with these probabilities, would have earned a message: from past messages whose strategy
        was suggested, each weighted by how much likelier the policy would have sent it. Only messages old enough for the metric count."""
        asked = {
            "organization_id": self._own(organization_id),
            "metric": metric_named(metric),
            "since": since,
            "until": datetime.now(UTC) - matured(metric, self._ages),
        }
        return await asyncio.to_thread(evaluated, await self._rows("drawn_messages", asked), policy, metric)

    async def refresh(self, organization_id: str) -> None:
        """Count the organization's changed weeks again, and learn from them, now. The hourly schedule does it anyway."""
        await asyncio.to_thread(self._refresh, self._own(organization_id))

    def _refresh(self, organization_id: str) -> None:
        with connect(self._url) as connection:
            for _ in refresh(connection, organization_id, ages=self._ages):
                pass

    async def _write(self, events: list[OutcomeEvent]) -> Recorded:
        """Of a bound one, events of another's outcome are refused."""
        if self._bound_to is not None:
            named = [event.outcome_id for event in events if event.outcome_id is not None]
            if taken := await self._rows("taken_outcomes", {"ids": named, "organizations": [self._bound_to] * len(named)}):
                raise InputError(f"no outcome {taken[0]['id']} here; this integration serves one organization only")
        return await super()._write(events)

    def _own(self, organization_id: str) -> str:
        if self._bound_to is not None and organization_id != self._bound_to:
            raise InputError(f"no organization {organization_id!r} here; this integration serves one organization only")
        return organization_id

    async def _of_campaign(self, campaign_id: str, organization_id: str | None) -> str:
        if organization_id or self._bound_to:
            return self._own(organization_id or str(self._bound_to))
        found = [row["id"] for row in await self._rows("organizations_of_campaign", {"campaign_id": campaign_id})]
        if len(found) == 1:
            return str(found[0])
        if not found:
            raise InputError(f"no campaign {campaign_id!r}; no message was sent in it")
        raise InputError(f"several organizations have a campaign {campaign_id!r}; say which by organization_id")

    async def _keys(self, organization: str, agent_name: str | None, by: str | Sequence[str] | None) -> tuple[str, ...]:
        if by is not None:
            return dimension(by)
        if agent_name is None or agent_name in BY_AGENT:
            return BY_AGENT.get(agent_name or "", FRAMEWORK_AND_TONE)
        rows = await self._rows("decision_keys_of_agent", {"organization_id": organization, "agent": agent_name})
        keys = [row["key"] for row in rows]
        if not 1 <= len(keys) <= 3:
            raise InputError(
                f"{agent_name} has decided {', '.join(keys)}; name one to three of these by `by`"
                if keys
                else f"no agent {agent_name!r} has decided anything yet"
            )
        return dimension(keys)

    async def _counted(
        self, organization: str, campaign_id: str | None, keys: Sequence[str], agent: str | None
    ) -> tuple[Counted, int]:
        """The strategies' counts, and the number of messages that they are taken from. What isn't kept is counted from the messages."""
        asked = {
            "organization_id": organization,
            "campaign_id": campaign_id,
            "keys": list(keys),
            "whole_keys": ["agent"] if agent else [],
            "whole": [agent] if agent else [],
            **self._ages.as_of(datetime.now(UTC)),
        }
        rows = await self._rows("strategy_counts", asked)
        if not any(row["keys"] == asked["keys"] for row in rows):
            rows = await self._rows("strategy_counts_of_messages", asked)
        whole = sum(row["sent"] for row in rows if row["keys"] != asked["keys"])
        return Counted.of(row for row in rows if row["keys"] == asked["keys"]), whole

    async def _lesson(self, organization: str, keys: tuple[str, ...]) -> Lesson:
        known = self._lessons.get((organization, keys))
        rows = await self._rows(
            "strategy_lesson", {"organization_id": organization, "keys": list(keys), "known": known.made_at if known else None}
        )
        if known is None or (known.made_at if not rows else None if rows[0]["known"] else rows[0]["made_at"]) is not None:
            known = await asyncio.to_thread(Lesson, rows[0] if rows else None, keys, organization)
            self._lessons.pop((organization, keys), None)
            self._lessons[organization, keys] = known
            while len(self._lessons) > _LESSONS:
                del self._lessons[next(iter(self._lessons))]
        return known

    def _message(self, position: int, given: Mapping[str, Any]) -> SentMessage:
        values = dict(given)
        suggestion, channel = values.pop("suggestion", None), values.get("channel", "")
        values["agent_decisions"] = decisions = _decisions(values.get("agent_decisions"), suggestion)
        try:
            self._own(values.get("organization_id", ""))
            return sent_message(
                id=values.pop("outcome_id", None) or uuid4(),
                **{"strategy_propensity": _propensity(decisions, suggestion, channel), **values},
            )
        except (ValueError, TypeError, InputError) as error:
            raise InputError(f"message {position}: {error}; nothing was written") from error


def _decisions(given: Mapping[str, Any] | None, suggestion: Suggestion | None) -> dict[str, Any]:
    """The agents' decisions, and what was suggested where they don't say otherwise."""
    decisions = dict(given or {})
    if suggestion is None:
        return decisions
    said = {key_of(key) for key, value in _every(decisions) if value not in (None, "")}
    return {**decisions, **{name: value for name, value in suggestion.decisions.items() if name not in said}}


def _every(decisions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in decisions.items():
        yield from value.items() if isinstance(value, Mapping) else ((key, value),)


def _propensity(decisions: Mapping[str, Any], suggestion: Suggestion | None, channel: str) -> float | None:
    if suggestion is None or suggestion.channel != channel:
        return None
    followed = suggestion.was_followed(decided(decisions, "framework"), decided(decisions, "tone"))
    return suggestion.propensity if followed else None


def _learnt(keys: Sequence[str], row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    believed = (
        "estimate", "low", "high", "probability_best", "enough_data", "reason", "held_difference", "held_low", "held_high", "warnings", "as_of",
    )  # fmt: skip
    return row_of(keys, tuple(row["strategy"]), Counts.of(row), metric=metric, **{name: row[name] for name in believed})
