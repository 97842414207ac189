"""Which requests of a dataset's test side a model is examined with."""

import hashlib
from dataclasses import dataclass
from heapq import nsmallest
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.training.examination.examples import Member, read_members


@dataclass(frozen=True)
class Question:
    """Messages to ask a model, with a seed; `outcome_id` is whose request it was."""

    outcome_id: UUID
    messages: list[dict[str, str]]
    seed: int

    @property
    def hash(self) -> str:
        """The SHA-256 of the messages."""
        return hashlib.sha256(orjson.dumps(self.messages)).hexdigest()


@dataclass(frozen=True)
class Prompt:
    """A request of the test side, whose lead it was for, and the message that people sent then."""

    question: Question
    lead: str
    reference: str


def choose_prompts(connection: psycopg.Connection[TupleRow], dataset: Dataset, *, at_most: int) -> list[Prompt]:
    """Up to so many requests, by a hash of their outcomes: the same outcome is chosen early in whatever dataset, with the same seed.

    Requests that several leads share are asked once for each, with another seed: an answer is a draw, and leads are what was sampled.
    """
    asking = (member for member in read_members(dataset, "test") if member.example.asks_for_success)
    chosen = nsmallest(at_most, asking, key=lambda member: (_draw(member.outcome_id), member.outcome_id))
    found = connection.execute(statement("examination_leads"), {"ids": [member.outcome_id for member in chosen]})
    leads: dict[UUID, str] = dict(found.fetchall())
    return [_prompt(member, leads.get(member.outcome_id, str(member.outcome_id))) for member in chosen]


def _prompt(member: Member, lead: str) -> Prompt:
    outcome_id, example = member
    return Prompt(Question(outcome_id, example.request, _draw(outcome_id)), lead, example.text)


def _draw(outcome_id: UUID) -> int:
    """31 bits, so that every provider takes it as a seed."""
    return int.from_bytes(hashlib.sha256(outcome_id.bytes).digest()[:4]) >> 1
