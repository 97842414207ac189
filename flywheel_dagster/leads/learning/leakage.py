"""Warns of fields that may have been filled in after the outcome was known, or because of it. A warning only: a person knows how a field came
about, and leaves it out where the warning is right.

None of the signs is proof. What leaks is known by two of its properties: it tells the outcome too well for anything that is known beforehand,
or it exists only for leads that somebody has already dealt with (Kaufman et al., Leakage in data mining, ACM TKDD 6 (2012)).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flywheel_dagster.leads.delong import Estimate, estimate
from flywheel_dagster.leads.learning.choosing import FOLDS, Rows
from flywheel_dagster.leads.learning.folds import random_splits
from flywheel_dagster.leads.learning.table import LEAST_EACH, Bools, Floats, Places, TrainingTable
from flywheel_dagster.leads.learning.values import NUMBER

TOO_WELL = 0.9
"""AUC of one field alone. Whole models of what is known beforehand seldom reach it."""
WELL = 0.7
"""AUC of one field alone that needs a second sign."""
UNANSWERED = 0.3
"""Share of leads without a value from which it matters who has one."""
PURE, LEAST_SHARE, LEAST_PURE = 0.98, 0.25, 30
"""A value whose leads all but always end the same way, that covers as large a share of all leads that end so, and so many rows."""

_CHANCE = 0.05
_BINS = 20
_PRIOR_ROWS = 5.0
_NOBODY_ANSWERED = frozenset(
    {"-", "--", "---", "?", "(blank)", "(none)", "blank", "n/a", "na", "none", "null", "unknown", "unspecified"}
    | {"choose", "choose...", "please choose", "select", "select...", "please select"}
    | {"not available", "not given", "not provided", "not specified"}
)
"""What forms and tables hold where nobody answered."""
_SAYS_SO = re.compile(
    r"\b(clos(e|ed|ing)|won|win|lost|loss|outcome|result|status|stage|disposition|convert(ed)?|conversion|contract|invoice|churn(ed)?|reason)\b"
)


class Leak(NamedTuple):
    """A field to ask about."""

    field: str
    why: str
    auc: float
    """Of the field alone, out of fold."""


class _Field(NamedTuple):
    name: str
    classes: Places
    """(n): the number of each row's word or bin; 0 where nobody answered."""
    answered: Bools
    rates: Floats
    """(n): how often the other folds' rows of the same class converted."""


def leaking_fields(table: TrainingTable, *, exclude: Sequence[str] = ()) -> list[Leak]:
    """By name. Raises InputError for a table that is too small to learn from."""
    table.demand_enough()
    rows = Rows.of(table.taken(table.in_order()), exclude=exclude)
    fold = np.empty(len(rows), dtype=np.intp)
    for part, split in enumerate(random_splits(rows.converted, rows.groups, folds=FOLDS)):
        fold[split.tested] = part
    fields = [
        _read(name, numbers, words, rows.converted, fold)
        for name, numbers, words in zip(rows.values.names, rows.values.numbers, rows.values.words, strict=True)
    ]
    found = {
        field.name: Leak(field.name, why, _alone(field, rows.converted).value)
        for field in fields
        if (why := _why(field, rows.converted))
    }
    suspects = {field.answered.tobytes(): field.name for field in fields if field.name in found and _is_partial(field)}
    for field in fields:
        other = suspects.get(field.answered.tobytes())
        if field.name not in found and other and _is_partial(field):
            why = f"has a value for exactly the leads that have {other}, so whatever fills in that fills in this"
            found[field.name] = Leak(field.name, why, _alone(field, rows.converted).value)
    return [found[name] for name in sorted(found)]


def _why(field: _Field, converted: Bools) -> str | None:
    alone = _alone(field, converted)
    if alone.lower(_CHANCE) >= TOO_WELL:
        return f"predicts too well by itself: AUC {alone.value:.2f}"
    if _is_partial(field):
        where_given = _where_given(field, converted)
        if where_given and where_given.lower(_CHANCE) >= WELL:
            return (
                f"has a value for {field.answered.mean():.0%} of the leads only, and tells their outcome (AUC {where_given.value:.2f} among them): "
                "perhaps it is filled in while a lead is worked on"
            )
    if pure := _pure(field, converted):
        return pure
    if _SAYS_SO.search(re.sub(r"[^a-z]+", " ", field.name.casefold())) and alone.lower(_CHANCE) >= WELL:
        return f"its name speaks of how leads end, and it tells the outcome: AUC {alone.value:.2f}"
    return None


def _pure(field: _Field, converted: Bools) -> str | None:
    """One value, or having one at all, that all but settles the outcome of many leads. An outcome that most leads have anyway settles nothing."""
    values = [(field.classes == each, "one of its values") for each in np.unique(field.classes[field.answered])]
    for rows, what in [*values, (field.answered, "a value")]:
        for outcome, word in ((converted, "converted"), (~converted, "were lost")):
            if outcome.mean() > 1 - LEAST_SHARE or rows.sum() < LEAST_PURE or rows[outcome].mean() < LEAST_SHARE:
                continue
            if outcome[rows].mean() >= PURE:
                return f"{outcome[rows].mean():.1%} of the {rows.sum()} leads with {what} {word}"
    return None


def _alone(field: _Field, converted: Bools) -> Estimate:
    return estimate(converted, field.rates)


def _where_given(field: _Field, converted: Bools) -> Estimate | None:
    outcome = converted[field.answered]
    if min(outcome.sum(), (~outcome).sum()) < LEAST_EACH:
        return None
    return estimate(outcome, field.rates[field.answered])


def _is_partial(field: _Field) -> bool:
    return bool(UNANSWERED <= 1 - field.answered.mean() < 1)


def _read(name: str, numbers: Floats, words: list[str | None], converted: Bools, fold: Places) -> _Field:
    known: dict[str, int] = {}
    for word in words:
        if word and word not in _NOBODY_ANSWERED:
            known.setdefault(word, len(known) + 1)
    classes = np.array([known.get(word or "", 0) for word in words], dtype=np.intp)
    given = np.array([word == NUMBER for word in words])
    if given.any():
        distinct, place = np.unique(numbers[given], return_inverse=True)
        if len(distinct) > _BINS:
            edges = np.unique(np.quantile(numbers[given], np.arange(1, _BINS) / _BINS))
            place = np.searchsorted(edges, numbers[given], side="right")
        classes[given] = len(known) + 1 + place
    return _Field(name, classes, classes > 0, _rates(classes, converted, fold))


def _rates(classes: Places, converted: Bools, fold: Places) -> Floats:
    """Shrunk to the base rate by a few rows' weight."""
    found, most = np.empty(len(classes)), int(classes.max()) + 1
    for part in range(FOLDS):
        here, there = fold == part, fold != part
        rows = np.bincount(classes[there], minlength=most)
        ones = np.bincount(classes[there], converted[there], minlength=most)
        found[here] = ((ones + _PRIOR_ROWS * converted[there].mean()) / (rows + _PRIOR_ROWS))[classes[here]]
    return found
