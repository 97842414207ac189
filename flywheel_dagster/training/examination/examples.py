"""The examples of a dataset as an examination reads them: what was asked, and the message that people sent."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from flywheel_dagster.datasets.files import MANIFEST, SIDES
from flywheel_dagster.datasets.prompts import ASKED
from flywheel_dagster.datasets.published import PREFERENCE, Dataset
from flywheel_dagster.errors import InputError

ANY = ""  # stands for all channels together


class Example(NamedTuple):
    """The messages of a request, and the text that answered it; in a pair the one that won."""

    request: list[dict[str, str]]
    text: str

    @property
    def asks_for_success(self) -> bool:
        """Whether it is a request as senders make it; the others ask for messages that fail (FLYWHEEL_NEGATIVES)."""
        return self.request[-1]["content"].startswith(ASKED)


def read_examples(dataset: Dataset, name: str) -> Iterator[Example]:
    """The examples of one of its files, in order; memory holds one."""
    with (dataset.directory / name).open("rb") as file:
        for line in file:
            yield parsed(orjson.loads(line), preference=dataset.kind == PREFERENCE)


class Member(NamedTuple):
    """An outcome of a dataset, and the example that it is: in a pair the outcome that won."""

    outcome_id: UUID
    example: Example


def read_members(dataset: Dataset, side: str) -> Iterator[Member]:
    """The members of a side, in the order of its file, by the manifest beside it; a repeated line is one. Memory holds one.

    The manifest and not `dataset_members`, which knows the outcomes that the same lines came from before, too. Raises InputError for a
    manifest that is gone or of other lines.
    """
    examples, read = read_examples(dataset, SIDES[side]), 0
    try:
        with (dataset.directory / MANIFEST).open("rb") as manifest:
            for row in map(orjson.loads, manifest):
                if row["side"] != side or row["part"] == "rejected":
                    continue
                same = list(islice(examples, row["copies"]))
                if row["line"] != read + 1 or len(same) != row["copies"]:
                    raise ValueError(f"it tells of a line {row['line']}, which isn't there")
                read += len(same)
                yield Member(UUID(row["outcome_id"]), same[0])
        if next(examples, None) is not None:
            raise ValueError(f"it ends at line {read}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{dataset.directory / MANIFEST} does not tell whose lines {SIDES[side]} has ({error}); delete the folder and materialize "
            "training_jsonl again"
        ) from error


def parsed(line: dict[str, Any], *, preference: bool = False) -> Example:
    """A line's example."""
    if preference:
        return Example(line["input"]["messages"], line["preferred_output"][0]["content"])
    return Example(line["messages"][:-1], line["messages"][-1]["content"])


def fields_of(request: Sequence[dict[str, str]]) -> dict[str, str]:
    """What is told of the lead and the message asked for, by the titles of `prompts.py`: {"Industry": "SaaS", "Channel": "email"}."""
    lines = request[-1]["content"].splitlines()[1:]
    return {title: value for title, found, value in (line.partition(": ") for line in lines) if found}


def channel_of(request: Sequence[dict[str, str]]) -> str:
    """The channel that the message is for; ANY where none is told."""
    return fields_of(request).get("Channel", ANY)
