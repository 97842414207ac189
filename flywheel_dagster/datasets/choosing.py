"""Chooses a dataset's members in the database: who may be in, near-duplicates, the limit. Every row left out is counted by its reason."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.selection import Selection


@dataclass(frozen=True)
class Chosen:
    """What became of a scope's rows; `totals` are those of `dataset_totals.sql`. `dropped` and the members add up to `candidates`."""

    candidates: int
    dropped: dict[str, int]
    totals: dict[str, Any]


def choose(connection: psycopg.Connection[TupleRow], scope: str, selection: Selection) -> Chosen:
    """Fill the temporary table `dataset_selection`, which lasts until the next choice over this connection.

    Only narrow rows are sorted, on the server; this process holds none of them.
    """
    rule = selection.parameters(scope)
    connection.execute("set local jit = off")
    connection.execute(statement("drop_dataset_selection"))
    connection.execute(
        "set local parallel_tuple_cost = 0"
    )  # the planner expects as many reasons as rows, and would count them alone
    kept = counted(connection, "dataset_candidates", rule)
    candidates = sum(kept.values())
    connection.execute(statement("create_dataset_kept"), rule)
    kept |= outdated(connection, "drop_outdated_kept")
    connection.execute("analyze dataset_kept")
    group_near_duplicates(connection)
    connection.execute(statement("create_dataset_choice"), rule)
    chosen = counted(connection, "dataset_choice_drops", {})
    connection.execute(statement("create_dataset_selection"), rule)
    connection.execute("create index on dataset_selection (sent_at, outcome_id)")
    connection.execute("analyze dataset_selection")
    with connection.cursor(row_factory=dict_row) as cursor:
        totals = cursor.execute(statement("dataset_totals")).fetchone()
    assert totals is not None
    dropped = Counter({reason: count for reason, count in (kept | chosen).items() if reason is not None})
    return Chosen(candidates, dict(dropped.most_common()), totals)


def outdated(connection: psycopg.Connection[TupleRow], query: str) -> dict[str | None, int]:
    """Take out what redaction no longer covers as it should; the count, by its reason."""
    count = connection.execute(statement(query)).rowcount
    return {"personal data became known since its week was scored": count} if count else {}


def group_near_duplicates(connection: psycopg.Connection[TupleRow]) -> None:
    """Fill the temporary table `dataset_groups` with the texts of `dataset_kept` that hang together, however many near-duplicates lie between.

    A group is named by the least of its texts' keys, so it doesn't depend on any order.
    """
    connection.execute(statement("create_dataset_edges"))
    connection.execute("analyze dataset_edges")
    connection.execute(statement("create_dataset_groups"))
    connection.execute("analyze dataset_groups")
    while connection.execute(statement("join_dataset_groups")).rowcount:
        while connection.execute(statement("shorten_dataset_groups")).rowcount:
            pass


def counted(connection: psycopg.Connection[TupleRow], query: str, rule: dict[str, Any]) -> dict[str | None, int]:
    """The counts of a statement by reason; None for what goes on."""
    return dict(connection.execute(statement(query), rule).fetchall())
