"""Erases a lead: from the database in one transaction (`sql/0016_erase_lead.sql`), then from the files of datasets. What was trained stays listed."""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow, class_row, dict_row

from flywheel_dagster.database import Lock, held_lock, statement
from flywheel_dagster.datasets.erased_files import bury, bury_derived, clear_strays
from flywheel_dagster.errors import DatabaseError, InputError
from flywheel_dagster.patience import Patience

_ATTEMPTS = 8
_LOCK_WAIT = "2s"  # of one attempt; whoever writes meanwhile has to wait for us


@dataclass(frozen=True)
class UsedDataset:
    """A dataset with messages of the lead. `erased_at` is None only while nothing is erased yet."""

    hash: str
    kind: str
    scopes: list[str]
    created_at: datetime
    erased_at: datetime | None
    messages: int


@dataclass(frozen=True)
class Erasure:
    """What goes, or went. The counts are those of this call, so that a second one counts nothing; the rest is all there ever was of the lead.

    `others`: events of other leads' messages that name this lead, and were emptied. `merged`: further ids that a merger says are the same
    person, erased with it. `shared_email`: another lead has the same address; what names only the address stayed. `weeks` are the Mondays
    of the lead's messages. `scorings` went with what was said of the lead; `lead_models` are the versions that had learnt from it.
    """

    outcomes: int
    events: int
    others: int
    training_rows: int
    scorings: int
    merged: int
    shared_email: bool
    outcome_ids: list[UUID]
    weeks: list[date]
    lead_models: list[str]
    datasets: list[UsedDataset]


@dataclass(frozen=True)
class ErasedFiles:
    """Which datasets' files are gone, which were not in the folder to begin with, and how many unpublished folders went with them.

    `models` are the folders that were made of the text of these datasets; they are gone, too.
    """

    gone: list[str]
    missing: list[str]
    strays: int
    models: list[str] = field(default_factory=list)


def look(connection: psycopg.Connection[TupleRow], organization_id: str, lead_id: str) -> Erasure:
    """What `erase` would do, by doing it in a transaction that is rolled back. Raises InputError for a lead of whom nothing is known."""
    with connection.transaction(force_rollback=True):
        _begin(connection, organization_id, lead_id, alone=False)
        return _erase(connection, organization_id, lead_id)


def erase(
    connection: psycopg.Connection[TupleRow],
    organization_id: str,
    lead_id: str,
    directory: Path,
    *,
    patience: Patience = Patience(),
) -> tuple[Erasure, ErasedFiles]:
    """Erase a lead from the database and from the datasets in `directory`; commits what is open in `connection`.

    Three steps: the door is closed, so that nothing about the lead is stored any more; the database is cleaned in one transaction, in
    which datasets with the lead stop being current; their files are deleted. Killed anywhere and called again, it goes on. Raises
    InputError for a lead of whom nothing is known and for files that can't be deleted, DatabaseError when a transaction of somebody else
    stays open.
    """
    with held_lock(connection, Lock.ASSEMBLY):  # nobody publishes a dataset meanwhile, or writes its files
        _close_door(connection, organization_id, lead_id, patience)
        erasure = _clean(connection, organization_id, lead_id, patience)
        files = _erase_files(connection, erasure, directory)
        with connection.transaction():
            connection.execute("select draw_samples_anew()")
    return erasure, files


def _close_door(connection: psycopg.Connection[TupleRow], organization_id: str, lead_id: str, patience: Patience) -> None:
    def close() -> None:
        with connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", (_LOCK_WAIT,))
            _begin(connection, organization_id, lead_id, alone=True)

    try:
        patience.insist(close, attempts=_ATTEMPTS, on=psycopg.errors.LockNotAvailable)
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseError(
            "the lead can't be erased while somebody's transaction that writes outcomes stays open, and nothing was erased; find it with: "
            "select pid, xact_start, state from pg_stat_activity order by xact_start; end it, and run the same command again"
        ) from error


def _clean(connection: psycopg.Connection[TupleRow], organization_id: str, lead_id: str, patience: Patience) -> Erasure:
    def clean() -> Erasure:
        with connection.transaction():
            return _erase(connection, organization_id, lead_id)

    return patience.insist(
        clean, attempts=_ATTEMPTS, on=psycopg.errors.DeadlockDetected
    )  # with direct writers, who lock as they like


def _begin(connection: psycopg.Connection[TupleRow], organization_id: str, lead_id: str, *, alone: bool) -> None:
    found = connection.execute("select begin_erasure(%s, %s, %s)", (organization_id, lead_id, alone)).fetchone()
    if found is None or not found[0]:
        raise InputError(
            f"organization {organization_id!r} has no lead {lead_id!r}, nor any outcome or event that names one; look at the id: it is "
            "case-sensitive, and the one that outcomes carry as lead_id"
        )


def _erase(connection: psycopg.Connection[TupleRow], organization_id: str, lead_id: str) -> Erasure:
    with connection.cursor(row_factory=dict_row) as erasing:
        row = erasing.execute(statement("erase_lead"), {"organization_id": organization_id, "lead_id": lead_id}).fetchone()
    assert row is not None
    with connection.cursor(row_factory=class_row(UsedDataset)) as cursor:
        used = cursor.execute(statement("datasets_of_outcomes"), {"ids": row["outcome_ids"]}).fetchall()
    return Erasure(**row, datasets=used)


def _erase_files(connection: psycopg.Connection[TupleRow], erasure: Erasure, directory: Path) -> ErasedFiles:
    gone: list[str] = []
    missing: list[str] = []
    for used in erasure.datasets:
        assert used.erased_at is not None
        (gone if bury(directory, used.hash, used.erased_at) else missing).append(used.hash)

    models = bury_derived(directory, {used.hash: used.erased_at for used in erasure.datasets if used.erased_at})

    def unknown(names: list[str]) -> list[str]:
        return [row[0] for row in connection.execute(statement("unknown_datasets"), {"names": names}).fetchall()]

    strays = clear_strays(directory, map(str, erasure.outcome_ids), unknown)
    connection.commit()
    return ErasedFiles(gone, missing, strays, models)
