"""The exported columns: pinned by version, complete, and without what people wrote."""

import hashlib

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.warehouse.schema import COLUMNS, LEFT_OUT, SCHEMA_VERSION, schema_of

# A version's columns never change: raise SCHEMA_VERSION in schema.py and add a line here.
PINNED = {1: "0cebe834e38d1571"}


def fingerprint() -> str:
    columns = [(column.name, column.type, column.is_text_of_people) for column in COLUMNS]
    return hashlib.sha256(repr(columns).encode()).hexdigest()[:16]


def test_the_columns_are_those_of_the_version() -> None:
    assert PINNED.get(SCHEMA_VERSION) == fingerprint(), "the columns changed: raise SCHEMA_VERSION, and pin the new version here"


def test_every_column_of_the_view_is_exported_or_left_out_by_name(connection: psycopg.Connection[TupleRow]) -> None:
    view = connection.execute(
        "select attname from pg_attribute where attrelid = 'training_ready_outcomes'::regclass and attnum > 0"
    ).fetchall()
    exported = {column.name for column in COLUMNS}
    assert exported.isdisjoint(LEFT_OUT)
    assert {name for (name,) in view} == exported | set(LEFT_OUT)


def test_what_people_wrote_is_in_a_table_of_its_own() -> None:
    by_default, with_texts = schema_of(texts=False), schema_of(texts=True)
    apart = {column.name for column in with_texts.columns} - {column.name for column in by_default.columns}
    assert apart == {"subject_line", "message_body", "reply_text", "bounce_reason", "agent_decisions"}
    assert by_default.table != with_texts.table
