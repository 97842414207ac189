"""The best messages of a dataset, as they are chosen, kept in a folder, and read again. Which of them fit a request is said in `segment.py`."""

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from heapq import nsmallest
from pathlib import Path

import msgspec

from flywheel_dagster.datasets.erased_files import TOMBSTONE
from flywheel_dagster.datasets.files import MANIFEST
from flywheel_dagster.durable import write_synced
from flywheel_dagster.errors import PermanentModelError
from flywheel_dagster.training.trainers.exemplars.segment import SegmentIndex, request_fields

FORMAT = 1
_LINES, _DESCRIPTION = "index.jsonl", "index.json"


class Exemplar(msgspec.Struct, frozen=True):
    """A message that earned something: what was asked for, what was written, and the manifest's facts about it."""

    outcome_id: str
    request: str
    message: str
    quality: float
    weight: float
    group: str


class Description(msgspec.Struct, frozen=True):
    """What a folder's index is: the training it came from (`key`), the chat model to ask, and with how many messages."""

    key: str
    base_model: str
    shots: int
    exemplars: int
    format: int = FORMAT


class Index:
    """Exemplars, the best first, and which model is to be asked with how many of them."""

    def __init__(self, exemplars: Sequence[Exemplar], *, base_model: str, shots: int) -> None:
        self.exemplars, self.base_model, self.shots = exemplars, base_model, shots

    def nearest(self, request: str, most: int) -> list[Exemplar]:
        """Up to so many exemplars of the segment nearest to the request's, the nearest first, better ones before worse; for a request that isn't
        in our words the best of all. Of a group of near-duplicates at most one."""
        found: dict[str, Exemplar] = {}
        for number in self._segments.ranked(request_fields(request)):
            exemplar = self.exemplars[number]
            found.setdefault(exemplar.group, exemplar)
            if len(found) == most:
                break
        return list(found.values())

    @cached_property
    def _segments(self) -> SegmentIndex:
        return SegmentIndex([request_fields(exemplar.request) for exemplar in self.exemplars])


class _Message(msgspec.Struct, frozen=True):
    content: str


class _Member(msgspec.Struct, frozen=True):
    """A line of the manifest."""

    side: str
    line: int
    outcome_id: str
    quality_score: float
    training_label: str
    training_weight: float
    group: str

    @property
    def rank(self) -> tuple[float, str]:
        return -self.quality_score * self.training_weight, self.outcome_id

    def exemplar(self, messages: tuple[_Message, _Message, _Message]) -> Exemplar:
        _, asked, answered = messages
        return Exemplar(self.outcome_id, asked.content, answered.content, self.quality_score, self.training_weight, self.group)


class _Line(msgspec.Struct, frozen=True):
    """A line of the training file: system, user, assistant."""

    messages: tuple[_Message, _Message, _Message]


def best_exemplars(examples: Path, *, most: int) -> list[Exemplar]:
    """The best positive examples of a dataset's training file, by the manifest beside it: by quality × weight, then by id. Memory is flat.

    Raises OSError for files that can't be read, ValueError for such that are no dataset's.
    """
    chosen = nsmallest(most, _positive(examples.parent / MANIFEST), key=lambda member: member.rank)
    wanted = {member.line for member in chosen}
    decoder = msgspec.json.Decoder(_Line)
    with examples.open("rb") as lines:
        found = {number: decoder.decode(line).messages for number, line in enumerate(lines, 1) if number in wanted}
    if missing := wanted - found.keys():
        raise ValueError(f"the manifest names line {min(missing)}, which isn't there")
    return [member.exemplar(found[member.line]) for member in chosen]


def _positive(manifest: Path) -> Iterator[_Member]:
    decoder = msgspec.json.Decoder(_Member)
    with manifest.open("rb") as lines:
        for line in lines:
            member = decoder.decode(line)
            if member.side == "train" and member.training_label == "positive_example":
                yield member


def write_index(folder: Path, description: Description, exemplars: Sequence[Exemplar]) -> None:
    """Write an index into a folder, and put it on disk."""
    encoder = msgspec.json.Encoder()
    write_synced(folder / _LINES, encoder.encode_lines(exemplars).decode())
    write_synced(folder / _DESCRIPTION, msgspec.json.format(encoder.encode(description).decode()) + "\n")


def description_of(folder: Path) -> Description | None:
    """What the folder's index is; None where there is none, or another release wrote it in another format."""
    try:
        description = msgspec.json.decode((folder / _DESCRIPTION).read_bytes(), type=Description)
    except (OSError, msgspec.DecodeError):
        return None
    return description if description.format == FORMAT else None


def load(folder: Path) -> Index:
    """The folder's index, read once as long as it stays what it is. Raises ModelError where there is none (any more)."""
    try:
        return _read(folder, (folder / _DESCRIPTION).stat().st_mtime_ns)
    except (OSError, msgspec.DecodeError) as error:
        _read.cache_clear()  # nobody keeps the text of an index that was erased
        if (folder / TOMBSTONE).exists():
            raise PermanentModelError(
                f"the messages of model {folder.name} were erased with a person in them; train anew: materialize training_jsonl, then "
                "fine_tuned_model, and deploy what comes of it"
            ) from None
        raise PermanentModelError(
            f"model {folder.name} has no index in {folder.parent}; set TRAINING_DATA_DIR to the folder where it was made, or train anew: "
            "materialize fine_tuned_model"
        ) from error


@lru_cache(maxsize=8)
def _read(folder: Path, stamp: int) -> Index:
    description = msgspec.json.decode((folder / _DESCRIPTION).read_bytes(), type=Description)
    if description.format != FORMAT:
        raise PermanentModelError(
            f"the index of model {folder.name} has format {description.format}, and this release reads {FORMAT}; train anew: materialize "
            "fine_tuned_model"
        )
    exemplars = msgspec.json.Decoder(Exemplar).decode_lines((folder / _LINES).read_bytes())
    return Index(exemplars, base_model=description.base_model, shots=description.shots)
