"""What goes into a dataset: the settings of its curation, and nothing that decides them."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.messages import CHANNELS
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster.settings import Settings

MOST_TOKENS = 65_536  # of one example, by the provider's rules


@dataclass(frozen=True)
class Selection:
    """What goes into a dataset.

    `min_quality` (0..1) does not concern negative examples, which are in or out as a whole. `limit` counts examples of all sides, best
    first. `weeks`: the running week and so many before it; None: all history. `channels`: None for all. `group_cap`: at most so many of a
    group of near-duplicates. `repeat_up_to` 1 writes each training line once, k up to k times in proportion to its weight.
    `maturity_days`: silence is an outcome once it has lasted so long before `as_of` (a day, UTC; None: today).
    """

    min_quality: float = 0.6
    limit: int = 10_000
    validation_share: float = 0.1
    test_share: float = 0.1
    outcome_note: bool = False
    weeks: int | None = None
    channels: tuple[str, ...] | None = None
    negatives: bool = False
    group_cap: int = 20
    repeat_up_to: int = 1
    maturity_days: int = 30
    max_tokens: int = MOST_TOKENS
    as_of: date | None = None

    def __post_init__(self) -> None:
        if self.validation_share + self.test_share >= 1:
            raise InputError(
                f"nothing would be left to train on: FLYWHEEL_VALIDATION_SHARE {self.validation_share} and FLYWHEEL_TEST_SHARE "
                f"{self.test_share} must add up to less than 1"
            )
        if unknown := set(self.channels or ()) - set(CHANNELS):
            raise InputError(f"no such channel: {', '.join(sorted(unknown))}; FLYWHEEL_CHANNELS may name {', '.join(CHANNELS)}")

    def dated(self) -> "Selection":
        """The same selection with its day."""
        return self if self.as_of else replace(self, as_of=datetime.now(UTC).date())

    def parameters(self, scope: str) -> dict[str, Any]:
        """What the statements bind."""
        day = self.dated().as_of
        assert day is not None
        return asdict(self) | {
            "scope": scope,
            "channels": list(self.channels) if self.channels else None,
            "first_week": monday(day) - timedelta(weeks=self.weeks) if self.weeks is not None else None,
            "matured_before": datetime.combine(day, time(), UTC) - timedelta(days=self.maturity_days),
        }

    def described(self) -> dict[str, Any]:
        """Plain JSON values, for the manifest and the ledger of publications."""
        day = self.dated().as_of
        return asdict(self) | {"channels": list(self.channels) if self.channels else None, "as_of": str(day)}


def selection_of(settings: Settings) -> Selection:
    """What the settings of the environment ask for. Raises InputError for a channel that doesn't exist, or shares without a rest."""
    channels = tuple(name.strip() for name in settings.channels.split(",") if name.strip()) if settings.channels else None
    return Selection(
        min_quality=settings.min_quality,
        limit=settings.max_examples,
        validation_share=settings.validation_share,
        test_share=settings.test_share,
        outcome_note=settings.outcome_note,
        weeks=settings.window_weeks,
        channels=channels,
        negatives=settings.negatives,
        group_cap=settings.group_cap,
        repeat_up_to=settings.repeat_up_to,
        maturity_days=settings.maturity_days,
        max_tokens=settings.max_example_tokens,
    )
