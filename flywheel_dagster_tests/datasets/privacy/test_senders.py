"""Who sends for an organisation, from a file."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.privacy.senders import replace_senders
from flywheel_dagster.errors import InputError

Connection = psycopg.Connection[TupleRow]


@pytest.fixture
def acme(connection: Connection) -> Connection:
    connection.execute("insert into organizations (id) values ('acme'), ('beta')")
    connection.commit()
    return connection


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "senders.csv"
    path.write_bytes(text.encode(encoding))
    return path


def found(connection: Connection) -> list[tuple[str | None, ...]]:
    return connection.execute("select organization_id, first_name, last_name, email from senders order by id").fetchall()


def test_the_people_of_the_file_take_the_place_of_all_others_of_the_organization(acme: Connection, tmp_path: Path) -> None:
    assert replace_senders(acme, "beta", write(tmp_path, "first_name\nBea\n")) == 1
    assert replace_senders(acme, "acme", write(tmp_path, "first_name,last_name\nOld,Hand\n")) == 1
    listed = "\ufeffemail, first_name ,phone\nsam@x.example,Sam,\n,,\n sam@x.example ,Sam,\nkim@x.example,,+1 212 555 0100\n"
    assert replace_senders(acme, "acme", write(tmp_path, listed)) == 2
    assert found(acme) == [
        ("beta", "Bea", None, None),
        ("acme", "Sam", None, "sam@x.example"),
        ("acme", None, None, "kim@x.example"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("name,email\nSam,sam@x.example\n", "utf-8", "columns name; use a header with some of first_name"),
        ("", "utf-8", "columns nothing"),
        ("first_name\nZoë\n", "latin-1", "can't be read as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_list_of_senders_changes_nothing(
    acme: Connection, tmp_path: Path, text: str, encoding: str, said: str
) -> None:
    replace_senders(acme, "acme", write(tmp_path, "first_name\nBea\n"))
    with pytest.raises(InputError, match=said):
        replace_senders(acme, "acme", write(tmp_path, text, encoding))
    assert found(acme) == [("acme", "Bea", None, None)]
