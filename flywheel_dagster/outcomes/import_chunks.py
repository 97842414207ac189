"""Loads one block of a file into the ledger and `outcome_labels`, in one transaction. Which process loads which block is in `importing.py`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.outcomes.import_files import Block, Layout
from flywheel_dagster.outcomes.import_rejects import Refusal
from flywheel_dagster.outcomes.import_rows import Stager


@dataclass(frozen=True)
class Loaded:
    """What became of a block: how many rows it has, how many new events they made, which rows were refused, and where it ends."""

    rows: int
    recorded: int
    refused: list[Refusal]
    end: int


class ChunkLoader:
    """Validates and writes blocks of one file over one connection; `organization_id` fills rows that name none."""

    def __init__(self, connection: psycopg.Connection[TupleRow], layout: Layout, organization_id: str | None) -> None:
        self._connection = connection
        self._layout = layout
        self._organization = organization_id
        columns = layout.columns
        self._added = [organization_id] if organization_id and "organization_id" not in columns else []
        self._place = columns.index("organization_id") if organization_id and not self._added else None
        self._stager = Stager((*columns, *(["organization_id"] if self._added else [])))
        targets = sql.SQL(", ").join(map(sql.Identifier, self._stager.targets))
        self._copy = sql.SQL(statement("import_copy")).format(columns=targets)
        connection.execute("set jit = off")  # compiling costs more than a chunk
        connection.execute("set temp_buffers = '32MB'")
        connection.execute("set work_mem = '32MB'")
        connection.execute(statement("import_stage"))
        connection.commit()

    def load(self, block: Block) -> Loaded:
        """Write the rows of a block that are valid and new; several processes may load blocks of one file at once."""
        refused: list[Refusal] = []
        staged = list(self._staged(block, refused))
        read = len(staged) + len(refused)
        recorded = self._write(staged, refused)
        return Loaded(read, recorded, sorted(refused, key=lambda refusal: refusal[0]), block.end)

    def _staged(self, block: Block, refused: list[Refusal]) -> Iterator[tuple[int, bytes, list[Any]]]:
        line_of = self._stager.line
        for row in self._layout.rows(block):
            values = row.values
            if row.problem:
                refused.append((row.line, row.problem, self._shown(values)))
                continue
            if self._place is not None and values[self._place] is None:
                values[self._place] = self._organization
            try:
                yield row.line, line_of(values + self._added), values
            except ValueError as error:
                refused.append((row.line, str(error), self._shown(values)))

    def _shown(self, values: list[Any]) -> Any:
        """A refused row by column, as far as it has the file's columns."""
        if len(values) == 1 and len(self._layout.columns) > 1:
            return values[0]
        named = zip(self._layout.columns, values, strict=False)
        return {name: value for name, value in named if value is not None}

    def _write(self, rows: list[tuple[int, bytes, list[Any]]], refused: list[Refusal]) -> int:
        """One transaction. A row that only the database refuses is found by halving, and the others are kept."""
        if not rows:
            return 0
        try:
            with self._connection.transaction():
                return self._store(b"".join([line for _, line, _ in rows]))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(rows) == 1:
                number, _, values = rows[0]
                refused.append((number, error.diag.message_primary or "refused by the database", self._shown(values)))
                return 0
            middle = len(rows) // 2
            return self._write(rows[:middle], refused) + self._write(rows[middle:], refused)

    def _store(self, lines: bytes) -> int:
        with self._connection.cursor() as cursor:
            with cursor.copy(self._copy) as copy:
                copy.write(lines)
            cursor.execute("select pg_advisory_xact_lock_shared(7069, 0)")  # an erasure waits for us, or the next statement sees it
            cursor.execute(statement("import_refuse_erased"))
            written = cursor.execute(statement("import_write")).fetchone()
            assert written is not None
            recorded, more = written
            if more:
                cursor.execute(statement("import_fold"), {"ids": more})
                cursor.execute("select fold_outcomes(%s)", (more,))
            return int(recorded)
