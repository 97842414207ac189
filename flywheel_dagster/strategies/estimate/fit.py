"""Fits the mixed logistic regression of a metric: from cells and a prior to a posterior.

Each of d coefficients has a normal prior N(m, λ·v) with its group's multiplier λ. Given λ, mode and curvature come by penalised
iteratively reweighted least squares (Breslow & Clayton 1993; Laplace's approximation, BDA3 section 13.3). λ maximises the
marginal likelihood of the working response by MacKay's fixed point (1992) in the form of Wood & Fasiolo (2017): Σ(β-m)²/v over
the effective number of coefficients, q - Σ C_jj/(λ·v). This is empirical Bayes (Efron & Morris 1975). A group's λ behaves as if
PSEUDO_EFFECTS effects of the prior's own size had been seen besides, so that little evidence gives sober answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import expit

from flywheel_dagster.one_thread import one_thread
from flywheel_dagster.strategies.dimensions import RATES
from flywheel_dagster.strategies.estimate.cells import Cells, Floats, Merged
from flywheel_dagster.strategies.estimate.design import INTERCEPT, Design, groups_of
from flywheel_dagster.strategies.estimate.posterior import Posterior
from flywheel_dagster.strategies.estimate.prior import Prior

PSEUDO_EFFECTS = 4.0
_MOST_ROUNDS, _RENEWED, _MOST_UPDATES, _MOST_HALVINGS = 80, 50, 5, 40
"""After _RENEWED rounds λ stays, so that what is found is the mode that belongs to it in any case."""
_SETTLED, _STEADY = 1e-5, 1e-2
"""Changes of a coefficient, and of the logarithm of λ, that end the search."""
_NEAR, _FARTHEST = 0.1, 1.5
"""λ is renewed only near the mode that belongs to it, and by steps of its logarithm that are bounded and later grow smaller, or it may run in circles."""
_LEAST, _LARGEST = 1e-4, 100.0
"""Of λ: effects have between a hundredth of the prior's standard deviation and ten times it."""


def fit(cells: Cells, *, prior: Prior | None = None, leading: Posterior | None = None) -> Posterior:
    """The posterior of a metric's coefficients. Any cells give a finite one: none at all, one strategy alone, no success,
    nothing but successes.

    `prior` is what others found; `leading` the posterior of the more frequent event that this metric's comes out of (of replies
    for meetings, of meetings for deals), from which effects are expected to carry over.

    Time grows with the number of cells and with d³ (a few hundred at most).
    """
    merged, before = cells.merged, prior or Prior()
    if leading is not None:
        before = before.after(leading)
    design = Design(merged, before.effects)
    names = design.names
    groups = groups_of(cells.keys)
    number = {group: place for place, group in enumerate(groups)}
    mean, variance = np.array([before.of(name) for name in names]).T
    group = np.array([number[name[0]] for name in names])
    model = _Model(design, merged, mean, variance, group, intercept=number[INTERCEPT[0]], groups=len(groups))
    with one_thread():
        mode, multiplier = model.solve()
        penalty = model.penalty(multiplier)
        root = _inverse_root(model.curvature(mode) + np.diag(penalty))
        factor = np.linalg.cholesky(root.T @ root).astype(np.float32)
    return Posterior(
        keys=cells.keys,
        names=tuple(names),
        mean=mode,
        factor=factor,
        prior_mean=mean,
        prior_variance=1 / penalty,
        scales={group: before.scale(group) * float(np.sqrt(multiplier[number[group]])) for group in groups},
        from_population=prior is not None or (leading is not None and leading.from_population),
    )


def fit_rates(cells: Mapping[str, Cells], *, priors: Mapping[str, Prior] | None = None) -> dict[str, Posterior]:
    """By metric its posterior, each led by that of the more frequent event before it: replies, meetings, deals. Metrics without
    a prior have none.

    Deals are rare and late: led by replies they rank strategies better, and suggestions learn sooner (benchmarks/strategies.py).
    """
    found: dict[str, Posterior] = {}
    leading = None
    for metric in RATES:
        if metric in cells:
            found[metric] = leading = fit(cells[metric], prior=(priors or {}).get(metric), leading=leading)
    return found


