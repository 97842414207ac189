"""Chooses a dataset's members in the database: who may be in, near-duplicates, the limit. Every row left out is counted by its reason."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
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
    begin(connection)
    left_out = counted(connection, "dataset_candidates", rule)
    candidates = sum(left_out.values())
    connection.execute(statement("create_dataset_kept"), rule)
    left_out |= drop_outdated(connection, "dataset_kept")
    connection.execute("analyze dataset_kept")
    group_near_duplicates(connection)
    connection.execute(statement("create_dataset_choice"), rule)
    left_out |= counted(connection, "dataset_choice_drops", rule)
    connection.execute(statement("create_dataset_selection"), rule)
    connection.execute("create index on dataset_selection (sent_at, outcome_id)")
    return sum_up(connection, candidates, left_out)


def begin(connection: psycopg.Connection[TupleRow]) -> None:
    """Make ready for a choice, in its transaction."""
    connection.execute("set local jit = off")  # compiling takes longer than the statements
    # The planner expects as many reasons as rows, and would have one process count them.
    connection.execute("set local parallel_tuple_cost = 0")
    connection.execute(statement("drop_dataset_selection"))


def sum_up(connection: psycopg.Connection[TupleRow], candidates: int, left_out: Mapping[str | None, int]) -> Chosen:
    """What the choice in `dataset_selection` came to; rows are left out for a reason, None goes on."""
    connection.execute("analyze dataset_selection")
    with connection.cursor(row_factory=dict_row) as cursor:
        totals = cursor.execute(statement("dataset_totals")).fetchone()
    assert totals is not None
    dropped = Counter({reason: count for reason, count in left_out.items() if reason is not None})
    return Chosen(candidates, dict(dropped.most_common()), totals)


def drop_outdated(connection: psycopg.Connection[TupleRow], table: str) -> dict[str | None, int]:
    """Take rows out of a temporary table that redaction no longer covers as it should; the count, by its reason."""
    query = sql.SQL(statement("drop_outdated")).format(rows=sql.Identifier(table))
    count = connection.execute(query).rowcount
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
