"""How a judgement enters the ledger: an event for each reply and version, so that `rebuild` loses nothing that was paid for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.events import ClassificationMethod, EventType, OutcomeEvent, json_bytes
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.replies.analysis import ReplyAnalysis
from flywheel_dagster.replies.due import DueReply
from flywheel_dagster.replies.fallback import OfflineReply, judge_many_offline
from flywheel_dagster.replies.model_answer import Answer, Reason, Unanswered, Usage
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.own_words import OwnWords, own_words

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
    events = [
        judgement(reply, analysis, stands_in_for=None if again else PROMPT_VERSION)
        for reply, analysis in _ruled([(reply, reason) for reply in replies], tally)
    ]
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
    events: list[OutcomeEvent] = []
    ends: list[dict[str, Any]] = []
    unanswered: dict[bool, list[tuple[DueReply, str | None]]] = {True: [], False: []}
    for reply, answer in answered:
        tally.questions += 1
        tally.usage += answer.usage
        ends.append(_end(reply, answer))
        if isinstance(answer.analysis, Unanswered):
            unanswered[answer.analysis.reason in _AGAIN].append((reply, answer.analysis.reason.value))
        else:
            tally.methods[answer.analysis["method"]] += 1
            events.append(judgement(reply, ReplyAnalysis(**{**answer.analysis, "version": prompt_version})))
    for again, replies in unanswered.items():
        for reply, analysis in _ruled(replies, tally):
            events.append(judgement(reply, analysis, stands_in_for=None if again else prompt_version))
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


def _ruled(replies: Sequence[tuple[DueReply, str | None]], tally: Tally) -> list[tuple[DueReply, ReplyAnalysis]]:
    """The judgements of rules, each with the reason why it is theirs."""
    reasons = {reply.outcome_id: reason for reply, reason in replies}
    readable = readable_words([reply for reply, _ in replies], tally)
    found = []
    for (reply, _), analysis in zip(readable, judge_many_offline([OfflineReply(words) for _, words in readable]), strict=True):
        tally.methods[ClassificationMethod.RULES.value] += 1
        if reason := reasons[reply.outcome_id]:
            tally.fallbacks[reason] += 1
        found.append((reply, ReplyAnalysis(**{**analysis, "fallback_reason": reason})))
    return found


def _end(reply: DueReply, answer: Answer) -> dict[str, Any]:
    failure = answer.analysis if isinstance(answer.analysis, Unanswered) else None
    return {
        "outcome_id": reply.outcome_id,
        "replied_at": reply.replied_at,
        "answer": "analysis" if failure is None else failure.reason.value,
        "released": failure is not None and failure.reason in _AGAIN,
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
        "cost_usd": answer.usage.cost_usd,
    }
