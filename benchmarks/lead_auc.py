"""How well lead scores rank leads that weren't learnt from, on two real tables, imported and trained on as a user does it: beside two plain
scikit-learn pipelines in the same five folds. The data are not ours to ship; without them nothing is measured."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psycopg
from psycopg.rows import TupleRow
from rich.table import Table
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.measuring import Ground, console
from flywheel_dagster.database import statement
from flywheel_dagster.leads.columns import columns_of
from flywheel_dagster.leads.delong import paired
from flywheel_dagster.leads.importing import Imported, import_leads
from flywheel_dagster.leads.learning.choosing import FOLDS
from flywheel_dagster.leads.learning.evaluation import evaluate
from flywheel_dagster.leads.learning.folds import random_splits
from flywheel_dagster.leads.learning.table import Floats, TrainingTable
from flywheel_dagster.leads.training import train
from flywheel_dagster.leads.versions import Version
from flywheel_dagster.one_thread import one_thread
from flywheel_dagster.settings import Settings

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
    """A real table: its file, and the columns that say who it is and whether it converted."""

    name: str
    file: str
    id: str | None
    label: str
    exclude: tuple[str, ...]
    identifiers: tuple[str, ...]
    """Our learning finds them by itself; the plain pipelines are told."""
    aim: float


SOURCES = (
    Source("X Education", "leads_x_education.csv", "Prospect ID", "Converted", AFTERWARDS, ("Lead Number",), 0.895),
    Source("Salvirt", "salvirt_b2b_opportunities.csv", None, "Status", (), (), 0.78),
)


class Measured(NamedTuple):
    """Of one table."""

    source: Source
    version: Version
    plain: dict[str, tuple[Mapping[str, float], float, float]]
    """By pipeline: its evaluation, and how much better our AUC is, with the standard error of that."""
    leaks: list[str]
    """The fields that the import of the whole table warns of."""
    seconds: float
    """Of the training."""


def measure(connection: psycopg.Connection[TupleRow], source: Source, folder: Path) -> Measured:
    """Import the table whole, for the warning, and without what it warns of; train, and let the plain pipelines learn from the same rows."""
    whole = import_table(connection, source, f"{source.name} whole", folder)
    assert import_table(connection, source, source.name, folder, without=source.exclude).rejected == 0
    begin = time.perf_counter()
    trained = train(connection, source.name)
    seconds = time.perf_counter() - begin
    assert trained.version is not None
    table = trained.told.table()
    scored = dict(
        connection.execute(
            "select lead_id, out_of_fold from lead_model_members where model_id = %s", (trained.version.id,)
        ).fetchall()
    )
    ours = np.array([scored[lead] for lead in table.lead_ids])
    frame = pd.DataFrame(list(table.features)).drop(columns=list(source.identifiers)).apply(_numbers)
    plain = {}
    for name, make in (("plain logistic", _logistic), ("plain boosted trees", _trees)):
        scores = _plain(table, frame, make)
        ahead = paired(table.converted, scores, ours)
        plain[name] = (asdict(evaluate(table.converted, scores)), ahead.value, ahead.standard_error)
    return Measured(source, trained.version, plain, [leak.field for leak in whole.leaks], seconds)


def import_table(
    connection: psycopg.Connection[TupleRow], source: Source, organization: str, folder: Path, *, without: tuple[str, ...] = ()
) -> Imported:
    connection.execute(statement("know_organization"), {"id": organization})
    connection.commit()
    return import_leads(
        connection,
        DATA / source.file,
        organization,
        lambda table: columns_of(table, id=source.id, label=source.label, time=None, mapped={}, without=without),
        settings=Settings(),
        rejects=folder / f"{organization}.rejects.csv",
    )


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
    """As they are, where all of them are; else words, and missing ones a word of their own."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column
    return column.map(str).where(column.notna(), "")


def _logistic() -> Pipeline:
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encoding = make_column_transformer((numbers, make_column_selector(dtype_include="number")), remainder=words)
    return make_pipeline(encoding, LogisticRegression(max_iter=2_000))


def _trees() -> Pipeline:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=200)
    encoding = make_column_transformer(("passthrough", make_column_selector(dtype_include="number")), remainder=words)
    return make_pipeline(encoding, HistGradientBoostingClassifier(random_state=0))


def show(place: Ground) -> None:
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
        with place.service() as connection:
            found = measure(connection, source, place.folder)
        metrics = found.version.metrics
        table.add_row(f"{source.name}: ours ({found.version.estimator}), aim {source.aim}", *_cells(metrics["out_of_fold"]), "")
        for name, each in metrics["by_estimator"].items():
            table.add_row(f"  {name}", *_cells(each), "")
        for name, (each, ahead, error) in found.plain.items():
            table.add_row(f"  {name}", *_cells(each), f"{ahead:+.4f} ± {error:.4f}")
        console.print(
            f"{source.name}: {found.version.rows} leads, {metrics['different']} different, learnt in {found.seconds:.1f} s; {metrics['why']}"
        )
        console.print(f"  warned of as filled in afterwards: {', '.join(found.leaks) or 'none'}")
    if table.rows:
        console.print(table)


def _cells(of: Mapping[str, float]) -> tuple[str, ...]:
    return f"{of['auc']:.4f}", f"{of['auc_error']:.4f}", f"{of['log_loss']:.4f}", f"{of['calibration_slope']:.2f}"
