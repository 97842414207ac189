"""Leads to try the gate on: a simulated world whose odds are logistic, and the real leads of ../shared/data where they are, without what staff fill in
afterwards. A model here is a ridge regression of fixed strength, which is fast; the product's own learner is tried in `lead_gate.py`."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flywheel_dagster.leads.learning.choosing import Rows
from flywheel_dagster.leads.learning.codes import find_codes
from flywheel_dagster.leads.learning.encoding import Encoder
from flywheel_dagster.leads.learning.table import TrainingTable

DATA = Path(__file__).parents[2] / "shared" / "data" / "leads_x_education.csv"
STAFF = (
    "Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)  # fmt: skip
_ROWS, _FIELDS = 30_000, 8
_STRENGTH, _STEPS = 1.0, 12


@dataclass(frozen=True)
class World:
    """All leads there are: an encoded matrix (n, P) and outcomes (n). `few` are the columns that a poorer model has."""

    name: str
    matrix: np.ndarray
    converted: np.ndarray
    few: np.ndarray
    training: int
    """Rows that a model learns from."""


def simulated(rows: int = _ROWS) -> World:
    """Eight numbers, half of which matter a lot; a third of the leads converts, and the best AUC there can be is 0.82."""
    random = np.random.default_rng(11)
    matrix = random.normal(size=(rows, _FIELDS))
    weights = np.array([0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.0, 0.0])
    converted = random.random(rows) < 1 / (1 + np.exp(-(matrix @ weights - 0.9)))
    return World("simulated", matrix, converted, np.arange(_FIELDS) % 2 == 1, 200)


def real() -> World | None:
    """The leads of X Education; None where they aren't. Encoded without a look at outcomes."""
    if not DATA.is_file():
        return None
    with DATA.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    left_out = {*STAFF, "Converted", "Prospect ID", "Lead Number"}
    features: list[dict[str, Any]] = [
        {name: _number(text) for name, text in line.items() if text and name not in left_out} for line in lines
    ]
    names = [str(number) for number in range(len(lines))]
    table = TrainingTable(features, np.array([line["Converted"] == "1" for line in lines]), names, None, names)
    values = Rows.of(table).values
    codes, _ = find_codes(values)
    encoder = Encoder(codes)
    matrix = encoder.encode(values.of(encoder.names))
    few = np.isin(encoder.owners, [place for place in range(len(codes)) if place % 2])
    return World("X Education", matrix, table.converted, few, 500)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def learnt(matrix: np.ndarray, converted: np.ndarray) -> np.ndarray:
    """Weights (P + 1) of a ridge regression, the last one the intercept, by Newton's method."""
    design = np.column_stack([matrix, np.ones(len(matrix))])
    ridge = np.full(design.shape[1], _STRENGTH)
    ridge[-1] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        rate = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (rate - converted) + ridge * weights
        step = np.linalg.solve(design.T @ (design * (rate * (1 - rate))[:, None]) + np.diag(ridge), slope)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def scores(weights: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(n), 0…1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(matrix @ weights[:-1] + weights[-1], -30, 30))))
