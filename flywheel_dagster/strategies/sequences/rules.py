"""What counts as success, how long it is waited for, and how much evidence a playbook takes."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Metric(StrEnum):
    """What a lead may achieve, by whichever of its campaign's messages."""

    MEETING = "meeting"
    POSITIVE_REPLY = "positive_reply"
    DEAL = "deal"


class Level(StrEnum):
    """What of each touch tells sequences apart. The rest may be anything; the gaps are held the same at every level."""

    CHANNEL_GAP_STRATEGY = "channel_gap_strategy"
    CHANNEL_GAP = "channel_gap"
    STRATEGY = "strategy"


@dataclass(frozen=True)
class Rules:
    """How playbooks are found. A success counts within the window after a sequence's last touch, and a lead once the window is over."""

    meeting_window: timedelta = timedelta(days=30)
    reply_window: timedelta = timedelta(days=14)
    deal_window: timedelta = timedelta(days=90)
    longest: int = 4
    """Touches of the longest sequence."""
    least_leads: int = 20
    """Sequences with fewer compared leads are no playbooks."""
    false_discoveries: float = 0.10
    """The share of supported playbooks that may be chance."""

    def window(self, metric: Metric) -> timedelta:
        """How long a success is waited for."""
        return {
            Metric.MEETING: self.meeting_window,
            Metric.POSITIVE_REPLY: self.reply_window,
            Metric.DEAL: self.deal_window,
        }[metric]


USUAL = Rules()
