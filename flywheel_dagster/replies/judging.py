"""How a judgement enters the ledger: an event for each reply and version, so that `rebuild` loses nothing that was paid for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import ClassificationMethod, EventType, OutcomeEvent, json_bytes
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.due import DueReply
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered, Usage
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.own_words import OwnWords, own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules

SOURCE = "classifier"
LOST = "lost_answer"  # asked by a process that died before it could write the answer down

# Nothing was paid and the next attempt may succeed: the model is asked again by the next run.
_AGAIN = frozenset(
    {Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.NO_CREDIT, Reason.UNREACHABLE, Reason.EXPIRED, Reason.CANCELLED}
)


@dataclass
class Tally:
    """What a run did: judged replies by method, stand-ins by reason, what was asked and paid, and what is left."""

    methods: Counter[str] = field(default_factory=Counter)
    fallbacks: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    left: int = 0
    questions: int = 0
    batches: int = 0
    usage: Usage = field(default_factory=Usage)

    @property
    def judged(self) -> int:
        """Replies that have a judgement of today now."""
        return self.methods.total()


def judgement(reply: DueReply, analysis: ReplyAnalysis, *, stands_in_for: int | None = None) -> OutcomeEvent:
    """The event that says what the reply says. `stands_in_for`: the version of the prompt for whose answer, which won't come, rules stand in."""
    version = str(analysis["version"]) if stands_in_for is None else f"{analysis['version']}.{stands_in_for}"
    told = {name: value for name, value in analysis.items() if value not in (None, False)}
    facts = {
        **{name: told[name] for name in _KEPT if name in told},
        "version": version,
        "score": analysis["sentiment_score"],
        "label": analysis["sentiment_label"],
        "interest_signal": analysis["interest_signal"],
        "replied_at": reply.replied_at.isoformat(),
    }
    return OutcomeEvent(
        event_type=EventType.REPLY_CLASSIFIED,
        occurred_at=datetime.now(UTC),
        source=SOURCE,
        organization_id=reply.organization_id,
        outcome_id=reply.outcome_id,
        facts=facts,
        identity=f"{reply.outcome_id}|{reply.replied_at.astimezone(UTC).isoformat()}|{analysis['method']}|{version}",
    )


_KEPT = (
    "method", "model", "interest_level", "objection_type", "reasoning", "is_auto_reply", "wants_unsubscribe", "referral", "language",
    "confidence", "fallback_reason",
)  # fmt: skip


def judge_by_rules(
    connection: psycopg.Connection[TupleRow],
    replies: Iterable[DueReply],
    tally: Tally,
    *,
    reason: str | None = None,
    again: bool = True,
) -> None:
    """Judge these by rules, in one transaction. `reason` says why a model that was to be asked is not, and `again` whether a later run is to."""
    events = []
    for reply in replies:
        analysis = _ruled(reply, tally, reason)
        if analysis is not None:
            events.append(judgement(reply, analysis, stands_in_for=None if again else PROMPT_VERSION))
    with connection.transaction():
        record(connection, events)


def write_answers(
    connection: psycopg.Connection[TupleRow],
    answered: Iterable[tuple[DueReply, Answer]],
    tally: Tally,
    *,
    prompt_version: int = PROMPT_VERSION,
) -> None:
    """Write down what a model answered, and rules' judgement where it didn't, in one transaction with the questions' ends."""
    events, ends = [], []
    for reply, answer in answered:
        failure = answer.analysis if isinstance(answer.analysis, Unanswered) else None
        again = failure is not None and failure.reason in _AGAIN
        analysis = (
            answer.analysis if not isinstance(answer.analysis, Unanswered) else _ruled(reply, tally, answer.analysis.reason.value)
        )
        if analysis is not None:
            if failure is None:
                tally.methods[analysis["method"]] += 1
                analysis["version"] = prompt_version
            events.append(judgement(reply, analysis, stands_in_for=None if failure is None or again else prompt_version))
        ends.append(
            {
                "outcome_id": reply.outcome_id,
                "replied_at": reply.replied_at,
                "answer": "analysis" if failure is None else failure.reason.value,
                "released": again,
                "prompt_tokens": answer.usage.prompt_tokens,
                "completion_tokens": answer.usage.completion_tokens,
                "cost_usd": answer.usage.cost_usd,
            }
        )
        tally.questions += 1
        tally.usage += answer.usage
    with connection.transaction():
        record(connection, events)
        connection.execute(statement("answer_questions"), {"answers": json_bytes(ends).decode(), "prompt_version": prompt_version})


def readable_words(replies: Iterable[DueReply], tally: Tally) -> list[tuple[DueReply, OwnWords]]:
    """The replies with their writers' own words; those in which nothing is readable are counted and left out."""
    found = []
    for reply in replies:
        try:
            found.append((reply, own_words(reply.reply_text)))
        except InputError:
            tally.unreadable += 1
    return found


def _ruled(reply: DueReply, tally: Tally, reason: str | None) -> ReplyAnalysis | None:
    try:
        analysis = classify_by_rules(own_words(reply.reply_text))
    except InputError:  # nothing readable is in it
        tally.unreadable += 1
        return None
    tally.methods[ClassificationMethod.RULES.value] += 1
    if reason is not None:
        tally.fallbacks[reason] += 1
        analysis["fallback_reason"] = reason
    return analysis
