"""`flywheel lineage`: which messages made a model, and which models a message made. Shows no personal data."""

import sys
from collections import Counter
from dataclasses import asdict
from itertools import groupby
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from flywheel_dagster.commands.connecting import service
from flywheel_dagster.models.lineage import ModelLineage, OutcomeLineage, lineage_of_model, lineage_of_outcome, members

app = typer.Typer(no_args_is_help=True, help="Which messages made a model, and which models a message made.")
_LABELS = {"positive_example": "positive", "neutral": "neutral", "negative_example": "negative"}
_PURPOSES = {"train": "train", "validation": "validate", "test": "test"}


@app.command("model")
def model(
    version: Annotated[str, typer.Argument(help="The version, such as v2.1.0.")],
    scope: Annotated[str, typer.Option(help="Whose model: global, or an organization's id.")] = "global",
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON object.")] = False,
    one_by_one: Annotated[bool, typer.Option("--members", help="A line of JSON for each message instead.")] = False,
) -> None:
    """Which messages made a model: how many of each week, side and label."""
    if as_json and one_by_one:
        raise typer.BadParameter("--json and --members exclude each other")
    with service() as connection:
        found = lineage_of_model(connection, version, scope)
        if one_by_one:
            sys.stdout.buffer.writelines(_line(member) for member in members(connection, found.dataset_hash))
            return
    if as_json:
        sys.stdout.buffer.write(_line(asdict(found)))
    else:
        _show_model(found)


@app.command("outcome")
def outcome(
    outcome_id: Annotated[str, typer.Argument(metavar="ID", help="The outcome's id, a UUID.")],
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON object.")] = False,
) -> None:
    """Which datasets a message stands in, and which models were made of them."""
    with service() as connection:
        found = lineage_of_outcome(connection, outcome_id)
    if as_json:
        sys.stdout.buffer.write(_line(asdict(found)))
    else:
        _show_outcome(found)


def _show_model(found: ModelLineage) -> None:
    print(f"model {found.model_version} of {found.scope}: {found.model_id}")
    print(f"{found.status}, trained by {found.trainer} from {found.base_model}, job {found.fine_tuning_job_id or 'unknown'}")
    if found.dataset_hash is None:
        print("its dataset is not known: it was registered from elsewhere")
        return
    erased = f"; its files were erased on {found.erased_at:%Y-%m-%d}" if found.erased_at else ""
    print(
        f"dataset {found.dataset_hash} ({found.kind}, examples {found.example_format}, formula {found.formula_version}, "
        f"code {found.code_version}){erased}"
    )
    table = Table("week", "side", *_LABELS.values(), "lines", "tokens")
    totals: Counter[str] = Counter()
    for (week, side), group in groupby(found.messages, key=lambda row: (row.week, row.side)):
        rows = list(group)
        of_label = {row.training_label: row.messages for row in rows}
        sums = [sum(row.lines for row in rows), sum(row.tokens for row in rows)]
        table.add_row(str(week), side, *(f"{of_label.get(label, 0):,}" for label in _LABELS), *(f"{number:,}" for number in sums))
        totals[side] += sum(of_label.values())
    print(", ".join(f"{count:,} messages to {_PURPOSES[side]}" for side, count in totals.items()) or "no messages")
    Console().print(table)


def _show_outcome(found: OutcomeLineage) -> None:
    if not found.datasets:
        print(f"outcome {found.outcome_id} stands in no dataset, so no model was made of it")
        return
    table = Table(
        "dataset", "kind", "scopes", "week", "side", "label", "score", "weight", "lines", title="datasets", title_justify="left"
    )
    for at in found.datasets:
        kind = at.kind if at.part == "example" else f"{at.kind}, {at.part}"
        name = at.dataset_hash[:12] + (" (erased)" if at.erased_at else "")
        table.add_row(
            name, kind, ", ".join(at.scopes), str(at.week), at.side, _LABELS.get(at.training_label, at.training_label),
            f"{at.quality_score:.3f}", f"{at.training_weight:g}", str(at.copies),
        )  # fmt: skip
    Console().print(table)
    if not found.models:
        print("no model was made of them")
        return
    table = Table("version", "scope", "status", "dataset", "side", "trainer", "job", title="models", title_justify="left")
    for made in found.models:
        table.add_row(
            made.model_version,
            made.scope,
            made.status,
            made.dataset_hash[:12],
            made.side,
            made.trainer,
            made.fine_tuning_job_id or "",
        )
    Console().print(table)
    print("a model learnt from the message where its side is train; elsewhere it was measured by it")


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE)