@dataclass(frozen=True, eq=False)
class _Model:
    design: Design
    cells: Merged
    mean: Floats
    variance: Floats
    group: NDArray[np.int64]
    """(d): the number of each coefficient's group."""
    intercept: int
    """The number of the intercept's group, whose λ stays 1."""
    groups: int

    def penalty(self, multiplier: Floats) -> Floats:
        """(d): the prior's precisions."""
        return 1 / (multiplier[self.group] * self.variance)

    def curvature(self, coefficients: Floats) -> Floats:
        """(d, d): the observed information."""
        chance = expit(self.design.log_odds(coefficients))
        return self.design.information(self.cells.trials * chance * (1 - chance))

    def objective(self, coefficients: Floats, penalty: Floats) -> float:
        """The logarithm of likelihood times prior, up to a constant. Concave."""
        log_odds = self.design.log_odds(coefficients)
        likelihood = self.cells.successes @ log_odds - self.cells.trials @ np.logaddexp(0.0, log_odds)
        return float(likelihood - penalty @ (coefficients - self.mean) ** 2 / 2)

    def solve(self) -> tuple[Floats, Floats]:
        """The mode, and λ by group."""
        coefficients, multiplier = self.mean.copy(), np.ones(self.groups)
        trials, successes = self.cells.trials.sum(), self.cells.successes.sum()
        coefficients[0] = np.log((successes + 0.5) / (trials - successes + 0.5)) if trials else self.mean[0]
        for turn in range(_MOST_ROUNDS):
            information = self.curvature(coefficients)
            residuals = self.cells.successes - self.cells.trials * expit(self.design.log_odds(coefficients))
            working = information @ coefficients + self.design.sums(residuals)
            penalty = self.penalty(multiplier)
            root = _inverse_root(information + np.diag(penalty))
            moved = self._climbed(coefficients, root.T @ (root @ (working + penalty * self.mean)), penalty)
            distance = np.abs(moved - coefficients).max()
            coefficients = moved
            if distance < _NEAR and turn < _RENEWED:
                step = np.log(self._updated(information, working, multiplier) / multiplier)
                if distance < _SETTLED and np.abs(step).max() < _STEADY:
                    break
                farthest = _FARTHEST if turn < _RENEWED // 2 else _FARTHEST / 4
                multiplier = multiplier * np.exp(np.clip(step, -farthest, farthest))
            elif distance < _SETTLED:
                break
        return coefficients, multiplier

    def _updated(self, information: Floats, working: Floats, multiplier: Floats) -> Floats:
        """λ for a fixed working response."""
        size = np.bincount(self.group, minlength=self.groups)
        for _ in range(_MOST_UPDATES):
            penalty = self.penalty(multiplier)
            root = _inverse_root(information + np.diag(penalty))
            solution = root.T @ (root @ (working + penalty * self.mean))
            squares = np.bincount(self.group, (solution - self.mean) ** 2 / self.variance, self.groups)
            effective = size - np.bincount(self.group, np.einsum("ij,ij->j", root, root) * penalty, self.groups)
            following = np.clip((squares + PSEUDO_EFFECTS) / (effective + PSEUDO_EFFECTS), _LEAST, _LARGEST)
            following[self.intercept] = 1.0
            change = np.abs(np.log(following / multiplier)).max()
            multiplier = following
            if change < _STEADY:
                break
        return multiplier

    def _climbed(self, start: Floats, end: Floats, penalty: Floats) -> Floats:
        """The farthest of end, half way there, a quarter … that is no worse than the start."""
        least = self.objective(start, penalty)
        for _ in range(_MOST_HALVINGS):
            if self.objective(end, penalty) >= least - 1e-9 * abs(least):
                return end
            end = (start + end) / 2
        return start


def _inverse_root(matrix: Floats) -> Floats:
    """R, lower triangular, with R'R the inverse of a positive definite matrix."""
    factor, _ = lapack.dpotrf(matrix, lower=True, clean=True)
    root, _ = lapack.dtrtri(factor, lower=True)
    return np.asarray(root)
