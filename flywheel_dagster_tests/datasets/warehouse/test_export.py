"""Exports to a folder: whole weeks, the same bytes again, nothing half, and known to be old when they are."""

import json
import os
import threading
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import Lock, connect
from flywheel_dagster.datasets.warehouse.destination import WarehouseError
from flywheel_dagster.datasets.warehouse.export import export_weeks, mark_exports_due, rewrite_weeks_of, stale_exports
from flywheel_dagster.datasets.warehouse.folder import Folder
from flywheel_dagster.datasets.warehouse.schema import COLUMNS, Schema, partition_path, schema_of
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.datasets.warehouse.making import WEEK, WEEKS, rows_by_week, write
from flywheel_dagster_tests.outcomes.making import MONDAY, event

Connection = psycopg.Connection[TupleRow]
WAITING = """
    select count(*) from pg_locks
    where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())
"""
HOSTILE = [
    'quotes " and \\ backslashes, commas',
    "two\nlines\r\nthree",
    "\\.",
    "\t\x01\x02 controls \x7f",
    "שלום 🎉 \u202eright to left",
    "NULL",
    "",
    " ",
    "x" * 100_000,
    "y" * 3_000_000,
    "ends in a backslash\\",
]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "warehouse")


def read(folder: Folder, week: date = WEEK, *, texts: bool = False) -> list[dict[str, Any]]:
    with duckdb.connect() as reader:
        reader.execute("set timezone = 'UTC'")
        found = reader.execute(
            "select * from read_parquet($file, hive_partitioning = false)", {"file": folder.location(schema_of(texts=texts), week)}
        )
        names = [each[0] for each in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def files(folder: Folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder.root)): path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}


def test_a_reader_finds_the_rows_of_the_view_by_week(connection: Connection, folder: Folder) -> None:
    for week in range(3):
        write(connection, 4 + week, week=week)
    exported = export_weeks(connection, WEEKS, folder)
    assert [(week.week, week.rows) for week in exported] == list(zip(WEEKS, (4, 5, 6), strict=True))
    assert rows_by_week(folder.root) == dict(zip(WEEKS, (4, 5, 6), strict=True))
    columns = [column.name for column in schema_of(texts=False).columns]
    expected = connection.execute(
        f"select {', '.join(columns)} from training_ready_outcomes where week = %s order by sent_at, id",  # type: ignore[arg-type]
        (WEEK,),
    ).fetchall()
    found = read(folder)
    assert [list(row) for row in found] == [columns] * 4
    assert [tuple(row.values()) for row in found] == [
        tuple(
            str(value) if name in ("id", "model_registry_id") and value else value for name, value in zip(columns, row, strict=True)
        )
        for row in expected
    ]
    assert isinstance(found[0]["sent_at"], datetime)


def test_what_people_wrote_stays_out_unless_it_is_asked_for(connection: Connection, folder: Folder) -> None:
    write(connection, 3, message_body="Dear Ada", subject_line="About Ada")
    export_weeks(connection, [WEEK], folder)
    assert not any(b"Ada" in content or b"Monday" in content for content in files(folder).values())
    export_weeks(connection, [WEEK], folder, texts=True)
    (first, *_) = read(folder, texts=True)
    assert (first["message_body"], first["subject_line"], first["reply_text"]) == ("Dear Ada", "About Ada", "Call me on Monday")
    assert rows_by_week(folder.root, "training_ready_outcomes_with_texts") == {WEEK: 3}


def test_texts_of_every_kind_arrive_as_they_are(connection: Connection, folder: Folder) -> None:
    (outcome, *others) = write(connection, len(HOSTILE) + 1)
    for other, text in zip(others, HOSTILE, strict=True):
        connection.execute("update outcome_labels set subject_line = %s, framework = %s where id = %s", (text, text, other))
    connection.execute("update outcome_labels set agent_decisions = %s where id = %s", ('{"why": "a, \\"b\\""}', outcome))
    connection.commit()
    export_weeks(connection, [WEEK], folder, texts=True)
    found = {row["id"]: row for row in read(folder, texts=True)}
    assert [found[str(other)]["subject_line"] for other in others] == HOSTILE
    assert [found[str(other)]["framework"] for other in others] == HOSTILE
    assert found[str(outcome)]["subject_line"] is None, "no subject is not an empty one"
    assert json.loads(found[str(outcome)]["agent_decisions"]) == {"why": 'a, "b"'}


def test_a_week_exported_again_has_the_same_bytes(connection: Connection, folder: Folder) -> None:
    write(connection, 50)
    export_weeks(connection, WEEKS, folder)
    before = files(folder)
    export_weeks(connection, WEEKS, folder)
    assert files(folder) == before
    assert sorted(before) == [
        "training_ready_outcomes/v1/_schema.json",
        "training_ready_outcomes/v1/week=2026-01-05/outcomes.parquet",
    ]


