"""Boosted trees: scikit-learn grows them; they are kept and evaluated as plain arrays, which load faster, are the same bytes each time, hold
no code and don't depend on scikit-learn's version."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flywheel_dagster.leads.learning.table import Bools, Floats

Nodes: TypeAlias = NDArray[np.int64]

_TOGETHER = 256
"""Rows that go down the trees at once."""


@dataclass(frozen=True, eq=False)
class Trees:
    """T trees of M nodes in all. At a node a row goes `left` where its column is at most the threshold, else `right`; a leaf leads to itself."""

    baseline: float
    roots: Nodes
    """(T)"""
    columns: Nodes
    """(M), as are the following."""
    thresholds: Floats
    left: Nodes
    right: Nodes
    log_odds_of: Floats
    """What a leaf adds; 0 at other nodes."""
    depth: int

    name: ClassVar[str] = "trees"
    settings: ClassVar[tuple[float, ...]] = (15, 25, 40, 60, 90)
    """How many trees."""

    @classmethod
    def explore(cls, known: Floats, converted: Bools, tested: Floats, *, ranks: int) -> Floats:
        grown = cls.fit(known, converted, ranks=ranks, setting=max(cls.settings))
        return grown._after(tested, tuple(int(count) for count in cls.settings))

    @classmethod
    def fit(cls, known: Floats, converted: Bools, *, ranks: int, setting: float) -> Self:
        from sklearn.ensemble import HistGradientBoostingClassifier

        grown = HistGradientBoostingClassifier(
            max_iter=int(setting),
            learning_rate=0.15,
            max_bins=31,  # as many ranks as there are knots; marks have two values
            max_leaf_nodes=12,
            min_samples_leaf=20,
            l2_regularization=5.0,
            early_stopping=False,
            random_state=0,
        ).fit(known, converted)
        found = cls._of(grown)
        expected = grown.decision_function(known[:100])
        if not np.allclose(found.log_odds(known[:100]), expected, rtol=1e-6, atol=1e-9):
            raise RuntimeError("scikit-learn's trees were read wrongly: this version lays them out in another way")
        return found

    @classmethod
    def _of(cls, grown: Any) -> Self:
        trees = [stage[0].nodes for stage in grown._predictors]
        starts = np.cumsum([0, *(len(tree) for tree in trees[:-1])])
        nodes = np.concatenate(trees)
        leaf = nodes["is_leaf"].astype(np.bool_)
        own = np.arange(len(nodes))
        start = np.repeat(starts, [len(tree) for tree in trees])
        return cls.kept(
            baseline=float(np.ravel(grown._baseline_prediction)[0]),
            roots=starts,
            columns=np.where(leaf, 0, nodes["feature_idx"]),
            thresholds=np.where(leaf, 0.0, nodes["num_threshold"]),
            left=np.where(leaf, own, start + nodes["left"]),
            right=np.where(leaf, own, start + nodes["right"]),
            log_odds_of=np.where(leaf, nodes["value"], 0.0),
        )

    @classmethod
    def kept(
        cls,
        *,
        baseline: float,
        roots: ArrayLike,
        columns: ArrayLike,
        thresholds: ArrayLike,
        left: ArrayLike,
        right: ArrayLike,
        log_odds_of: ArrayLike,
    ) -> Self:
        """From its parts; a node's children come after it."""
        ways = np.array([left, right], dtype=np.int64)
        deep = np.zeros(ways.shape[1], dtype=np.int64)
        for node, (one, other) in enumerate(ways.T.tolist()):
            if one != node:
                deep[one] = deep[other] = deep[node] + 1
        return cls(
            baseline=baseline,
            roots=np.asarray(roots, dtype=np.int64),
            columns=np.asarray(columns, dtype=np.int64),
            thresholds=np.asarray(thresholds, dtype=np.float64),
            left=ways[0],
            right=ways[1],
            log_odds_of=np.asarray(log_odds_of, dtype=np.float64),
            depth=int(deep.max()),
        )

    def log_odds(self, matrix: Floats) -> Floats:
        found: Floats = self._after(matrix, (len(self.roots),))[0]
        return found

    def _after(self, matrix: Floats, counts: tuple[int, ...]) -> Floats:
        """(counts, n): the log-odds by the first so many trees."""
        found = np.empty((len(counts), len(matrix)))
        for start in range(0, len(matrix), _TOGETHER):
            part = matrix[start : start + _TOGETHER]
            flat, offset = part.ravel(), (np.arange(len(part)) * part.shape[1])[:, None]
            node = np.broadcast_to(self.roots, (len(part), len(self.roots)))
            for _ in range(self.depth):
                goes_left = flat[offset + self.columns[node]] <= self.thresholds[node]
                node = np.where(goes_left, self.left[node], self.right[node])
            added = self.log_odds_of[node].cumsum(axis=1)
            for place, count in enumerate(counts):
                found[place, start : start + len(part)] = self.baseline + added[:, count - 1]
        return found
