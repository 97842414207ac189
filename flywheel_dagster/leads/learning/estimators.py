"""What an estimator is: a family of settings from cautious to bold, and what one of them learns. The two there are, in the order of preference."""

from typing import ClassVar, Protocol

from flywheel_dagster.leads.learning.logistic import Logistic
from flywheel_dagster.leads.learning.table import Bools, Floats
from flywheel_dagster.leads.learning.trees import Trees


class Estimator(Protocol):
    """From an encoded matrix (n, P) to log-odds (n), not yet calibrated."""

    name: ClassVar[str]
    settings: ClassVar[tuple[float, ...]]

    @classmethod
    def explore(cls, known: Floats, converted: Bools, tested: Floats, *, ranks: int) -> Floats:
        """(settings, tested rows): what each setting, learnt from the known rows, says of the tested ones."""

    @classmethod
    def fit(cls, known: Floats, converted: Bools, *, ranks: int, setting: float) -> "Estimator":
        """`ranks`: how many of the first columns are ranks of numbers."""

    def log_odds(self, matrix: Floats) -> Floats: ...


ESTIMATORS: tuple[type[Estimator], ...] = (Logistic, Trees)
