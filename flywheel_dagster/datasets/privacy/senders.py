"""Who sends for an organisation, read from a file that people keep."""

import csv
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.privacy.known import Person
from flywheel_dagster.errors import InputError


def replace_senders(connection: psycopg.Connection[TupleRow], organization_id: str, path: Path) -> int:
    """Make the people of a CSV file the senders of an organisation, in the place of all others; returns how many. The same again changes nothing.

    The file has a header with any of the fields of `Person`. Raises InputError, and changes nothing, for other columns or text that isn't UTF-8.
    """
    people = _people(path)
    with connection.transaction(), connection.cursor() as cursor:
        known = cursor.execute(
            "select first_name, last_name, company, email, phone from senders where organization_id = %s", (organization_id,)
        )
        if {Person(*row) for row in known} == set(people):
            return len(people)
        cursor.execute("delete from senders where organization_id = %s", (organization_id,))
        cursor.executemany(statement("add_sender"), [person._asdict() | {"id": organization_id} for person in people])
    return len(people)


def _people(path: Path) -> list[Person]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            columns = [(name or "").strip() for name in reader.fieldnames or []]
            if not columns or (unknown := set(columns) - set(Person._fields)):
                said = ", ".join(sorted(unknown)) if columns else "nothing"
                raise InputError(f"{path.name} has the columns {said}; use a header with some of {', '.join(Person._fields)}")
            reader.fieldnames = columns
            rows = [{name: (row[name] or "").strip() or None for name in columns} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} can't be read as CSV in UTF-8: {error}; save it so") from error
    return list(dict.fromkeys(Person(**row) for row in rows if any(row.values())))
