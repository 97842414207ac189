"""The counts of sequences, lead by lead and as plainly as possible: what the statement in the database must give."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from flywheel_dagster.strategies.sequences.rules import Level, Metric
from flywheel_dagster_tests.strategies.sequences.making import Touch

Key = tuple[Level, tuple[tuple[str | None, ...], ...]]
Point = tuple[object, ...]
Told = tuple[list[tuple[int, int, int, int]], int]
"""(leads, successes, all leads, all successes) by point, sorted, and how many leads were alone."""


def reference_counts(
    touches: Iterable[Touch], metric: Metric, *, now: datetime, window: timedelta, longest: int, least: int
) -> dict[Key, Told]:
    """By level and steps (gap, channel, strategy, as far as the level says them)."""
    by_lead: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches:
        by_lead[touch.lead_id].append(touch)
    own: dict[Key, dict[Point, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    everybody: dict[Point, list[int]] = defaultdict(lambda: [0, 0])
    for story in by_lead.values():
        story.sort(key=lambda touch: (touch.sent_at, touch.id))
        gaps = [None, *(_gap(later.sent_at - earlier.sent_at) for earlier, later in pairwise(story))]
        for length in range(1, min(longest, len(story)) + 1):
            last = story[length - 1].sent_at
            if last + window > now or any(time < last for time in _ends(story, metric)):
                continue
            won = any(last <= time <= last + window for time in _wins(story, metric))
            point = (length, tuple(gaps[:length]), last.year, last.month, _answer(story, last))
            everybody[point][0] += 1
            everybody[point][1] += won
            for key in _keys(story[:length], gaps[:length]):
                own[key][point][0] += 1
                own[key][point][1] += won
    found = {}
    for key, points in own.items():
        beside = {point: counts for point, counts in points.items() if everybody[point][0] > counts[0]}
        if sum(counts[0] for counts in beside.values()) >= least:
            alone = sum(counts[0] for point, counts in points.items() if point not in beside)
            found[key] = (sorted((*counts, *everybody[point]) for point, counts in beside.items()), alone)
    return found  # type: ignore[return-value]


def _gap(between: timedelta) -> str:
    for days, name in ((1, "within a day"), (3, "1-2 days"), (5, "3-4 days"), (10, "5-9 days")):
        if between < timedelta(days=days):
            return name
    return "10+ days"


def _wins(story: list[Touch], metric: Metric) -> list[datetime]:
    name = {Metric.MEETING: "meeting_booked", Metric.POSITIVE_REPLY: "replied", Metric.DEAL: "deal_closed"}[metric]
    positive = [touch for touch in story if touch.sentiment_label == "positive" or touch.interest_signal]
    times = [touch.happened_at(name) for touch in (positive if metric is Metric.POSITIVE_REPLY else story)]
    return [time for time in times if time is not None]


def _ends(story: list[Touch], metric: Metric) -> list[datetime]:
    times = [touch.happened_at(name) for touch in story for name in ("unsubscribed", "spam_reported", "deal_closed", "deal_lost")]
    times += [touch.happened_at("replied") for touch in story if touch.sentiment_label == "negative"]
    return [time for time in times if time is not None] + _wins(story, metric)


def _answer(story: list[Touch], last: datetime) -> str:
    for name in ("meeting_booked", "replied", "clicked", "opened", "bounced"):
        if any((time := touch.happened_at(name)) is not None and time < last for touch in story):
            return name
    return "silent"


def _keys(story: list[Touch], gaps: list[str | None]) -> list[Key]:
    strategies = ["_".join(part for part in (touch.framework, touch.tone) if part) or None for touch in story]
    channels = [touch.channel for touch in story]
    return [
        (Level.CHANNEL_GAP_STRATEGY, tuple(zip(gaps, channels, strategies, strict=True))),
        (Level.CHANNEL_GAP, tuple(zip(gaps, channels, strict=True))),
        (Level.STRATEGY, tuple((strategy,) for strategy in strategies)),
    ]
