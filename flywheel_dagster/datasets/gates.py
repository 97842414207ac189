"""What a dataset must be before money is spent on it. Checks in the UI and the trainer's own look ask the same questions here."""

from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.assemble import MANIFEST, TRAIN, VALIDATION, Dataset
from flywheel_dagster.datasets.chat_format import problems
from flywheel_dagster.errors import InputError


@dataclass(frozen=True)
class Verdict:
    """Whether a gate is passed, what to do if not, and the numbers behind it."""

    passed: bool
    description: str
    numbers: dict[str, Any]


def enough_examples(dataset: Dataset, minimum: int) -> Verdict:
    """At least `minimum` examples on both sides together, and ten to train on, which is the provider's own minimum."""
    passed = dataset.examples >= minimum and dataset.train_examples >= 10
    remedy = "" if passed else f"; wait for more outcomes, or lower FLYWHEEL_MIN_QUALITY or FLYWHEEL_MIN_EXAMPLES (now {minimum})"
    return Verdict(
        passed,
        f"{dataset.examples} examples, {dataset.train_examples} of them to train on; {minimum} are needed{remedy}",
        {"examples": dataset.examples, "train_examples": dataset.train_examples, "needed": minimum},
    )


def valid_chat_format(dataset: Dataset) -> Verdict:
    """Every line follows the provider's rules."""
    found = [
        f"{name} line {problem.line}: {problem.reason}"
        for name in (TRAIN, VALIDATION)
        for problem in problems(dataset.directory / name)
    ]
    if found:
        return Verdict(
            False,
            f"{found[0]}; mend the message in outcome_labels, then materialize its week and this dataset again",
            {"problems": len(found), "sample": found[:5]},
        )
    return Verdict(True, f"all {dataset.examples} lines follow the chat format", {"problems": 0})


def no_lead_on_both_sides(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> Verdict:
    """No lead has examples to train on and examples to validate with."""
    found = connection.execute(statement("leads_on_both_sides"), {"hash": dataset.hash}).fetchone()
    assert found is not None
    leads, examples = found
    remedy = "" if leads == 0 else "; materialize the affected weeks again: their split points differ"
    return Verdict(
        leads == 0, f"{leads} leads stand on both sides{remedy}", {"leads_on_both_sides": leads, "examples_concerned": examples}
    )


def no_outcome_twice(dataset: Dataset) -> Verdict:
    """The manifest names as many different outcomes as the files have lines."""
    seen: set[str] = set()
    lines = 0
    with (dataset.directory / MANIFEST).open("rb") as manifest:
        for line in manifest:
            seen.add(orjson.loads(line)["outcome_id"])
            lines += 1
    written = sum(_lines(dataset, name) for name in (TRAIN, VALIDATION))
    passed = len(seen) == lines == written
    remedy = "" if passed else f"; delete {dataset.directory} and materialize training_jsonl again"
    return Verdict(passed, f"{written} lines, {len(seen)} different outcomes{remedy}", {"lines": written, "outcomes": len(seen)})


def require_trainable(dataset: Dataset | None, scope: str, minimum: int) -> Dataset:
    """The dataset, if it may be trained on. Raises InputError otherwise: a blocking check holds only inside its own run."""
    if dataset is None:
        raise InputError(f"scope {scope!r} has no dataset; materialize training_jsonl for it first")
    for verdict in (enough_examples(dataset, minimum), valid_chat_format(dataset), no_outcome_twice(dataset)):
        if not verdict.passed:
            raise InputError(f"dataset {dataset.hash[:12]} can't be trained on: {verdict.description}")
    return dataset


def _lines(dataset: Dataset, name: str) -> int:
    with (dataset.directory / name).open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
