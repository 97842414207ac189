"""Learns from rows, and chooses how: the setting of each estimator, its calibration, and the estimator, all by rows held out within these."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from flywheel_dagster.leads.learning.calibration import IDENTITY, Line, calibrate
from flywheel_dagster.leads.learning.codes import Note, find_codes
from flywheel_dagster.leads.learning.encoding import Encoder
from flywheel_dagster.leads.learning.estimators import ESTIMATORS, Estimator
from flywheel_dagster.leads.learning.evaluation import losses
from flywheel_dagster.leads.learning.folds import Split, forward_splits, random_splits
from flywheel_dagster.leads.learning.logistic import Logistic
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster.leads.learning.table import Bools, Floats, Places, TrainingTable
from flywheel_dagster.leads.learning.values import Values, read_values
from flywheel_dagster.one_thread import one_thread

FOLDS, FOLDS_OF_MANY = 5, 3
"""Parts of the rows; of as many as trees are tried from, fewer tell the same in less time."""
TREES_FROM, TREES_FROM_EACH = 2_000, 200
"""Rows, and rows of either outcome, from which trees are tried: on samples of real leads they were no better before."""
MOST_EXPLORED = 1_500_000
"""Rows x columns that each setting is tried with: a weight's variance doesn't depend on the number of leads, time does."""
FORWARD_FROM_EACH = 50
"""Where each of three tests on later rows has as many of either outcome, choices are made by them."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A table whose values have been read."""

    values: Values
    converted: Bools
    groups: Sequence[str]
    told_at: Sequence[datetime] | None

    @classmethod
    def of(cls, table: TrainingTable, *, exclude: Sequence[str] = ()) -> "Rows":
        """All fields that any row has, without those that are excluded."""
        names = sorted({name for row in table.features for name in row} - set(exclude))
        return cls(read_values(table.features, names), table.converted, table.groups, table.told_at)

    def __len__(self) -> int:
        return len(self.converted)

    def taken(self, rows: Places) -> "Rows":
        places = rows.tolist()
        return Rows(
            self.values.taken(places),
            self.converted[rows],
            [self.groups[row] for row in places],
            None if self.told_at is None else [self.told_at[row] for row in places],
        )


class Candidate(NamedTuple):
    """An estimator with its best setting."""

    model: LeadModel
    setting: float
    losses: Floats
    """Of the rows held out."""


class Chosen(NamedTuple):
    """What was learnt."""

    candidates: dict[str, Candidate]
    """By estimator."""
    estimator: str
    why: str
    notes: list[Note]

    @property
    def model(self) -> LeadModel:
        return self.candidates[self.estimator].model


def fit(rows: Rows) -> Chosen:
    """The rows have both outcomes."""
    codes, notes = find_codes(rows.values)
    encoder = Encoder(codes)
    matrix = encoder.encode(rows.values.of(encoder.names))
    splits, held_out = _splits(rows)
    with one_thread("sklearn.ensemble"):
        candidates = {each.name: _candidate(each, encoder, matrix, rows.converted, splits) for each in _tried(rows.converted)}
    estimator, why = _best(candidates, held_out)
    return Chosen(candidates, estimator, why, notes)


def _tried(converted: Bools) -> Sequence[type[Estimator]]:
    rows, ones = len(converted), int(converted.sum())
    return ESTIMATORS if rows >= TREES_FROM and min(ones, rows - ones) >= TREES_FROM_EACH else ESTIMATORS[:1]


def _splits(rows: Rows) -> tuple[list[Split], str]:
    forward = forward_splits(rows.converted, rows.groups, rows.told_at, least=FORWARD_FROM_EACH)
    if forward:
        return forward, "rows told later than those learnt from"
    folds = FOLDS if len(rows) < TREES_FROM else FOLDS_OF_MANY
    parted = random_splits(rows.converted, rows.groups, folds=folds)
    return [split for split in parted if 0 < rows.converted[split.known].sum() < len(split.known)], f"{folds} random parts"


def _candidate(kind: type[Estimator], encoder: Encoder, matrix: Floats, converted: Bools, splits: list[Split]) -> Candidate:
    """Its best setting by log loss on the rows held out, learnt again from all rows."""
    if not splits:
        return Candidate(_model(kind, encoder, matrix, converted, kind.settings[0], IDENTITY), kind.settings[0], np.empty(0))
    said = [
        kind.explore(matrix[split.known], converted[split.known], matrix[split.tested], ranks=encoder.ranks) for split in splits
    ]
    log_odds = np.hstack(said)
    outcome = converted[np.concatenate([split.tested for split in splits])]
    best = int(np.argmin([losses(outcome, each).mean() for each in log_odds]))
    line = calibrate(outcome, log_odds[best])
    model = _model(kind, encoder, matrix, converted, kind.settings[best], line)
    return Candidate(model, kind.settings[best], losses(outcome, line.of(log_odds[best])))


def _thinned(rows: Places, *, most: int) -> Places:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def _model(kind: type[Estimator], encoder: Encoder, matrix: Floats, converted: Bools, setting: float, line: Line) -> LeadModel:
    return LeadModel(encoder, kind.fit(matrix, converted, ranks=encoder.ranks, setting=setting), line)


def _best(candidates: dict[str, Candidate], held_out: str) -> tuple[str, str]:
    """Logistic regression, unless the other's log loss is better by more than a standard error (Breiman et al., Classification and Regression
    Trees (1984), section 3.4.3)."""
    plain = candidates[Logistic.name]
    if len(candidates) == 1:
        return Logistic.name, f"trees need {TREES_FROM} leads, {TREES_FROM_EACH} of either outcome"
    (name, other) = next(each for each in candidates.items() if each[0] != Logistic.name)
    gain = plain.losses - other.losses
    mean, error = float(gain.mean()), float(gain.std() / np.sqrt(len(gain)))
    verdict = "more" if mean > error else "not more"
    why = (
        f"log loss on {held_out}: {plain.losses.mean():.4f} by logistic regression, {other.losses.mean():.4f} by trees: better by "
        f"{mean:.4f}, {verdict} than a standard error of {error:.4f}"
    )
    return (name if mean > error else Logistic.name), why
