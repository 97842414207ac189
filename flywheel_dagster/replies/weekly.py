"""What the replies of each week say, in numbers, and whether they say something else than those of the week before."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.replies.analysis import Sentiment

ENOUGH = 30  # judged replies in each of two weeks, below which their shares aren't compared
_WEEK = timedelta(weeks=1)


@dataclass
class WeekOfReplies:
    """Replies to the messages of one week: by label, interest, objection and method; how often rules stood in for a model that had no
    answer, and in how many label and score disagree. Replies that nobody judged are in `replies` only."""

    week: date
    replies: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    interest: Counter[str] = field(default_factory=Counter)
    objections: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    stood_in: int = 0
    disagreeing: int = 0

    @property
    def judged(self) -> int:
        """Replies with a label."""
        return self.labels.total()


@dataclass(frozen=True)
class Shift:
    """How two weeks' labels differ: `distance` is the total variation distance (0 the same shares, 1 nothing in common), `p_value` that of
    a chi-square test of homogeneity; both None where there are too few replies to say."""

    distance: float | None
    p_value: float | None

    @property
    def is_notable(self) -> bool:
        """Too large for chance (p < 0.001), and large enough to matter (0.1)."""
        return self.distance is not None and self.p_value is not None and self.distance >= 0.1 and self.p_value < 0.001


def weeks_of_replies(connection: psycopg.Connection[TupleRow], start: datetime, end: datetime) -> dict[date, WeekOfReplies]:
    """The weeks of messages sent from `start` until before `end` that have replies, and the one before them."""
    found: dict[date, WeekOfReplies] = {}
    rows = connection.execute(statement("replies_by_week"), {"start": start - _WEEK, "end": end}).fetchall()
    for monday, label, interest, objection, method, stood_in, disagree, count in rows:
        week = found.setdefault(monday, WeekOfReplies(monday))
        week.replies += count
        for counter, value in (
            (week.labels, label),
            (week.interest, interest),
            (week.objections, objection),
            (week.methods, method),
        ):
            if value is not None:
                counter[value] += count
        week.stood_in += count if stood_in else 0
        week.disagreeing += count if disagree else 0
    return found


def shift(before: Mapping[str, int], after: Mapping[str, int]) -> Shift:
    """Compare the labels of two weeks. With three labels the test has two degrees of freedom, whose tail is exp(-x / 2); with a label that
    neither week has there is one, whose tail is erfc(sqrt(x / 2))."""
    labels = [label.value for label in Sentiment if before.get(label, 0) + after.get(label, 0)]
    totals = sum(before.get(label, 0) for label in labels), sum(after.get(label, 0) for label in labels)
    if min(totals) < ENOUGH:
        return Shift(None, None)
    distance = sum(abs(before.get(label, 0) / totals[0] - after.get(label, 0) / totals[1]) for label in labels) / 2
    if len(labels) == 1:
        return Shift(0.0, 1.0)
    statistic = 0.0
    for label in labels:
        share = (before.get(label, 0) + after.get(label, 0)) / sum(totals)
        statistic += sum(
            (week.get(label, 0) - total * share) ** 2 / (total * share) for week, total in zip((before, after), totals, strict=True)
        )
    return Shift(distance, math.exp(-statistic / 2) if len(labels) == 3 else math.erfc(math.sqrt(statistic / 2)))
