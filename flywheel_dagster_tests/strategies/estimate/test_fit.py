from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from flywheel_dagster.strategies.estimate.cells import Cells
from flywheel_dagster.strategies.estimate.design import Design, names_of
from flywheel_dagster.strategies.estimate.fit import PSEUDO_EFFECTS, fit
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster_tests.strategies.estimate.making import market, one_segment, same

EMAIL = ("email", "", "", "")
_CELL = st.tuples(
    st.tuples(st.sampled_from("AB"), st.sampled_from("xy")),
    st.tuples(st.sampled_from(["email", "sms"]), st.sampled_from(["", "SaaS"]), st.just("CEO"), st.just("")),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
)
_ROWS = st.lists(_CELL, min_size=1, max_size=12)


def _cells(rows: list[tuple[tuple[str, str], tuple[str, str, str, str], float, float]]) -> Cells:
    strategies, segments, trials, successes = zip(*rows, strict=True)
    return Cells(strategies, segments, trials, successes)


def _dense(cells: Cells, posterior: Posterior) -> np.ndarray:
    """(cells, coefficients): the design matrix, written down name by name."""
    found = np.zeros((len(cells.strategies), len(posterior.names)))
    for row, (strategy, segment) in enumerate(zip(cells.strategies, cells.segments, strict=True)):
        found[row, [posterior.index[name] for name in names_of(strategy, segment)]] = 1
    return found


def test_mode_and_covariance_are_those_of_a_general_optimiser_on_the_dense_design() -> None:
    cells = market(1, trials=40)
    posterior = fit(cells)
    x, n, s = _dense(cells, posterior), np.asarray(cells.trials), np.asarray(cells.successes)
    precision = 1 / posterior.prior_variance

    def minus_log(beta: np.ndarray) -> tuple[float, np.ndarray]:
        eta, off = x @ beta, beta - posterior.prior_mean
        return -float(s @ eta - n @ np.logaddexp(0, eta) - precision @ off**2 / 2), -(x.T @ (s - n * expit(eta)) - precision * off)

    found = minimize(
        minus_log, posterior.prior_mean, jac=True, method="L-BFGS-B", options={"maxiter": 5_000, "ftol": 1e-15, "gtol": 1e-8}
    )
    chance = expit(x @ found.x)
    hessian = (x * (n * chance * (1 - chance))[:, None]).T @ x + np.diag(precision)
    assert posterior.mean == pytest.approx(found.x, abs=1e-4)
    assert posterior.covariance == pytest.approx(np.linalg.inv(hessian), abs=1e-5)


def test_sums_over_cells_are_those_of_the_dense_design() -> None:
    cells = market(2, trials=3)
    design, x = Design(cells.merged), _dense(Cells(*_as_rows(cells)), fit(cells))
    weights = np.random.default_rng(0).random(len(x))
    assert design.information(weights) == pytest.approx((x * weights[:, None]).T @ x)
    assert design.sums(weights) == pytest.approx(x.T @ weights)
    assert design.log_odds(np.arange(x.shape[1]) / 7) == pytest.approx(x @ np.arange(x.shape[1]) / 7)


def _as_rows(cells: Cells) -> tuple[list[tuple[str, ...]], list[tuple[str, str, str, str]], np.ndarray, np.ndarray]:
    merged = cells.merged
    return (
        [merged.strategies[k] for k in merged.strategy],
        [merged.segments[k] for k in merged.segment],
        merged.trials,
        merged.successes,
    )


def test_the_spread_of_many_effects_is_found_and_the_prior_counts_as_few_more() -> None:
    random = np.random.default_rng(3)
    for spread in (0.05, 0.3, 1.0):
        effects = random.normal(0, spread, 60)
        counts = {(f"v{k:02}",): (4_000.0, float(random.binomial(4_000, expit(-2 + effect)))) for k, effect in enumerate(effects)}
        expected = np.sqrt((PSEUDO_EFFECTS * 0.3**2 + (effects**2).sum()) / (PSEUDO_EFFECTS + 60))
        assert fit(one_segment(counts)).scales["value_0"] == pytest.approx(expected, rel=0.25)


@given(_ROWS, st.randoms())
@settings(max_examples=12, deadline=None)
def test_any_order_of_the_cells_gives_the_same_bytes(
    rows: list[tuple[tuple[str, str], tuple[str, str, str, str], float, float]], chance: Random
) -> None:
    mixed = list(rows)
    chance.shuffle(mixed)
    assert fit(_cells(mixed)).digest == fit(_cells(rows)).digest


_RUNS_IN_CIRCLES = [
    (("A", "x"), ("email", "", "CEO", ""), 0.0, 3.0),
    (("A", "x"), ("email", "SaaS", "CEO", ""), 963.0, 0.0),
    (("A", "y"), ("sms", "SaaS", "CEO", ""), 8385.8, 382.0),
]


_ROUNDED_APART = [
    (("A", "x"), ("email", "SaaS", "CEO", ""), 828.0, 0.0),
    (("A", "y"), ("sms", "SaaS", "CEO", ""), 6320.0, 998.0),
    (("A", "y"), ("sms", "SaaS", "CEO", ""), 3744.78147916608, 0.0),
    (("B", "x"), ("email", "", "CEO", ""), 0.0, 1650.0),
]


@given(_ROWS)
@example(_RUNS_IN_CIRCLES)
@example(_ROUNDED_APART)
@settings(max_examples=12, deadline=None)
def test_cells_may_be_merged_beforehand(rows: list[tuple[tuple[str, str], tuple[str, str, str, str], float, float]]) -> None:
    halves = [(one, two, trials / 2, successes / 2) for one, two, trials, successes in rows for _ in range(2)]
    assert same(fit(_cells(rows)), fit(_cells(halves)))


@given(_ROWS)
@settings(max_examples=20, deadline=None)
def test_no_evidence_breaks_the_fit(rows: list[tuple[tuple[str, str], tuple[str, str, str, str], float, float]]) -> None:
    posterior = fit(_cells(rows))
    assert np.isfinite(posterior.mean).all() and np.abs(posterior.mean).max() < 30
    assert np.isfinite(posterior.factor).all() and (posterior.variance > 0).all()
    assert (posterior.variance <= posterior.prior_variance * 1.001).all()


@pytest.mark.parametrize("counts", [{("a",): (0.0, 0.0)}, {("a",): (1e6, 0.0)}, {("a",): (1e6, 1e6)}, {("a",): (0.01, 1.0)}, {}])
def test_extreme_evidence_gives_finite_answers(counts: dict[tuple[str, ...], tuple[float, float]]) -> None:
    posterior = fit(one_segment(counts)) if counts else fit(Cells.empty(1))
    assert np.isfinite(posterior.mean).all() and np.isfinite(posterior.covariance).all()


def test_without_a_success_the_rate_is_small_and_not_zero() -> None:
    posterior = fit(one_segment({("a",): (200.0, 0.0), ("b",): (200.0, 0.0)}))
    assert 1e-4 < expit(posterior.mean[0]) < 0.01


def test_levels_beyond_the_most_that_are_kept_have_no_coefficient_and_no_harm_comes_of_it() -> None:
    count = 200
    cells = Cells(
        [("a", f"v{k}") for k in range(count)],
        [("email", f"i{k}", "", "") for k in range(count)],
        np.arange(count) + 1.0,
        np.ones(count),
    )
    names = fit(cells).names
    assert sum(name[0] == "value_1" for name in names) == 64
    assert ("value_1", "v199") in names and ("value_1", "v0") not in names
    assert len(names) < 500
