"""How well lead scores rank leads that weren't learnt from, on two real tables: our learning beside two plain scikit-learn pipelines, in the same
five folds. The data are not ours to ship; without them nothing is measured."""

import hashlib
import json
import time
from collections.abc import Callable
from csv import DictReader
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.table import Table
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.measuring import console
from flywheel_dagster.leads.delong import paired
from flywheel_dagster.leads.learning.choosing import FOLDS
from flywheel_dagster.leads.learning.evaluation import Evaluation, evaluate
from flywheel_dagster.leads.learning.folds import random_splits
from flywheel_dagster.leads.learning.leakage import Leak, leaking_fields
from flywheel_dagster.leads.learning.learn import Learnt, Options, learn
from flywheel_dagster.leads.learning.table import Floats, TrainingTable
from flywheel_dagster.one_thread import one_thread

DATA = Path(__file__).parents[2] / "shared" / "data"
AFTERWARDS = (
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)
"""What the school's staff fills in after it has dealt with a lead."""


class Source(NamedTuple):
    """A real table: its file, and what a converted lead's label is."""

    name: str
    file: str
    delimiter: str
    label: str
    converted: str
    exclude: tuple[str, ...]
    identifiers: tuple[str, ...]
    """Our learning finds them by itself; the plain pipelines are told."""
    aim: float


SOURCES = (
    Source("X Education", "leads_x_education.csv", ",", "Converted", "1", AFTERWARDS, ("Prospect ID", "Lead Number"), 0.895),
    Source("Salvirt", "salvirt_b2b_opportunities.csv", ";", "Status", "Won", (), (), 0.78),
)


class Measured(NamedTuple):
    """Of one table."""

    source: Source
    learnt: Learnt
    plain: dict[str, tuple[Evaluation, float, float]]
    """By pipeline: its evaluation, and how much better our AUC is, with the standard error of that."""
    leaks: list[Leak]
    seconds: float


def read(source: Source) -> TrainingTable:
    """Every column but the label; rows that are alike are one group."""
    with (DATA / source.file).open(encoding="utf-8-sig", newline="") as file:
        rows = list(DictReader(file, delimiter=source.delimiter))
    converted = np.array([row.pop(source.label) == source.converted for row in rows])
    groups = [hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest() for row in rows]
    return TrainingTable(rows, converted, groups, None, [f"{row:06}" for row in range(len(rows))])


def measure(source: Source) -> Measured:
    table = read(source)
    leaks = leaking_fields(table)
    begin = time.perf_counter()
    learnt = learn(table, options=Options(exclude=source.exclude))
    seconds = time.perf_counter() - begin
    frame = pd.DataFrame(list(table.features)).drop(columns=[*source.exclude, *source.identifiers]).replace("", np.nan)
    frame = frame.apply(_numbers)
    plain = {}
    for name, make in (("plain logistic", _logistic), ("plain boosted trees", _trees)):
        scores = _plain(table, frame, make)
        ahead = paired(table.converted, scores, learnt.out_of_fold)
        plain[name] = (evaluate(table.converted, scores), ahead.value, ahead.standard_error)
    return Measured(source, learnt, plain, leaks, seconds)


def _plain(table: TrainingTable, frame: pd.DataFrame, make: Callable[[], Pipeline]) -> Floats:
    """(n) log-odds out of fold."""
    order = table.in_order()
    frame, converted = frame.iloc[order], table.converted[order]
    said = np.empty(len(order))
    with one_thread():
        for split in random_splits(converted, [table.groups[row] for row in order.tolist()], folds=FOLDS):
            model = make().fit(frame.iloc[split.known], converted[split.known])
            said[split.tested] = model.decision_function(frame.iloc[split.tested])
    found = np.empty(len(order))
    found[order] = said
    return found


def _numbers(column: "pd.Series[str]") -> "pd.Series[float] | pd.Series[str]":
    try:
        return pd.to_numeric(column)
    except ValueError:
        return column.fillna("")


def _logistic() -> Pipeline:
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encoding = make_column_transformer((numbers, make_column_selector(dtype_include="number")), remainder=words)
    return make_pipeline(encoding, LogisticRegression(max_iter=2_000))


def _trees() -> Pipeline:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=200)
    encoding = make_column_transformer(("passthrough", make_column_selector(dtype_include="number")), remainder=words)
    return make_pipeline(encoding, HistGradientBoostingClassifier(random_state=0))


def show() -> None:
    """One table; says what is left out."""
    table = Table(
        "",
        "AUC",
        "± standard error",
        "log loss",
        "calibration slope",
        "ours is ahead by",
        title="lead-auc: leads that weren't learnt from, five folds, repeats together",
        title_justify="left",
    )
    for source in SOURCES:
        if not (DATA / source.file).is_file():
            console.print(f"lead-auc: {source.name} left out, for {source.file} is not in {DATA}")
            continue
        found = measure(source)
        report = found.learnt.report
        table.add_row(f"{source.name}: ours ({report.estimator}), aim {source.aim}", *_cells(report.out_of_fold), "")
        for name, each in report.by_estimator.items():
            table.add_row(f"  {name}", *_cells(each), "")
        for name, (each, ahead, error) in found.plain.items():
            table.add_row(f"  {name}", *_cells(each), f"{ahead:+.4f} ± {error:.4f}")
        console.print(
            f"{source.name}: {report.rows} leads, {report.different} different, learnt in {found.seconds:.1f} s; {report.why}"
        )
        console.print(f"  warned of as filled in afterwards: {', '.join(leak.field for leak in found.leaks) or 'none'}")
    if table.rows:
        console.print(table)


def _cells(of: Evaluation) -> tuple[str, ...]:
    return f"{of.auc:.4f}", f"{of.auc_error:.4f}", f"{of.log_loss:.4f}", f"{of.calibration_slope:.2f}"


if __name__ == "__main__":
    show()
