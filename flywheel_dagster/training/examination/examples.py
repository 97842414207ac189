"""The examples of a dataset as an examination reads them: what was asked, and the message that people sent."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from flywheel_dagster.datasets.prompts import ASKED
from flywheel_dagster.datasets.published import PREFERENCE, Dataset

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
