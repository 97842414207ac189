"""What becomes of one sent message under a truth: its events, each with its time. Depends on nothing but the message and the world."""

from datetime import datetime, timedelta
from math import exp
from typing import Any

from flywheel_dagster.outcomes.events import ClassificationMethod, EventType, OutcomeEvent
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox.simulator.draws import lognormal, pick, stream
from flywheel_dagster.sandbox.simulator.odds import (
    CLICK,
    DEAL,
    DELIVERY,
    MEETING,
    OPEN,
    POSITIVE,
    REPLY,
    VALUE,
    Odds,
    Vector,
    probability,
)
from flywheel_dagster.sandbox.simulator.office_hours import next_slot
from flywheel_dagster.sandbox.simulator.replies import BOUNCE_REASONS, Sentiment, Words
from flywheel_dagster.sandbox.simulator.truth import Delay
from flywheel_dagster.sandbox.simulator.world import World

SOURCE = "simulator"
CLASSIFIER = "simulator-1"


class Reactions:
    """The people who get the messages of a world.

    Every decision has a number of its own, drawn from the seed and the message's id. So the same message gets the same reaction,
    whoever sent it and whenever one looks, and a better model, framework or tone only ever adds replies: two truths, or two arms,
    can be compared message by message.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._odds = Odds(world.truth)
        self._words = Words(world.seed)
        self._early = stream(world.seed, b"early")
        self._late = stream(world.seed, b"late")

    def to(self, message: SentMessage, *, until: datetime) -> list[OutcomeEvent]:
        """What has happened to this message (any message, also one that the world didn't write) by `until`, in order of time."""
        facts = _Facts(message, until)
        key = message.id.bytes
        odds = self._odds.of(message)
        base, delays, world = self._world.truth.base, self._world.truth.delays, self._world
        u = self._early(key)

        delivered = _after(0, delays.delivery, u[1])
        if u[0] >= probability(odds[DELIVERY]):
            facts.add(EventType.BOUNCED, delivered, {"reason": pick(BOUNCE_REASONS, u[2])})
            return facts.events
        facts.add(EventType.DELIVERED, delivered)
        tracked = message.channel in world.tracked_channels
        if tracked and u[3] < world.machine_opens:
            facts.add(EventType.OPENED, delivered + 2 + int(u[4] * 600), {"machine": True}, "machine")
        if u[15] < world.auto_replies and message.channel == "email":
            facts.add(EventType.AUTO_REPLIED, delivered + 5 + int(u[4] * 120), {"text": self._words.away(key)})

        opened = clicked = None
        if u[5] < probability(odds[OPEN]):
            opened = _after(delivered, delays.open, u[6])
            if u[8] < probability(odds[CLICK]):
                clicked = _after(opened, delays.click, u[9])
            if tracked:
                self._engagement(facts, opened, clicked, u)
        chance = odds[REPLY] if opened is not None else odds[REPLY] + base.reply_unopened
        if u[10] < probability(chance):
            replied = _after(delivered if opened is None else opened, delays.reply, u[11])
            if u[12] < probability(odds[POSITIVE]):
                sentiment: Sentiment = "positive"
            else:
                sentiment = "neutral" if u[13] < base.neutral else "negative"
            self._reply(facts, message, replied, sentiment, odds)
        elif clicked is not None:
            v = self._late(key)
            if v[3] < probability(odds[MEETING] + base.meeting_after_click):
                self._meeting(facts, message, clicked, odds, v)
        facts.events.sort(key=_time)
        return facts.events

    def _engagement(self, facts: "_Facts", opened: int, clicked: int | None, u: list[float]) -> None:
        base = self._world.truth.base
        facts.add(EventType.OPENED, opened, {"machine": False})
        times, again = 1, 0.35
        while u[7] < again and times < 6:  # each further open is about a third as likely
            facts.add(EventType.OPENED, opened + times * (600 + int(u[9] * 90_000)), {"machine": False}, str(times))
            times, again = times + 1, again * 0.35
        if clicked is not None:
            facts.add(EventType.CLICKED, clicked)
        if u[14] < base.unsubscribe:
            facts.add(EventType.UNSUBSCRIBED, opened + 30)
        elif u[14] > 1 - base.spam:
            facts.add(EventType.SPAM_REPORTED, opened + 30)

    def _reply(self, facts: "_Facts", message: SentMessage, replied: int, sentiment: Sentiment, odds: Vector) -> None:
        world, key = self._world, message.id.bytes
        v = self._late(key)
        if replied <= facts.limit:
            kind, text = self._words.reply(key, sentiment, message)
            facts.add(EventType.REPLIED, replied, {"text": text})
            if v[2] < world.classified:
                low, high = _SCORES[sentiment]
                judgement = {
                    "method": ClassificationMethod.SIMULATED,
                    "version": CLASSIFIER,
                    "score": round(low + v[0] * (high - low), 2),
                    "label": sentiment,
                    "interest_signal": kind.interested,
                    "interest_level": kind.interest_level,
                    "objection_type": kind.objection_type,
                    "replied_at": (message.sent_at + timedelta(seconds=replied)).isoformat(),
                }
                facts.add(EventType.REPLY_CLASSIFIED, _after(replied, world.truth.delays.classification, v[1]), judgement)
        chance = odds[MEETING] + (world.truth.base.meeting_after_neutral if sentiment == "neutral" else 0.0)
        if sentiment != "negative" and v[3] < probability(chance):
            self._meeting(facts, message, replied, odds, v)
        elif sentiment == "positive" and v[7] < world.truth.base.direct:
            self._deal(facts, message, replied, odds, v)

    def _meeting(self, facts: "_Facts", message: SentMessage, since: int, odds: Vector, v: list[float]) -> None:
        base, delays = self._world.truth.base, self._world.truth.delays
        booked = _after(since, delays.booking, v[4])
        meeting_at = next_slot(message.sent_at + timedelta(seconds=_after(booked, delays.meeting, v[6])))
        at = int((meeting_at - message.sent_at).total_seconds())
        meeting: dict[str, Any] = {"meeting_id": f"meeting-{message.id.hex[:16]}", "meeting_at": meeting_at.isoformat()}
        facts.add(EventType.MEETING_BOOKED, booked, meeting)
        if v[5] < base.held:
            facts.add(EventType.MEETING_COMPLETED, at + 1_800, meeting)
            if v[7] < base.pipeline:
                self._deal(facts, message, at + 1_800, odds, v)
        elif v[5] < base.held + base.no_show:
            facts.add(EventType.MEETING_NO_SHOW, at + 900, meeting)
        else:
            facts.add(EventType.MEETING_CANCELLED, booked + 1 + int(v[12] * (at - booked - 1)), meeting)

    def _deal(self, facts: "_Facts", message: SentMessage, since: int, odds: Vector, v: list[float]) -> None:
        base, delays = self._world.truth.base, self._world.truth.delays
        opened = _after(since, delays.deal_opened, v[8])
        if opened > facts.limit:
            return
        value = lognormal(exp(odds[VALUE]), base.value_sigma, v[11])
        deal = {"deal_id": f"deal-{message.id.hex[:16]}", "currency": "USD"}
        facts.add(EventType.DEAL_OPENED, opened, {**deal, "value": f"{value * (0.8 + 0.5 * v[13]):.2f}"})
        closed = _after(opened, delays.deal_closed, v[10])
        if v[9] < probability(odds[DEAL]):
            facts.add(EventType.DEAL_CLOSED, closed, {**deal, "value": f"{value:.2f}"})
        else:
            facts.add(EventType.DEAL_LOST, closed, deal)


class _Facts:
    """The events of one message so far; what lies behind the limit (seconds after sending) has not happened yet."""

    def __init__(self, message: SentMessage, until: datetime) -> None:
        self.limit = (until - message.sent_at).total_seconds()
        self.events: list[OutcomeEvent] = []
        self._message = message

    def add(self, event_type: EventType, seconds: int, facts: dict[str, Any] | None = None, nth: str = "0") -> None:
        if seconds <= self.limit:
            message = self._message
            self.events.append(
                OutcomeEvent(
                    event_type=event_type,
                    occurred_at=message.sent_at + timedelta(seconds=seconds),
                    source=SOURCE,
                    organization_id=message.organization_id,
                    outcome_id=message.id,
                    source_event_id=f"{message.id.hex}.{event_type.value}.{nth}",
                    facts={} if facts is None else facts,
                )
            )


def _after(seconds: int, delay: Delay, draw: float) -> int:
    """At least a second later, at most ten years."""
    return seconds + 1 + int(min(lognormal(delay.median, delay.sigma, draw), 3.2e8))


def _time(event: OutcomeEvent) -> datetime:
    return event.occurred_at


# Strictly inside the ranges of the labels: positive 0.5..1, neutral -0.2..0.5, negative -1..-0.2.
_SCORES: dict[Sentiment, tuple[float, float]] = {"positive": (0.55, 0.98), "neutral": (-0.15, 0.45), "negative": (-0.95, -0.25)}