def test_the_schema_stands_beside_the_weeks_for_programs_to_read(connection: Connection, folder: Folder) -> None:
    write(connection, 1)
    export_weeks(connection, [WEEK], folder)
    described = json.loads((folder.root / "training_ready_outcomes/v1/_schema.json").read_text())
    assert (described["table"], described["version"]) == ("training_ready_outcomes", 1)
    with duckdb.connect() as reader:
        columns = reader.execute(
            "select column_name, column_type from (describe from read_parquet($file, hive_partitioning = false))",
            {"file": folder.location(schema_of(texts=False), WEEK)},
        ).fetchall()
    assert [(column["name"], column["type"]) for column in described["columns"]] == columns


def test_an_emptied_week_has_no_file(connection: Connection, folder: Folder) -> None:
    write(connection, 3)
    export_weeks(connection, WEEKS[:2], folder)
    connection.execute("update outcome_labels set message_body = ''")
    connection.commit()
    (exported,) = export_weeks(connection, [WEEK], folder)
    assert (exported.rows, exported.bytes) == (0, 0)
    assert [path.name for path in folder.root.rglob("*") if path.is_file()] == ["_schema.json"]
    assert not list(folder.root.glob("*/v1/week=*"))


def test_an_export_that_breaks_leaves_the_old_week_to_readers_and_nothing_half(
    connection: Connection, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(connection, 3)
    export_weeks(connection, [WEEK], folder)
    before = files(folder)
    write(connection, 2, week=0, lead_id="new")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(WarehouseError, match=r"No space left on device.*FLYWHEEL_WAREHOUSE"):
            export_weeks(connection, [WEEK], folder)
    assert files(folder) == before
    assert [export.reason for export in stale_exports(connection, folder)] == ["changed since"]
    connection.commit()
    export_weeks(connection, [WEEK], folder)
    assert rows_by_week(folder.root) == {WEEK: 5}


def test_what_killed_processes_leave_is_cleared_after_a_day(connection: Connection, folder: Folder) -> None:
    write(connection, 1)
    for name, age in (("old", 90_000), ("young", 60)):
        (folder.root / f".exporting-{name}").mkdir(parents=True)
        (folder.root / f".exporting-{name}" / "outcomes.parquet").write_text("half")
        os.utime(folder.root / f".exporting-{name}", (time.time() - age,) * 2)
    export_weeks(connection, [WEEK], folder)
    assert [path.name for path in folder.root.glob(".*")] == [".exporting-young"]
    assert rows_by_week(folder.root) == {WEEK: 1}


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(connection: Connection, tmp_path: Path) -> None:
    write(connection, 1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WarehouseError, match="FLYWHEEL_WAREHOUSE"):
        export_weeks(connection, [WEEK], Folder(tmp_path / "file" / "warehouse"))


def test_a_day_that_is_no_monday_is_refused(connection: Connection, folder: Folder) -> None:
    with pytest.raises(InputError, match="2026-01-06 is no Monday"):
        export_weeks(connection, [date(2026, 1, 6)], folder)


def test_stale_weeks_are_those_that_changed_or_never_went(connection: Connection, folder: Folder, database: Database) -> None:
    assert stale_exports(connection, folder) == []
    (outcome, *_) = write(connection, 2)
    write(connection, 2, week=1)
    write(connection, 1, week=2)
    connection.commit()
    export_weeks(connection, WEEKS[:2], folder)
    assert [(export.week, export.reason) for export in stale_exports(connection, folder)] == [(WEEKS[2], "never exported")]
    connection.commit()
    export_weeks(connection, WEEKS, folder)
    assert stale_exports(connection, folder) == []
    record(connection, [event(outcome, "deal_closed", 20, value="100")])
    connection.commit()
    assert [(export.week, export.reason) for export in stale_exports(connection, folder)] == [(WEEK, "changed since")]
    assert len(stale_exports(connection, Folder(folder.root / "other"))) == 3
    connection.execute("delete from outcome_labels where outcome_week(sent_at) = %s", (WEEKS[1],))
    assert [export.week for export in stale_exports(connection, folder)] == WEEKS[:2]


def test_a_change_that_was_not_committed_when_the_week_was_read_makes_it_stale(
    connection: Connection, folder: Folder, database: Database
) -> None:
    (outcome, *_) = write(connection, 2)
    with connect(database.addresses.service) as late:
        late.execute("update outcome_labels set tone = 'warm' where id = %s", (outcome,))
        export_weeks(connection, [WEEK], folder)
        assert stale_exports(connection, folder) == []
        connection.commit()
        late.commit()
    assert [export.week for export in stale_exports(connection, folder)] == [WEEK]


def test_erased_weeks_are_written_anew_wherever_they_stand(
    connection: Connection, folder: Folder, database: Database, tmp_path: Path
) -> None:
    write(connection, 2, lead_id="ada")
    write(connection, 2, lead_id="bob")
    write(connection, 1, week=1)
    second = Folder(tmp_path / "second")
    export_weeks(connection, WEEKS[:2], folder)
    export_weeks(connection, [WEEK], second, texts=True)
    untouched = Path(folder.location(schema_of(texts=False), WEEKS[1])).stat().st_ino
    connection.execute("delete from outcome_labels where lead_id = 'ada'")
    assert mark_exports_due(connection, [WEEK]) == 2
    connection.commit()
    assert [export.reason for export in stale_exports(connection, folder)] == ["due"]
    rewritten = rewrite_weeks_of(connection, [WEEK], database.settings)
    assert [week.rows for week in rewritten] == [2, 2]
    assert {row["lead_id"] for row in read(folder)} | {row["lead_id"] for row in read(second, texts=True)} == {"bob"}
    assert stale_exports(connection, folder) == []
    assert Path(folder.location(schema_of(texts=False), WEEKS[1])).stat().st_ino == untouched


def test_a_destination_that_refuses_stops_no_other_and_its_weeks_stay_due(
    connection: Connection, folder: Folder, database: Database, tmp_path: Path
) -> None:
    write(connection, 2, lead_id="ada")
    gone = Folder(tmp_path / "away")
    export_weeks(connection, [WEEK], gone)
    export_weeks(connection, [WEEK], folder)
    connection.execute("delete from outcome_labels")
    connection.commit()
    gone.root.rename(tmp_path / "elsewhere")
    with pytest.raises(WarehouseError, match=r"not in .*away.*mount.*what should go stands there") as refused:
        rewrite_weeks_of(connection, [WEEK], database.settings)
    assert "ada" not in str(refused.value)
    assert rows_by_week(folder.root) == {}
    assert [export.reason for export in stale_exports(connection, gone)] == ["due"]
    connection.commit()
    (tmp_path / "elsewhere").rename(gone.root)
    rewrite_weeks_of(connection, [WEEK], database.settings)
    assert rows_by_week(gone.root) == {}


def test_files_of_an_older_schema_go_when_their_week_is_erased(connection: Connection, folder: Folder, database: Database) -> None:
    write(connection, 2)
    old = Schema("training_ready_outcomes", COLUMNS, 99)
    export_weeks(connection, [WEEK], folder)
    path = folder.root / partition_path(old, WEEK)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of another version")
    (path.parents[1] / "_schema.json").write_text("{}")
    connection.execute("update warehouse_exports set schema_version = 99")
    connection.commit()
    rewrite_weeks_of(connection, [WEEK], database.settings)
    assert not path.exists()
    assert connection.execute("select count(*) from warehouse_exports").fetchone() == (0,)


def test_an_export_that_runs_while_a_lead_is_erased_starts_over_without_them(
    connection: Connection, folder: Folder, database: Database
) -> None:
    write(connection, 2, lead_id="ada")
    write(connection, 1, lead_id="bob")
    written = []

    class Interrupted(Folder):
        def put(self, schema: Schema, week: date, file: Path) -> None:
            super().put(schema, week, file)
            written.append(len(read(folder)))
            if len(written) == 1:
                with connect(database.addresses.service) as eraser:
                    eraser.execute("delete from outcome_labels where lead_id = 'ada'")
                    assert mark_exports_due(eraser, [WEEK]) == 1, "the week is known before its first file is there"

    (exported,) = export_weeks(connection, [WEEK], Interrupted(folder.root))
    assert written == [3, 1]
    assert exported.rows == 1
    assert stale_exports(connection, folder) == []


def test_two_exports_of_one_week_wait_for_each_other(connection: Connection, folder: Folder, database: Database) -> None:
    write(connection, 5)
    done = threading.Event()

    def export() -> None:
        with connect(database.addresses.service) as other:
            export_weeks(other, [WEEK], folder)
        done.set()

    with connect(database.addresses.service) as holder:
        holder.execute("select pg_advisory_lock(%s, %s)", (Lock.WEEK, WEEK.toordinal()))
        thread = threading.Thread(target=export)
        thread.start()
        while connection.execute(WAITING).fetchone() != (1,):
            connection.rollback()
        assert not done.is_set()
        assert rows_by_week(folder.root) == {}
    thread.join(timeout=30)
    assert done.is_set()
    assert rows_by_week(folder.root) == {WEEK: 5}


def test_weeks_begin_on_monday_in_utc(connection: Connection, folder: Folder) -> None:
    for moment in ("2026-01-04T23:59:59.999999Z", "2026-01-05T00:00:00Z", "2026-01-11T23:59:59.999999Z", "2026-01-12T00:00:00Z"):
        write(connection, 1, lead_id=moment, sent_at=datetime.fromisoformat(moment))
    connection.execute("set time zone 'Pacific/Auckland'")
    connection.commit()
    export_weeks(connection, [WEEK], folder)
    assert [row["lead_id"][:13] for row in read(folder)] == ["2026-01-05T00", "2026-01-11T23"]
    assert read(folder)[0]["sent_at"] == MONDAY.replace(hour=0)
