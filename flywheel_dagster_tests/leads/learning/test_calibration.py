import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from flywheel_dagster.leads.learning.calibration import IDENTITY, calibrate, describe


def test_scores_that_boast_are_toned_down() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(-1, 1, 20_000)
    converted = random.random(20_000) < expit(truth)

    line = calibrate(converted, 3 * truth + 1)

    assert line.slope == pytest.approx(1 / 3, abs=0.02)
    assert line.intercept == pytest.approx(-1 / 3, abs=0.05)


def test_few_rows_move_the_line_little() -> None:
    line = calibrate(np.array([True, False, True]), np.array([-1.0, 1.0, 0.0]))

    assert line.slope > 0.7


def test_the_description_is_plain_logistic_regression() -> None:
    random = np.random.default_rng(1)
    log_odds = random.normal(size=500)
    converted = random.random(500) < expit(0.3 + 0.7 * log_odds)
    plain = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], converted)

    line = describe(converted, log_odds)

    assert line == pytest.approx((plain.intercept_[0], plain.coef_[0, 0]), abs=1e-3)


@given(st.lists(st.tuples(st.booleans(), st.floats(-30, 30)), max_size=50))
def test_a_line_never_turns_a_ranking_round(rows: list[tuple[bool, float]]) -> None:
    line = calibrate(np.array([one for one, _ in rows], dtype=bool), np.array([score for _, score in rows]))

    assert line.slope > 0
    assert np.isfinite(line).all()
    if not rows:
        assert line == IDENTITY
