"""A model as bytes and back: one JSON document of names and numbers, so that reading it can run nothing. Who stores it keeps its hash."""

from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.learning.calibration import Line
from flywheel_dagster.leads.learning.codes import FieldCode
from flywheel_dagster.leads.learning.encoding import Encoder
from flywheel_dagster.leads.learning.logistic import Logistic
from flywheel_dagster.leads.learning.model import LeadModel
from flywheel_dagster.leads.learning.trees import Trees

FORMAT: Literal[1] = 1
MOST_BYTES = 16 * 2**20


class _Logistic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="logistic", tag_field="name"):
    intercept: float
    weights: list[float]


class _Trees(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trees", tag_field="name"):
    baseline: float
    roots: list[int]
    columns: list[int]
    thresholds: list[float]
    left: list[int]
    right: list[int]
    log_odds_of: list[float]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    fields: tuple[FieldCode, ...]
    line: tuple[float, float]
    estimator: _Logistic | _Trees


def dump(model: LeadModel) -> bytes:
    """The same model gives the same bytes."""
    estimator = model.estimator
    stored: _Logistic | _Trees
    if isinstance(estimator, Logistic):
        stored = _Logistic(estimator.intercept, estimator.weights.tolist())
    elif isinstance(estimator, Trees):
        arrays = (estimator.columns, estimator.thresholds, estimator.left, estimator.right, estimator.log_odds_of)
        stored = _Trees(estimator.baseline, estimator.roots.tolist(), *(each.tolist() for each in arrays))
    else:
        raise TypeError(f"no format for a {type(estimator).__name__}")
    return msgspec.json.encode(_Stored(FORMAT, model.encoder.codes, (model.line.intercept, model.line.slope), stored))


def load(data: bytes) -> LeadModel:
    """Raises InputError for anything but what `dump` may have written."""
    if len(data) > MOST_BYTES:
        raise InputError(f"a lead model has at most {MOST_BYTES} bytes, not {len(data)}")
    try:
        stored = msgspec.json.decode(data, type=_Stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is no lead model of format {FORMAT}: {error}; train again") from error
    for code in stored.fields:
        _demand(_is_sound(code), f"field {code.name!r}")
    _demand(len({code.name for code in stored.fields}) == len(stored.fields), "its fields")
    _demand(bool(np.isfinite(stored.line).all()) and stored.line[1] > 0, "its calibration")
    encoder = Encoder(stored.fields)
    found = _logistic(stored.estimator, encoder) if isinstance(stored.estimator, _Logistic) else _trees(stored.estimator, encoder)
    return LeadModel(encoder, found, Line(*stored.line))


def _logistic(stored: _Logistic, encoder: Encoder) -> Logistic:
    found = Logistic(stored.intercept, np.array(stored.weights, dtype=np.float64), encoder.ranks)
    _demand(bool(np.isfinite([stored.intercept, *stored.weights]).all()), "a weight")
    _demand(len(found.weights) == found.width(len(encoder.owners)), "the number of weights")
    return found


def _trees(stored: _Trees, encoder: Encoder) -> Trees:
    nodes = len(stored.columns)
    lengths = {len(each) for each in (stored.thresholds, stored.left, stored.right, stored.log_odds_of)}
    _demand(lengths == {nodes} and nodes > 0 and 0 < len(stored.roots) <= nodes, "the number of nodes")
    _demand(all(0 <= root < nodes for root in stored.roots), "a root")
    _demand(all(0 <= column < max(len(encoder.owners), 1) for column in stored.columns), "a column")
    for node, (left, right) in enumerate(zip(stored.left, stored.right, strict=True)):
        _demand(left == right == node or node < min(left, right) <= max(left, right) < nodes, "the way down a tree")
    _demand(bool(np.isfinite([stored.baseline, *stored.thresholds, *stored.log_odds_of]).all()), "a number")
    return Trees.kept(
        baseline=stored.baseline,
        roots=stored.roots,
        columns=stored.columns,
        thresholds=stored.thresholds,
        left=stored.left,
        right=stored.right,
        log_odds_of=stored.log_odds_of,
    )


def _is_sound(code: FieldCode) -> bool:
    numbers = [*code.knots, *code.ranks, *([code.usual] if isinstance(code.usual, float) else [])]
    return (
        len(code.knots) == len(code.ranks) != 1
        and bool(np.isfinite(numbers).all())
        and all(one < other for one, other in pairwise(code.knots))
        and len(set(code.words)) == len(code.words)
        and "" not in code.words
    )


def _demand(sound: bool, what: str) -> None:
    if not sound:
        raise InputError(f"this lead model was damaged or made by hand: {what} can't be; train again")
