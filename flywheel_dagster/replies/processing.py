"""What an agent does as a reply arrives: analyze it, and record the reply and what it says in one step."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flywheel_dagster.outcomes.events import ClassificationMethod
from flywheel_dagster.outcomes.tracker import OutcomeTracker
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.analyzer import SentimentAnalyzer


async def process_reply(
    tracker: OutcomeTracker,
    analyzer: SentimentAnalyzer,
    outcome_id: UUID | str,
    reply_text: str,
    replied_at: datetime | None = None,
    *,
    original_message: str | None = None,
    context: Mapping[str, Any] | None = None,
    event_id: str | None = None,
) -> ReplyAnalysis:
    """Analyze a reply to a message and record both; returns the analysis. The outcome's label and weight follow at once.

    `replied_at` is aware (now by default). `event_id` makes a repeated call the same reply; its judgement is then that of the first call.
    Raises InputError for an empty reply, of which nothing is recorded.
    """
    analysis = await analyzer.analyze_reply(reply_text, original_message, context)
    await tracker.track_reply(
        outcome_id,
        reply_text,
        analysis["sentiment_score"],
        analysis["sentiment_label"],
        analysis["interest_signal"],
        analysis["interest_level"],
        analysis["objection_type"],
        replied_at=replied_at or datetime.now(UTC),
        method=ClassificationMethod(analysis["method"]),
        version=str(analysis["version"]),
        event_id=event_id,
    )
    return analysis
