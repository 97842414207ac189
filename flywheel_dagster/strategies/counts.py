"""What became of a strategy's messages: counted, as rates, and as evidence for an estimate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from flywheel_dagster.settings import Settings
from flywheel_dagster.strategies.dimensions import PERFORMANCE, RATES, WEIGHTS, Strategy


@dataclass(slots=True)
class Counts:
    """Sums over messages. Trials and what came `in_time` are of messages that have had their time: some days for a meeting, more for a deal; of a young one
    that wasn't answered, the share of replies that come within its age."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    replied: int = 0
    interested: int = 0
    meetings: int = 0
    deals: int = 0
    revenue: Decimal = Decimal(0)
    reply_trials: float = 0.0
    meeting_trials: float = 0.0
    meetings_in_time: int = 0
    deal_trials: float = 0.0
    deals_in_time: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of strategy_counts."""
        return cls(**{name: row[name] for name in _NAMES})

    def __iadd__(self, other: Self) -> Self:
        for name in _NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def raw(self, metric: str) -> float:
        """What was counted, a message sent: 0..1."""
        return {
            "reply_rate": self.replied,
            "meeting_rate": self.meetings,
            "close_rate": self.deals,
            PERFORMANCE: sum(
                WEIGHTS[name] * count for name, count in zip(RATES, (self.replied, self.meetings, self.deals), strict=True)
            ),
        }[metric] / self.sent

    def evidence(self, metric: str) -> tuple[float, float]:
        """Trials and successes; of performance, the trials of deals and their mean value as a sum."""
        match metric:
            case "reply_rate":
                return self.reply_trials, self.replied
            case "meeting_rate":
                return self.meeting_trials, self.meetings_in_time
            case "close_rate":
                return self.deal_trials, self.deals_in_time
        return performance_evidence({rate: self.evidence(rate) for rate in RATES})

    def told(self) -> dict[str, Any]:
        """The counts, the rates of the messages sent, and the mean value of a won deal."""
        return {
            "total_sent": self.sent,
            "delivered": self.delivered,
            "opened": self.opened,
            "clicked": self.clicked,
            "replied": self.replied,
            "meetings": self.meetings,
            "deals": self.deals,
            "revenue": float(self.revenue),
            "delivery_rate": self.delivered / self.sent,
            "open_rate": self.opened / self.sent,
            "reply_rate": self.raw("reply_rate"),
            "meeting_rate": self.raw("meeting_rate"),
            "close_rate": self.raw("close_rate"),
            "avg_deal_value": float(self.revenue / self.deals) if self.deals else None,
        }


_NAMES = tuple(each.name for each in fields(Counts))


def performance_evidence(of_rates: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """The trials of deals and their mean value as a sum, from trials and successes by rate."""
    trials, _ = of_rates["close_rate"]
    mean = sum(WEIGHTS[rate] * successes / tried for rate, (tried, successes) in of_rates.items() if tried)
    return trials, trials * mean


@dataclass(frozen=True)
class Counted:
    """A dimension's strategies with their counts by channel, as of a time; None where nothing was counted yet."""

    by_channel: dict[tuple[Strategy, str], Counts] = field(default_factory=dict)
    as_of: datetime | None = None

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """From the rows of strategy_counts."""
        found = list(rows)
        return cls(
            {(tuple(row["strategy"]), row["channel"]): Counts.of(row) for row in found},
            max((row["as_of"] for row in found), default=None),
        )

    def by_strategy(self) -> dict[Strategy, Counts]:
        """The counts over all channels, the most used strategy first."""
        sums: dict[Strategy, Counts] = {}
        for (strategy, _), counts in self.by_channel.items():
            if strategy not in sums:
                sums[strategy] = Counts()
            sums[strategy] += counts
        return dict(sorted(sums.items(), key=lambda each: (-each[1].sent, each[0])))


STALE_AFTER = timedelta(days=1)  # of what was learnt, though nothing changed: messages mature, and others learn


@dataclass(frozen=True)
class Ages:
    """After how many days a message counts as a trial for a meeting, and for a deal."""

    meeting_days: int = 30
    deal_days: int = 90

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As they are set."""
        return cls(settings.strategy_meeting_days, settings.strategy_deal_days)

    def as_of(self, now: datetime) -> dict[str, datetime]:
        """The moments that the counting statements take."""
        return {
            "as_of": now,
            "meetings_until": now - timedelta(days=self.meeting_days),
            "deals_until": now - timedelta(days=self.deal_days),
        }
