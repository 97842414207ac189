"""What a dataset must be before money is spent on it. Checks in the UI and the trainer's own look ask the same questions here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.chat_format import problems
from flywheel_dagster.datasets.dpo_format import dpo_problems
from flywheel_dagster.datasets.files import MANIFEST, SIDES, verify
from flywheel_dagster.datasets.kto_format import kto_problems
from flywheel_dagster.datasets.privacy.left_over import has_address
from flywheel_dagster.datasets.published import CHAT, Dataset
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
    found = [f"{name} {problem}" for name in SIDES.values() for problem in problems(dataset.directory / name)]
    if found:
        return Verdict(
            False,
            f"{found[0]}; mend the message in outcome_labels, then materialize its week and this dataset again",
            {"problems": len(found), "sample": found[:5]},
        )
    return Verdict(True, f"all {dataset.examples} lines follow the chat format", {"problems": 0})


def no_lead_on_both_sides(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> Verdict:
    """No lead has examples on two sides of the split."""
    leads, examples = _pair(connection, "leads_on_both_sides", dataset)
    remedy = "" if leads == 0 else "; materialize the affected weeks again: their split points differ"
    return Verdict(
        leads == 0, f"{leads} leads stand on both sides{remedy}", {"leads_on_both_sides": leads, "examples_concerned": examples}
    )


def no_group_on_both_sides(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> Verdict:
    """No group of near-duplicates has examples on two sides of the split."""
    groups, examples = _pair(connection, "groups_on_both_sides", dataset)
    remedy = "" if groups == 0 else f"; delete {dataset.directory} and materialize training_jsonl again"
    return Verdict(
        groups == 0,
        f"{groups} groups of near-duplicates stand on both sides{remedy}",
        {"groups_on_both_sides": groups, "examples_concerned": examples},
    )


def manifest_names_every_line(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> Verdict:
    """The manifest names members of the dataset, each once, and the files have the lines that it declares. Compared in the database: memory is flat."""
    declared = dict.fromkeys(SIDES, 0)
    connection.execute(statement("create_manifest_read"))
    with (dataset.directory / MANIFEST).open("rb") as manifest, connection.cursor().copy(statement("copy_manifest_read")) as copy:
        for line in manifest:
            named = orjson.loads(line)
            declared[named["side"]] += named["copies"]
            copy.write_row((named["outcome_id"], named["side"]))
    found = connection.execute(statement("manifest_astray"), {"hash": dataset.hash}).fetchone()
    assert found is not None
    outcomes, astray = found
    written = {side: _lines(dataset, name) for side, name in SIDES.items()}
    passed = astray == 0 and declared == written
    remedy = "" if passed else f"; delete {dataset.directory} and materialize training_jsonl again"
    return Verdict(
        passed,
        f"{sum(written.values())} lines of {outcomes} outcomes, {astray} of them astray{remedy}",
        {"lines": sum(written.values()), "outcomes": outcomes, "astray": astray},
    )


def no_address_left(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> Verdict:
    """No line has an e-mail address, but for organisations that switched redaction off."""
    if dataset.scope != "global" and (off := redaction_is_off(connection, dataset)):
        return Verdict(True, f"redaction is off for the organizations of {off} examples", {"not_redacted": off})
    lines = [f"{name} line {number}" for name in SIDES.values() for number in _with_address(dataset, name)]
    remedy = f"{lines[0]} has an e-mail address; materialize the weeks of scored_training_rows again" if lines else ""
    return Verdict(not lines, remedy or "no line has an e-mail address", {"lines_with_address": len(lines), "sample": lines[:5]})


def redaction_is_off(connection: psycopg.Connection[TupleRow], dataset: Dataset) -> int:
    """How many members are of organisations whose messages are used as they are."""
    found = connection.execute(statement("members_without_redaction"), {"hash": dataset.hash}).fetchone()
    assert found is not None
    return int(found[0])


def valid_pairs(dataset: Dataset) -> Verdict:
    """Every line follows the formats of preference pairs."""
    found = [
        f"{kind}{name} {problem}"
        for name in SIDES.values()
        for kind, problems_of in (("", dpo_problems), ("kto_", kto_problems))
        for problem in problems_of(dataset.directory / f"{kind}{name}")
    ]
    remedy = f"{found[0]}; materialize the weeks of scored_training_rows and these pairs again" if found else ""
    return Verdict(
        not found, remedy or f"all {dataset.examples} pairs follow both formats", {"problems": len(found), "sample": found[:5]}
    )


def require_trainable(connection: psycopg.Connection[TupleRow], dataset: Dataset, minimum: int) -> None:
    """Raise InputError for a dataset that may not be trained on: a blocking check holds only inside its own run."""
    verify(dataset)
    chat = dataset.kind == CHAT
    for verdict in (
        enough_examples(dataset, minimum),
        valid_chat_format(dataset) if chat else valid_pairs(dataset),
        *([manifest_names_every_line(connection, dataset)] if chat else []),
        no_lead_on_both_sides(connection, dataset),
        no_group_on_both_sides(connection, dataset),
        no_address_left(connection, dataset),
    ):
        if not verdict.passed:
            raise InputError(f"dataset {dataset.hash[:12]} can't be trained on: {verdict.description}")


def _lines(dataset: Dataset, name: str) -> int:
    with (dataset.directory / name).open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _with_address(dataset: Dataset, name: str) -> Iterator[int]:
    with (dataset.directory / name).open("rb") as file:
        yield from (number for number, line in enumerate(file, 1) if has_address(line))


def _pair(connection: psycopg.Connection[TupleRow], query: str, dataset: Dataset) -> tuple[int, int]:
    found = connection.execute(statement(query), {"hash": dataset.hash}).fetchone()
    assert found is not None
    return found[0], found[1]
