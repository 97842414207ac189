"""What is learnt from: leads with their features and outcomes, in plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from flywheel_dagster.errors import InputError

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]
"""Positions of rows."""

LEAST_ROWS, LEAST_EACH = 20, 5
"""Fewer leads, or fewer of either outcome, teach nothing that could be tested: each of five parts needs one of each."""


@dataclass(frozen=True, eq=False)
class TrainingTable:
    """n leads, one row each. Raises InputError for lengths that differ."""

    features: Sequence[Mapping[str, object]]
    """Any fields; one that is absent, null, blank or NaN is missing, and a nested value tells nothing."""
    converted: Bools
    groups: Sequence[str]
    """Rows of one group (exact repeats) stay on one side of every split."""
    told_at: Sequence[datetime] | None
    """When each outcome became known; None where nobody knows."""
    lead_ids: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "converted", np.asarray(self.converted, dtype=np.bool_))
        rows = len(self.features)
        lengths = [len(self.converted), len(self.groups), len(self.lead_ids)] + (
            [] if self.told_at is None else [len(self.told_at)]
        )
        if any(length != rows for length in lengths):
            raise InputError(f"a training table has one outcome, group, lead and time for each of its {rows} rows, not {lengths}")

    def __len__(self) -> int:
        return len(self.features)

    def taken(self, rows: Places) -> "TrainingTable":
        """These rows, in this order."""
        places = rows.tolist()
        return TrainingTable(
            [self.features[row] for row in places],
            self.converted[rows],
            [self.groups[row] for row in places],
            None if self.told_at is None else [self.told_at[row] for row in places],
            [self.lead_ids[row] for row in places],
        )

    def in_order(self) -> Places:
        """(n): the rows by group and lead, so that what is learnt doesn't depend on the order they came in."""
        return np.array(sorted(range(len(self)), key=lambda row: (self.groups[row], self.lead_ids[row])), dtype=np.intp)

    def demand_enough(self) -> None:
        """Raises InputError saying what is missing: rows, or leads of one outcome, counting repeats once."""
        converted, lost = (Counter(self._groups_of(outcome)) for outcome in (True, False))
        if len(self) < LEAST_ROWS or min(len(converted), len(lost)) < LEAST_EACH:
            raise InputError(
                f"{len(self)} leads with an outcome, {len(converted)} different ones converted and {len(lost)} lost, are too few to learn from: "
                f"{LEAST_ROWS} are needed, {LEAST_EACH} of each; record more feedback"
            )

    def _groups_of(self, outcome: bool) -> list[str]:
        return [group for group, found in zip(self.groups, self.converted.tolist(), strict=True) if found is outcome]
