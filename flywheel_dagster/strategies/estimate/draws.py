"""Joint draws of the metrics' coefficients, seeded by the posteriors themselves: the same evidence gives the same probabilities."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from flywheel_dagster.one_thread import one_thread
from flywheel_dagster.strategies.estimate.design import INTERCEPT, Name
from flywheel_dagster.strategies.estimate.posterior import Posterior

Draws = NDArray[np.float32]
"""(…, number of draws)."""

_MOST_CORRELATED = 0.95
_REMEMBERED = 1_024  # names without a coefficient: whoever asks may make up any number of them, and the draws of a name are the same each time


class JointDraws:
    """Draws of every coefficient of several metrics, by name; a name without a coefficient gets draws from what is believed of
    its group.

    Metrics are correlated as the events they count: meetings come out of replies and deals out of meetings, so what chance gave
    the one it gave the other. Nested events of odds a > b have the correlation √(b/a); drawn apart, their sum would look surer
    than it is.
    """

    def __init__(self, posteriors: Mapping[str, Posterior], *, number: int) -> None:
        self.number = number
        self._posteriors = {metric: posteriors[metric] for metric in sorted(posteriors)}
        digest = blake2b(b"".join(each.digest for each in self._posteriors.values()), digest_size=16).digest()
        self._seed = list(np.frombuffer(digest, dtype="<u4"))
        self._mixing = np.linalg.cholesky(correlations(self._posteriors)).astype(np.float32)
        names = sorted({name for each in self._posteriors.values() for name in each.names})
        standard = self._standard(names)
        place = {name: position for position, name in enumerate(names)}
        self._rows: dict[str, Draws] = {}
        for metric, each in self._posteriors.items():
            own = standard[metric][[place[name] for name in each.names]]
            with one_thread():
                self._rows[metric] = each.factor @ own + each.mean.astype(np.float32)[:, None]
        self._new: dict[Name, dict[str, Draws]] = {}

    def of(self, metric: str, name: Name) -> Draws:
        """(number): a coefficient's draws."""
        posterior = self._posteriors[metric]
        place = posterior.index.get(name)
        if place is not None:
            row: Draws = self._rows[metric][place]
            return row
        if name not in self._new:
            if len(self._new) >= _REMEMBERED:
                self._new.clear()
            standard = self._standard([name])
            self._new[name] = {
                each: standard[each][0] * np.float32(self._posteriors[each].scales[name[0]]) for each in self._posteriors
            }
        return self._new[name][metric]

    def known(self, metric: str, name: Name) -> Draws | None:
        """A coefficient's draws; None for one that the posterior lacks."""
        place = self._posteriors[metric].index.get(name)
        return None if place is None else self._rows[metric][place]

    def _standard(self, names: list[Name]) -> dict[str, Draws]:
        """By metric (names, number): standard normal draws, correlated between metrics, whose seed is the evidence and the
        names."""
        salt = np.frombuffer(blake2b(repr(names).encode(), digest_size=8).digest(), dtype="<u4")
        random = np.random.default_rng([*self._seed, *salt])
        apart = random.standard_normal((len(self._posteriors), len(names), self.number), dtype=np.float32)
        return dict(zip(self._posteriors, np.einsum("ij,jkl->ikl", self._mixing, apart), strict=True))


def correlations(posteriors: Mapping[str, Posterior]) -> NDArray[np.float64]:
    """Between the metrics, as if each rarer event happened only where the more frequent one had."""
    base = np.array([expit(each.mean[each.index[INTERCEPT]]) for each in posteriors.values()])
    odds = base / (1 - base)
    ratio = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
    return np.where(np.eye(len(odds), dtype=bool), 1.0, _MOST_CORRELATED * ratio)
