"""`OutcomeTracker`: what an agent calls as a message goes out and things happen to it. Every call is one event and one round trip."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.erased import erased_refused
from flywheel_dagster.outcomes.events import ClassificationMethod, EventType, OutcomeEvent, sentiment_of
from flywheel_dagster.outcomes.ledger import Recorded, events_json, messages_json
from flywheel_dagster.outcomes.messages import SentMessage, sent_message
from flywheel_dagster.outcomes.references import message_reference
from flywheel_dagster.pooled import Pooled
from flywheel_dagster.settings import load_settings


class OutcomeTracker(Pooled):
    """Records messages and what becomes of them, from any asyncio program.

    Events for an outcome that is not known yet are kept and folded when it appears. `occurred_at` is the fact's own time (aware;
    now by default); `event_id` makes a repeated call for an outcome the same event, whatever it says the second time.
    `icp_from_lead_scores`: messages sent without an icp_score take the lead's newest score (by default FLYWHEEL_ICP_FROM_LEAD_SCORES).
    """

    def __init__(self, database_url: str | None = None, *, icp_from_lead_scores: bool | None = None, **options: Any) -> None:
        super().__init__(database_url, **options)
        self._icp_from_lead_scores = load_settings().icp_from_lead_scores if icp_from_lead_scores is None else icp_from_lead_scores

    async def track_message_sent(
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
        outcome_id: UUID | None = None,
        message_id: str | None = None,
        model_registry_id: UUID | None = None,
        experiment_arm: str | None = None,
        strategy_propensity: float | None = None,
        sent_at: datetime | None = None,
    ) -> UUID:
        """Write the message that was sent and return its outcome id, which travels with the message (custom argument, deal field).

        `agent_decisions` is any agent's log, nested by agent or flat; framework and tone are found in it. `lead_context` may have
        industry, role, company_size, icp_score (0..1) and email. `message_id` is the mail system's (SendGrid's X-Message-Id, or the
        Message-ID header): events that carry it instead of the outcome's id find their way by it. `strategy_propensity` is the probability with
        which framework and tone were drawn, where they were. Raises ValueError for a value that
        can't be stored, InputError for a lead who was erased.
        """
        message = sent_message(
            organization_id,
            campaign_id,
            lead_id,
            channel,
            message_body,
            agent_decisions,
            subject_line,
            lead_context,
            id=outcome_id or uuid4(),
            model_registry_id=model_registry_id,
            experiment_arm=experiment_arm,
            strategy_propensity=strategy_propensity,
            sent_at=sent_at or datetime.now(UTC),
        )
        await self._send([message], [] if message_id is None else [self._sent_as(message, message_id)])
        return message.id

    async def track_delivery(
        self,
        outcome_id: UUID | str,
        delivered: bool = True,
        bounce_reason: str | None = None,
        *,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
    ) -> Recorded:
        """It arrived, or it bounced for a reason."""
        if delivered:
            return await self._record(outcome_id, EventType.DELIVERED, occurred_at, event_id, {})
        return await self._record(outcome_id, EventType.BOUNCED, occurred_at, event_id, _given(reason=bounce_reason))

    async def track_opened(
        self, outcome_id: UUID | str, *, machine: bool = False, occurred_at: datetime | None = None, event_id: str | None = None
    ) -> Recorded:
        """Somebody opened it; `machine` for a mail proxy's prefetch, which is counted apart and is not engagement."""
        return await self._record(outcome_id, EventType.OPENED, occurred_at, event_id, {"machine": True} if machine else {})

    async def track_clicked(
        self, outcome_id: UUID | str, *, url: str | None = None, occurred_at: datetime | None = None, event_id: str | None = None
    ) -> Recorded:
        """Somebody followed a link."""
        return await self._record(outcome_id, EventType.CLICKED, occurred_at, event_id, _given(url=url))

    async def track_unsubscribed(
        self, outcome_id: UUID | str, *, occurred_at: datetime | None = None, event_id: str | None = None
    ) -> Recorded:
        """The lead wants no more messages."""
        return await self._record(outcome_id, EventType.UNSUBSCRIBED, occurred_at, event_id, {})

    async def track_spam_reported(
        self, outcome_id: UUID | str, *, occurred_at: datetime | None = None, event_id: str | None = None
    ) -> Recorded:
        """The lead called it spam."""
        return await self._record(outcome_id, EventType.SPAM_REPORTED, occurred_at, event_id, {})

    async def track_reply(
        self,
        outcome_id: UUID | str,
        reply_text: str,
        sentiment_score: float | None = None,
        sentiment_label: str | None = None,
        interest_signal: bool | None = None,
        interest_level: str | None = None,
        objection_type: str | None = None,
        *,
        replied_at: datetime | None = None,
        method: ClassificationMethod = ClassificationMethod.PROVIDED,
        version: str | None = None,
        event_id: str | None = None,
    ) -> Recorded:
        """The lead answered; where the caller has judged the reply, the judgement is an event of its own.

        `sentiment_score` lies in -1..1; a missing label follows from it: positive from 0.5, negative below -0.2, else neutral.
        """
        at = replied_at or datetime.now(UTC)
        replied = self._event(outcome_id, EventType.REPLIED, at, event_id, {"text": reply_text})
        if sentiment_score is None and sentiment_label is None and interest_signal is None and objection_type is None:
            return await self._write([replied])
        judged = self._event(
            outcome_id,
            EventType.REPLY_CLASSIFIED,
            at,
            event_id,
            _given(
                method=method.value,
                version=version,
                score=sentiment_score,
                label=sentiment_label or (None if sentiment_score is None else sentiment_of(sentiment_score)),
                interest_signal=interest_signal,
                interest_level=interest_level,
                objection_type=objection_type,
                replied_at=at.isoformat(),
            ),
        )
        return await self._write([replied, judged])

    async def track_meeting_booked(
        self,
        outcome_id: UUID | str,
        meeting_time: datetime | None = None,
        *,
        meeting_id: str | None = None,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
    ) -> Recorded:
        """A meeting was agreed, to be held at `meeting_time`."""
        facts = _given(meeting_id=meeting_id, meeting_at=meeting_time.isoformat() if meeting_time else None)
        return await self._record(outcome_id, EventType.MEETING_BOOKED, occurred_at, event_id, facts)

    async def track_meeting_completed(
        self,
        outcome_id: UUID | str,
        completed: bool = True,
        *,
        meeting_id: str | None = None,
        occurred_at: datetime | None = None,
        event_id: str | None = None,
    ) -> Recorded:
        """The meeting was held; `completed=False`: the lead did not come."""
        kind = EventType.MEETING_COMPLETED if completed else EventType.MEETING_NO_SHOW
        return await self._record(outcome_id, kind, occurred_at, event_id, _given(meeting_id=meeting_id))

    async def track_deal_closed(
        self,
        outcome_id: UUID | str,
        deal_value: Decimal | float | int | None = None,
        won: bool = True,
        *,
        currency: str | None = None,
        deal_id: str | None = None,
        closed_at: datetime | None = None,
        event_id: str | None = None,
    ) -> Recorded:
        """The deal was won for `deal_value` (in `currency`, None when unknown), or lost."""
        facts = _given(deal_id=deal_id, value=None if deal_value is None else str(deal_value), currency=currency)
        return await self._record(outcome_id, EventType.DEAL_CLOSED if won else EventType.DEAL_LOST, closed_at, event_id, facts)

    async def get_training_ready_outcomes(
        self, organization_id: str, *, min_quality_score: float = 0.0, limit: int = 1_000
    ) -> list[dict[str, Any]]:
        """Outcomes that have a label, best first: rows of the view `training_ready_outcomes` as dictionaries."""
        async with self._connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(
                statement("training_ready_outcomes"),
                {"organization_id": organization_id, "min_quality": min_quality_score, "limit": limit},
            )
            return await cursor.fetchall()

    async def _send(self, messages: list[SentMessage], known_as: list[OutcomeEvent]) -> None:
        """Write messages, and by which names events may tell them, in one transaction and one round trip."""
        inserted = {"messages": messages_json(messages), "icp_from_lead_scores": self._icp_from_lead_scores}
        async with self._connection() as connection:
            with erased_refused():
                if not known_as:
                    await connection.execute(statement("insert_outcomes"), inserted)
                    return
                async with connection.pipeline(), connection.transaction():
                    await connection.execute(statement("insert_outcomes"), inserted)
                    await connection.execute(statement("record_events"), {"events": events_json(known_as)})

    async def _record(
        self, outcome_id: UUID | str, kind: EventType, occurred_at: datetime | None, event_id: str | None, facts: dict[str, Any]
    ) -> Recorded:
        return await self._write([self._event(outcome_id, kind, occurred_at or datetime.now(UTC), event_id, facts)])

    def _sent_as(self, message: SentMessage, message_id: str) -> OutcomeEvent:
        return OutcomeEvent(
            event_type=EventType.NOTED,
            occurred_at=message.sent_at,
            source="tracker",
            organization_id=message.organization_id,
            outcome_id=message.id,
            facts={"kind": "sent"},
            references=(message_reference(message_id, message.lead_email),),
        )

    def _event(
        self, outcome_id: UUID | str, kind: EventType, occurred_at: datetime, event_id: str | None, facts: dict[str, Any]
    ) -> OutcomeEvent:
        return OutcomeEvent(
            event_type=kind,
            occurred_at=occurred_at,
            source="tracker",
            outcome_id=UUID(str(outcome_id)),
            source_event_id=event_id,
            identity=None if event_id is None else f"{UUID(str(outcome_id))}:{event_id}",
            facts=facts,
        )

    async def _write(self, events: list[OutcomeEvent]) -> Recorded:
        async with self._connection() as connection:
            row = await (await connection.execute(statement("record_events"), {"events": events_json(events)})).fetchone()
        assert row is not None
        return Recorded(*row)


def _given(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
