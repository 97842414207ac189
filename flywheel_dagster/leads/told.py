"""The leads whose outcome is known, as rows to learn from: read at one moment, and named by what they say."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import one_snapshot, statement
from flywheel_dagster.leads.learning.table import TrainingTable


@dataclass(frozen=True)
class ToldLead:
    """A lead with its outcome in force, and its features as they were at one of its scorings.

    `with_outcome`: the features came together with the outcome, or after it, and may know of it. Leads with the same features share `group`.
    """

    lead_id: str
    features: dict[str, Any]
    converted: bool
    told_at: datetime
    with_outcome: bool
    group: str


@dataclass(frozen=True)
class ToldLeads:
    """An organization's told leads in the order of their ids; `through` is the newest lead_feedback.id that they rest on, 0 for none."""

    rows: Sequence[ToldLead]
    through: int

    @cached_property
    def sha256(self) -> str:
        """The same for the same leads with the same features and outcomes, whenever they are read, and however often an outcome is said again."""
        digest = hashlib.sha256()
        for row in self.rows:
            # Features stand for themselves by the hash of their text in the database, whose order and spelling are fixed.
            said = [row.lead_id, row.converted, row.with_outcome, row.group]
            digest.update(json.dumps(said).encode() + b"\n")
        return digest.hexdigest()

    @property
    def converted(self) -> int:
        """How many converted."""
        return sum(row.converted for row in self.rows)

    @property
    def with_outcome(self) -> int:
        """How many have no features from before their outcome."""
        return sum(row.with_outcome for row in self.rows)

    def table(self) -> TrainingTable:
        """For the learner. Without times where all were told at one moment, as by an import that has no column for it."""
        times = [row.told_at for row in self.rows]
        return TrainingTable(
            features=[row.features for row in self.rows],
            converted=np.array([row.converted for row in self.rows], dtype=bool),
            groups=[row.group for row in self.rows],
            told_at=times if len(set(times)) > 1 else None,
            lead_ids=[row.lead_id for row in self.rows],
        )


def read_told_leads(connection: psycopg.Connection[TupleRow], organization_id: str) -> ToldLeads:
    """As of one moment; nobody who scores or tells waits for it. Needs a connection without an open transaction."""
    values = {"organization_id": organization_id}
    with one_snapshot(connection):
        newest = connection.execute(statement("lead_feedback_newest"), values).fetchone()
        found = connection.execute(statement("lead_training_table"), values).fetchall()
    assert newest is not None
    return ToldLeads(
        [
            ToldLead(lead_id, features, converted, told_at, with_outcome, group)
            for lead_id, features, converted, told_at, with_outcome, group in found
        ],
        int(newest[0]),
    )
