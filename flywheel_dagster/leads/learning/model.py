"""A model that has learnt: scores of leads and the reasons for them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from flywheel_dagster.leads.learning.calibration import Line
from flywheel_dagster.leads.learning.encoding import Encoder
from flywheel_dagster.leads.learning.estimators import Estimator
from flywheel_dagster.leads.learning.table import Floats
from flywheel_dagster.leads.learning.values import Values, read_value, read_values

_LEAST_EFFECT = 0.01
"""Of log-odds: less changes the odds by less than a hundredth and is no reason."""


class Reason(NamedTuple):
    """What one field does to a lead's score."""

    field: str
    value: object
    """The lead's own value as it was given; None where nothing readable was."""
    effect: float
    """Log-odds of converting, minus those of the same lead with the field's usual value."""


class LeadModel:
    """Scores rows of any fields: unknown fields don't count, unknown words count as rare ones, missing values as missing."""

    def __init__(self, encoder: Encoder, estimator: Estimator, line: Line) -> None:
        self.encoder, self.estimator, self.line = encoder, estimator, line
        self._columns = [np.flatnonzero(encoder.owners == place) for place in range(len(encoder.names))]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that count."""
        return self.encoder.names

    def score(self, rows: Sequence[Mapping[str, object]]) -> Floats:
        """(n): the calibrated probability that each lead converts."""
        found: Floats = expit(self.log_odds(read_values(rows, self.encoder.names)))
        return found

    def log_odds(self, values: Values) -> Floats:
        """(n): calibrated, of values with the encoder's fields in its order."""
        return self._of(self.encoder.encode(values))

    def reasons(self, row: Mapping[str, object], *, most: int = 3) -> list[Reason]:
        """What moves the score of this lead furthest from that of a lead with a usual value, strongest first; at most so many."""
        own = self.encoder.encode(read_values([row], self.encoder.names))[0]
        differs = own != self.encoder.usual
        fields = [place for place, columns in enumerate(self._columns) if differs[columns].any()]
        variants = np.tile(own, (len(fields) + 1, 1))
        for variant, place in enumerate(fields):
            variants[variant, self._columns[place]] = self.encoder.usual[self._columns[place]]
        log_odds = self._of(variants)
        effects = dict(zip(fields, (log_odds[-1] - log_odds[:-1]).tolist(), strict=True))
        strongest = sorted(effects, key=lambda place: (-abs(effects[place]), place))[:most]
        return [self._reason(row, place, effects[place]) for place in strongest if abs(effects[place]) >= _LEAST_EFFECT]

    def _reason(self, row: Mapping[str, object], place: int, effect: float) -> Reason:
        name = self.encoder.names[place]
        value = row.get(name)
        return Reason(name, None if read_value(value) is None else value, effect)

    def _of(self, matrix: Floats) -> Floats:
        return self.line.of(self.estimator.log_odds(matrix))
