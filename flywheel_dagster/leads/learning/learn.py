"""Learns a model from a table, and says how good it is on rows that it didn't see."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from flywheel_dagster.leads.learning.choosing import FOLDS, Chosen, Rows, fit
from flywheel_dagster.leads.learning.codes import Note
from flywheel_dagster.leads.learning.evaluation import Evaluation, evaluate
from flywheel_dagster.leads.learning.folds import forward_splits, random_splits
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster.leads.learning.table import Bools, Floats, Places, TrainingTable

REVISION = 1
"""Of this package: another one may learn another model from the same table."""
_MOST_NESTED = 20


@dataclass(frozen=True)
class Options:
    """What a person may choose."""

    exclude: tuple[str, ...] = ()
    """Fields that aren't learnt from."""


@dataclass(frozen=True)
class Report:
    """What was learnt from, what was chosen, and how good it is; `asdict` makes it JSON."""

    rows: int
    converted: int
    different: int
    """Rows, counting exact repeats once."""
    estimator: str
    why: str
    settings: dict[str, float]
    """Of each estimator that was tried: the logistic prior's variance, the number of trees."""
    out_of_fold: Evaluation
    """Of what was chosen in each fold."""
    by_estimator: dict[str, Evaluation]
    """Out of fold."""
    forward: Evaluation | None
    """Of rows told later than those learnt from; None without times or with too few rows."""
    forward_auc: tuple[float, ...]
    """Of three such tests, each with a longer past."""
    notes: tuple[Note, ...]

    @property
    def base_rate(self) -> float:
        """The share that converted."""
        return self.converted / self.rows

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "base_rate": self.base_rate}


class Learnt(NamedTuple):
    """The model of all rows, and the scores of each row by a model that didn't see it."""

    model: LeadModel
    out_of_fold: Floats
    """(n): calibrated probabilities, in the table's order, from models that saw neither the row nor its group."""
    estimator: str
    report: Report


def learn(table: TrainingTable, *, options: Options | None = None) -> Learnt:
    """The same table gives the same model, in whatever order its rows come. Each of five folds repeats everything that is done to all rows:
    encoding, choice of setting and estimator, calibration.

    Raises InputError where there are fewer than 20 leads, or fewer than 5 different ones of either outcome.
    """
    given = options or Options()
    table.demand_enough()
    order = table.in_order()
    rows = Rows.of(table.taken(order), exclude=given.exclude)
    whole = fit(rows)
    said, by_estimator = _out_of_fold(rows, list(whole.candidates))
    forward, forward_auc = _forward(rows)
    out_of_fold = np.empty(len(rows))
    out_of_fold[order] = expit(said)
    report = Report(
        rows=len(rows),
        converted=int(rows.converted.sum()),
        different=len(set(rows.groups)),
        estimator=whole.estimator,
        why=whole.why,
        settings={name: each.setting for name, each in whole.candidates.items()},
        out_of_fold=evaluate(rows.converted, said),
        by_estimator={name: evaluate(rows.converted, each) for name, each in by_estimator.items()},
        forward=forward,
        forward_auc=forward_auc,
        notes=(*whole.notes, *_nested(table.features, given.exclude)),
    )
    return Learnt(whole.model, out_of_fold, whole.estimator, report)


def _out_of_fold(rows: Rows, estimators: Sequence[str]) -> tuple[Floats, dict[str, Floats]]:
    """(n) log-odds by what was chosen, and by each estimator that was tried in every fold."""
    said = np.empty(len(rows))
    by_estimator = {name: np.full(len(rows), np.nan) for name in estimators}
    for split in random_splits(rows.converted, rows.groups, folds=FOLDS):
        found = fit(rows.taken(split.known))
        for name in by_estimator.keys() & found.candidates.keys():
            by_estimator[name][split.tested] = _said(found, name, rows, split.tested)
        said[split.tested] = _said(found, found.estimator, rows, split.tested)
    return said, {name: each for name, each in by_estimator.items() if not np.isnan(each).any()}


def _forward(rows: Rows) -> tuple[Evaluation | None, tuple[float, ...]]:
    said: list[Floats] = []
    outcomes: list[Bools] = []
    for split in forward_splits(rows.converted, rows.groups, rows.told_at):
        found = fit(rows.taken(split.known))
        said.append(_said(found, found.estimator, rows, split.tested))
        outcomes.append(rows.converted[split.tested])
    if not said:
        return None, ()
    parts = tuple(evaluate(outcome, log_odds).auc for outcome, log_odds in zip(outcomes, said, strict=True))
    return evaluate(np.concatenate(outcomes), np.concatenate(said)), parts


def _said(found: Chosen, estimator: str, rows: Rows, tested: Places) -> Floats:
    model = found.candidates[estimator].model
    return model.log_odds(rows.values.taken(tested.tolist()).of(model.fields))


def _nested(features: Sequence[Mapping[str, object]], exclude: Sequence[str]) -> list[Note]:
    """Fields with lists or objects in them, the first so many by name."""
    found = {name for row in features for name, value in row.items() if isinstance(value, list | tuple | dict)} - set(exclude)
    return [Note(name, "holds lists or objects, which tell nothing") for name in sorted(found)[:_MOST_NESTED]]
