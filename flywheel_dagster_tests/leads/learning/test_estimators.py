import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from flywheel_dagster.leads.learning.estimators import ESTIMATORS, Estimator
from flywheel_dagster.leads.learning.logistic import Logistic
from flywheel_dagster.leads.learning.table import Bools, Floats
from flywheel_dagster.leads.learning.trees import Trees
from flywheel_dagster.one_thread import one_thread


def _matrix(rows: int, seed: int) -> tuple[Floats, Bools]:
    """Two ranks and two marks; the outcome follows the first rank, and the second where the first mark is set."""
    random = np.random.default_rng(seed)
    matrix = np.hstack([random.uniform(-1, 1, (rows, 2)), random.integers(0, 2, (rows, 2))])
    return matrix, random.random(rows) < expit(2 * matrix[:, 0] + 3 * matrix[:, 1] * matrix[:, 2] - 0.5)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_what_is_explored_is_what_is_learnt(kind: type[Estimator]) -> None:
    matrix, converted = _matrix(300, 0)
    tested, _ = _matrix(50, 1)

    with one_thread():
        explored = kind.explore(matrix, converted, tested, ranks=2)
        first, last = (kind.fit(matrix, converted, ranks=2, setting=setting) for setting in (kind.settings[0], kind.settings[-1]))

    assert explored.shape == (len(kind.settings), 50)
    assert first.log_odds(tested) == pytest.approx(explored[0], abs=1e-3)
    assert last.log_odds(tested) == pytest.approx(explored[-1], abs=1e-3)


def test_trees_kept_as_arrays_say_what_scikit_learn_says() -> None:
    matrix, converted = _matrix(1_000, 2)
    tested, _ = _matrix(700, 3)
    grown = HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=0)

    with one_thread():
        kept = Trees._of(grown.fit(matrix, converted))
        expected = grown.decision_function(tested)

    assert kept.log_odds(tested) == pytest.approx(expected, rel=1e-12)
    assert kept.log_odds(tested[:1]) == pytest.approx(expected[:1], rel=1e-12)


def test_the_effect_of_a_number_may_bend() -> None:
    ranks = np.random.default_rng(0).uniform(-1, 1, (2_000, 1))
    converted = np.random.default_rng(1).random(2_000) < expit(3 - 8 * np.abs(ranks[:, 0]))

    low, middle, high = Logistic.fit(ranks, converted, ranks=1, setting=1.0).log_odds(np.array([[-0.9], [0.0], [0.9]]))

    assert middle > 1
    assert max(low, high) < -1


def test_an_effect_that_only_trees_can_see() -> None:
    matrix, converted = _matrix(2_000, 4)
    tested, outcome = _matrix(2_000, 5)

    def loss(log_odds: Floats) -> float:
        return float((np.logaddexp(0, log_odds) - outcome * log_odds).mean())

    with one_thread():
        trees, logistic = (kind.explore(matrix, converted, tested, ranks=2) for kind in (Trees, Logistic))

    assert min(map(loss, trees)) < min(map(loss, logistic)) - 0.01
