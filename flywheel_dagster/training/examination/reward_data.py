"""What a reward model learns from: messages to leads of the training side, whether they won, and who may not be on both sides of a fold."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import orjson
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.near_duplicates import sketch, words
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.errors import InputError
from flywheel_dagster.training.examination.examples import fields_of, parsed

_AT_MOST = 20_000
_DIFFERENT_BITS = 19  # of 128, as are_near_duplicates() in sql/0008 has it


@dataclass(frozen=True)
class Message:
    """A message and what was known when it was asked for."""

    fields: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Outcomes:
    """Messages, whether each had success (a deal, a meeting, an interested reply), and whose lead's it was; all of one length."""

    messages: list[Message]
    won: list[bool]
    leads: list[str]


def read_outcomes(connection: psycopg.Connection[TupleRow], scope: str, dataset: Dataset) -> Outcomes:
    """The outcomes of the leads that stand on the dataset's training side, failures and silence included.

    Bounced messages aren't: nobody read them. Raises InputError where the dataset isn't one of the scope's.
    """
    found = connection.execute(statement("examination_selection"), {"scope": scope, "hash": dataset.hash}).fetchone()
    if found is None:
        raise InputError(f"dataset {dataset.hash[:12]} was not published for scope {scope!r}; materialize training_jsonl for it")
    chosen = found[0]
    day = datetime.combine(datetime.fromisoformat(chosen["as_of"]).date(), time(), UTC)
    rows = connection.execute(
        statement("examination_reward_rows"),
        {
            "scope": scope,
            "hash": dataset.hash,
            "validation_share": chosen["validation_share"],
            "test_share": chosen["test_share"],
            "matured_before": day - timedelta(days=chosen["maturity_days"]),
            "limit": _AT_MOST,
        },
    ).fetchall()
    examples = [parsed(orjson.loads(line)) for line, _, _ in rows]
    return Outcomes(
        [Message(fields_of(example.request), example.text) for example in examples],
        [won for _, won, _ in rows],
        [lead for _, _, lead in rows],
    )


def text_groups(texts: Sequence[str]) -> list[int]:
    """A number for each text, the same for near-duplicates (by MinHash, as datasets group them)."""
    numbers: dict[tuple[str, ...], int] = {}
    distinct: list[tuple[str, ...]] = []
    of_text = []
    for text in texts:
        found = tuple(words(text))
        if found not in numbers:
            numbers[found] = len(distinct)
            distinct.append(found)
        of_text.append(numbers[found])
    groups = _Union(len(distinct))
    signatures: list[int] = []
    bands: dict[int, int] = {}
    for number, found in enumerate(distinct):
        hashes = sketch(found)
        signatures.append(int(hashes.signature, 2))
        for band in hashes.bands:
            other = bands.setdefault(band, number)
            if other != number and (signatures[other] ^ signatures[number]).bit_count() <= _DIFFERENT_BITS:
                groups.join(other, number)
    return [groups.find(number) for number in of_text]


def assign_folds(leads: Sequence[str], groups: Sequence[int], folds: int) -> tuple[list[int], list[int]]:
    """The fold of each row's lead, and that of its text. A text that only leads of one fold got shares theirs, and costs no further one."""
    of_lead = [int.from_bytes(hashlib.sha256(lead.encode()).digest()[:8]) % folds for lead in leads]
    where: dict[int, set[int]] = defaultdict(set)
    for fold, group in zip(of_lead, groups, strict=True):
        where[group].add(fold)
    spread = {group: rank % folds for rank, group in enumerate(sorted(group for group, found in where.items() if len(found) > 1))}
    return of_lead, [spread.get(group, fold) for fold, group in zip(of_lead, groups, strict=True)]


class _Union:
    """Which numbers hang together (union-find with path halving)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, number: int) -> int:
        """The least number that it hangs together with."""
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make them hang together."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low
