"""Regularised logistic regression, in which the effect of a number is a line with bends at its quartiles."""

from dataclasses import dataclass
from typing import ClassVar, Self
from warnings import catch_warnings, simplefilter

import numpy as np

from flywheel_dagster.leads.learning.table import Bools, Floats

_BENDS = (-0.5, 0.0, 0.5)
"""Ranks; -1 and 1 are the least and the largest number."""
_MOST_STEPS = 200
_MANY = 300
"""Columns from which Newton's method, cubic in them, is the slower one."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """Linear in the columns and in the bends of the first `ranks` of them."""

    intercept: float
    weights: Floats
    ranks: int

    name: ClassVar[str] = "logistic"
    settings: ClassVar[tuple[float, ...]] = (0.003, 0.01, 0.03, 0.1, 0.4, 1.6, 6.0)
    """The variance of the normal prior of each weight."""

    @classmethod
    def explore(cls, known: Floats, converted: Bools, tested: Floats, *, ranks: int) -> Floats:
        learnt = [cls.fit(known, converted, ranks=ranks, setting=setting) for setting in cls.settings]
        return np.array([each.log_odds(tested) for each in learnt])

    @classmethod
    def fit(cls, known: Floats, converted: Bools, *, ranks: int, setting: float) -> Self:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        bent = _bent(known, ranks)
        solver, tolerance = ("newton-cholesky", 1e-4) if bent.shape[1] <= _MANY else ("lbfgs", 1e-3)
        with catch_warnings():
            simplefilter("ignore", ConvergenceWarning)  # rounding may stop the last step, which moves nothing that matters
            model = LogisticRegression(C=setting, solver=solver, tol=tolerance, max_iter=_MOST_STEPS).fit(bent, converted)
        return cls(float(model.intercept_[0]), np.asarray(model.coef_[0], dtype=np.float64), ranks)

    def width(self, columns: int) -> int:
        """How many weights so many columns have."""
        return columns + len(_BENDS) * self.ranks + 1

    def log_odds(self, matrix: Floats) -> Floats:
        found: Floats = _bent(matrix, self.ranks) @ self.weights + self.intercept
        return found


def _bent(matrix: Floats, ranks: int) -> Floats:
    """(n, P + 3R + 1): the columns, of each rank what it exceeds each bend by, and a column of zeros, without which there may be none."""
    numbers = matrix[:, :ranks]
    return np.hstack([matrix, *(np.maximum(numbers - bend, 0.0) for bend in _BENDS), np.zeros((len(matrix), 1))])
