"""Imports over a real database: what is taken, what is refused and why, and that neither repetition nor a crash can double anything."""

import csv
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import orjson
import psycopg
import pytest
from psycopg.rows import TupleRow, dict_row

from flywheel_dagster.database import connect
from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.importing import Imported, import_outcomes
from flywheel_dagster.outcomes.ledger import rebuild, record
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import event

Connection = psycopg.Connection[TupleRow]
ROW: dict[str, Any] = {
    "organization_id": "acme",
    "campaign_id": "spring",
    "lead_id": "ada",
    "channel": "email",
    "message_body": "Hello",
    "sent_at": "2026-01-05T09:00:00Z",
}


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def many(count: int, **given: Any) -> list[dict[str, Any]]:
    return [ROW | {"lead_id": f"lead-{number}", "delivered": "true", "open_count": number % 3} | given for number in range(count)]


def outcomes(connection: Connection) -> list[dict[str, Any]]:
    """All outcomes without their bookkeeping, in the order of their ids."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("select * from outcome_labels order by id").fetchall()
    connection.commit()
    return [
        {name: value for name, value in row.items() if name not in {"created_at", "updated_at", "changed_xid"}} for row in found
    ]


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    connection.commit()
    assert row is not None
    return row[0]


def refusals(done: Imported) -> list[tuple[int, str]]:
    assert done.rejects is not None
    with done.rejects.open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def in_step(connection: Connection) -> bool:
    """Whether a rebuild from the ledger changes nothing."""
    changed = sum(differing for _, differing in rebuild(connection))
    return changed == 0


@pytest.mark.parametrize(
    "text", ['say "hi"', "two\nlines", "three\r\nlines", "a,b", "🚀 grüße", "tab\there \\N \\. \\", "\x01mark\x02", "\u2028\x0b"]
)
def test_text_comes_back_as_it_was_written(connection: Connection, tmp_path: Path, text: str) -> None:
    import_outcomes(
        connection, write_csv(tmp_path / "a.csv", [ROW | {"message_body": text, "replied": "true", "reply_text": text}])
    )
    assert [(row["message_body"], row["reply_text"]) for row in outcomes(connection)] == [(text, text)]
    assert in_step(connection)


def test_nul_and_broken_utf8_become_replacement_characters(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    header = ",".join(ROW).encode()
    path.write_bytes(b"\xef\xbb\xbf" + header + b"\nacme,spring,ada,email,a\0b \xff c,2026-01-05T09:00:00Z\n")
    assert import_outcomes(connection, path).rejected == 0
    lines = tmp_path / "b.jsonl"
    lines.write_bytes(
        orjson.dumps(ROW | {"message_body": "x\0y", "agent_decisions": {"a\0": "b\0"}}).replace(b"Hello", b"\xff") + b"\n"
    )
    assert import_outcomes(connection, lines).rejected == 0
    assert {row["message_body"] for row in outcomes(connection)} == {"a\ufffdb \ufffd c", "x\ufffdy"}


def test_each_malformed_row_is_refused_with_its_line_and_reason(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "acme,spring,ada,email,Hello,2026-01-05T09:00:00Z"
    path.write_text(
        ",".join((*ROW, "icp_score", "deal_value", "reply_text", "sentiment_label"))
        + f'\n{good},,,,\n{good},2,,,\n"acme",spring,eva,email,"two\nlines",yesterday,,,,\n{good}\n{good},,-5,,\n'
        + f"{good},,10,,\n{good},,,thanks,\n{good},,,,happy\nglobal{good[4:]},,,,\n{good.replace('email', 'pigeon')},,,,\n,{good[5:]},,,,\n"
    )
    done = import_outcomes(connection, path)
    assert (done.rows, done.recorded, done.rejected) == (11, 1, 10)
    assert refusals(done) == [
        (3, "icp_score is 2.0; it lies between 0 and 1"),
        (4, "Invalid RFC3339 encoded datetime in column `sent_at`"),
        (6, "6 fields, the header has 10"),
        (7, "deal_value is given but deal_closed is not; say whether it happened"),
        (8, "deal_value is given but deal_closed is not; say whether it happened"),
        (9, "reply_text is given but replied is not; say whether it happened"),
        (10, "sentiment_label is 'happy'; use one of positive, neutral, negative"),
        (11, "organization_id 'global' is kept for the scope of all organizations; use another id"),
        (12, "channel is 'pigeon'; use one of email, sms, linkedin, whatsapp, phone, chat, social, direct_mail, in_app, other"),
        (13, "missing column `organization_id`"),
    ]


def test_lines_that_are_no_json_objects_are_refused(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps(ROW) + b'\n{"a":\n\n[1]\n' + orjson.dumps(ROW | {"colour": "red"}) + b"\n")
    done = import_outcomes(connection, path)
    assert (done.recorded, [line for line, _ in refusals(done)]) == (1, [2, 4, 5])
    assert [reason[:12] for _, reason in refusals(done)] == ["not JSON: un", "not a JSON o", "unknown colu"]


def test_a_row_that_only_the_database_refuses_is_found_among_many(
    connection: Connection, owner: Connection, tmp_path: Path
) -> None:
    owner.execute("alter table outcome_labels add check (lead_id not in ('lead-7', 'lead-33'))")
    owner.commit()
    done = import_outcomes(connection, write_csv(tmp_path / "a.csv", many(50)))
    assert (done.recorded, [line for line, _ in refusals(done)]) == (48, [9, 35])
    assert "violates check constraint" in refusals(done)[0][1]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (",".join([*ROW, "colour"]), "columns that are not known: colour"),
        (",".join(list(ROW)[:-1]), "lacks the columns sent_at"),
        (",".join([*ROW, "sent_at"]), "columns sent_at more than once"),
        ("", "is empty"),
    ],
)
def test_a_file_with_unknown_or_missing_columns_is_refused(connection: Connection, tmp_path: Path, header: str, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(header)
    with pytest.raises(InputError, match=words):
        import_outcomes(connection, path)


def test_the_organization_is_filled_in_where_rows_name_none(connection: Connection, tmp_path: Path) -> None:
    import_outcomes(connection, write_csv(tmp_path / "a.csv", [ROW, ROW | {"organization_id": ""}]), organization_id="other")
    without = {name: value for name, value in ROW.items() if name != "organization_id"}
    assert import_outcomes(connection, write_csv(tmp_path / "b.csv", [without]), organization_id="third").recorded == 1
    assert sorted(row["organization_id"] for row in outcomes(connection)) == ["acme", "other", "third"]


def test_a_second_run_doubles_nothing_and_an_old_rejects_file_goes(connection: Connection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [*many(30), ROW | {"channel": "pigeon"}])
    first = import_outcomes(connection, path, chunk=500)
    before = outcomes(connection)
    second = import_outcomes(connection, path, chunk=900)
    assert (first.recorded, second.recorded, second.repeated, second.rejected) == (30, 0, 30, 1)
    assert outcomes(connection) == before
    assert one(connection, "select count(*) from webhook_events") == 30
    assert first.rejects
    assert first.rejects.exists()
    import_outcomes(connection, write_csv(path, many(30)))
    assert not first.rejects.exists()


def test_a_row_twice_in_one_file_is_one_event(connection: Connection, tmp_path: Path) -> None:
    done = import_outcomes(connection, write_csv(tmp_path / "a.csv", [ROW, ROW, ROW]))
    assert (done.rows, done.recorded, done.repeated) == (3, 1, 2)


@pytest.mark.parametrize("together", [True, False])
def test_a_newer_snapshot_of_the_same_outcome_folds(connection: Connection, tmp_path: Path, together: bool) -> None:
    early = ROW | {"delivered": "true", "replied": "false", "deal_closed": "", "as_of": "2026-01-06T00:00:00Z"}
    late = early | {"replied": "true", "deal_closed": "true", "as_of": "2026-03-01T00:00:00Z"}
    if together:
        import_outcomes(connection, write_csv(tmp_path / "a.csv", [late, early]))
    else:
        import_outcomes(connection, write_csv(tmp_path / "a.csv", [early]))
        import_outcomes(connection, write_csv(tmp_path / "b.csv", [late]))
    (row,) = outcomes(connection)
    assert (row["event_count"], row["replied"], row["deal_closed"], row["quality_score"]) == (2, True, True, 0.8)
    assert in_step(connection)


def test_jsonl_and_parquet_give_the_same_rows_as_csv(connection: Connection, tmp_path: Path) -> None:
    rows = [
        row
        | {"deal_closed": number % 4 == 0, "deal_value": "1200.50" if number % 4 == 0 else "", "clicked": "false", "icp_score": 0.3}
        for number, row in enumerate(many(12))
    ]
    assert import_outcomes(connection, write_csv(tmp_path / "a.csv", rows)).recorded == 12
    before = outcomes(connection)
    assert import_outcomes(connection, write_jsonl(tmp_path / "a.jsonl", rows)).repeated == 12
    with duckdb.connect() as database:
        database.execute(f"copy (select * from read_csv('{tmp_path}/a.csv')) to '{tmp_path}/a.parquet' (format parquet)")
    assert import_outcomes(connection, tmp_path / "a.parquet").repeated == 12
    assert outcomes(connection) == before


def test_an_outcome_id_of_another_organization_is_not_touched(connection: Connection, tmp_path: Path) -> None:
    own = "11111111-1111-4111-8111-111111111111"
    import_outcomes(connection, write_csv(tmp_path / "a.csv", [ROW | {"id": own}]))
    before = outcomes(connection)
    stranger = ROW | {"id": own, "organization_id": "rival", "message_body": "Mine now", "replied": "true"}
    done = import_outcomes(connection, write_csv(tmp_path / "b.csv", [stranger]))
    assert done.recorded == 1
    assert outcomes(connection) == before
    assert (
        one(connection, "select unmatched_reason from webhook_events where not matched")
        == "outcome belongs to another organization"
    )


def test_events_that_waited_for_the_outcome_fold_with_its_snapshot(connection: Connection, tmp_path: Path) -> None:
    from uuid import UUID

    own = UUID("11111111-1111-4111-8111-111111111111")
    record(connection, [event(own, "opened"), event(own, "clicked", 2)])
    connection.commit()
    import_outcomes(connection, write_csv(tmp_path / "a.csv", [ROW | {"id": str(own), "replied": "true"}]))
    (row,) = outcomes(connection)
    assert (row["opened"], row["clicked"], row["replied"], row["event_count"]) == (True, True, True, 3)
    assert in_step(connection)


def test_several_processes_give_what_one_gives_and_refusals_keep_their_order(connection: Connection, tmp_path: Path) -> None:
    rows = many(400)
    for number in (3, 120, 399):
        rows[number] = rows[number] | {"channel": "pigeon"}
    path = write_csv(tmp_path / "a.csv", rows)
    seen: list[int] = []
    done = import_outcomes(connection, path, chunk=2_000, processes=3, progress=lambda at, of: seen.append(at))
    assert (done.rows, done.recorded, done.rejected) == (400, 397, 3)
    assert [line for line, _ in refusals(done)] == [5, 122, 401]
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size
    assert import_outcomes(connection, path, processes=1).repeated == 397
    assert in_step(connection)


def test_a_child_process_that_fails_is_heard(connection: Connection, owner: Connection, tmp_path: Path) -> None:
    owner.execute("drop trigger after_insert on outcome_labels")
    owner.execute("revoke insert on webhook_events from flywheel_service")
    owner.commit()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        import_outcomes(connection, write_csv(tmp_path / "a.csv", many(100)), chunk=1_000, processes=2)


def test_two_imports_of_one_file_at_once_write_it_once(database: Database, connection: Connection, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        [row | {"lead_id": f"lead-{number % 50}", "campaign_id": str(number)} for number, row in enumerate(many(600))],
    )

    def run(chunk: int) -> Imported:
        with connect(database.addresses.service) as own:
            return import_outcomes(own, path, chunk=chunk, rejects=tmp_path / f"{chunk}.csv")

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(run, (3_000, 5_500)))
    assert sum(done.recorded for done in both) == 600
    assert one(connection, "select count(*) from outcome_labels") == 600
    assert in_step(connection)


def test_a_killed_import_leaves_whole_chunks_and_a_second_run_completes(
    database: Database, connection: Connection, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", many(20_000, message_body="x" * 300))
    script = (
        "import sys; from pathlib import Path; from flywheel_dagster.database import connect\n"
        "from flywheel_dagster.outcomes.importing import import_outcomes\n"
        "with connect(sys.argv[1]) as c: import_outcomes(c, Path(sys.argv[2]), chunk=50_000, processes=2)"
    )
    child = subprocess.Popen([sys.executable, "-c", script, database.addresses.service, str(path)])
    try:
        for _ in _until(30):
            if one(connection, "select count(*) from outcome_labels") > 500:
                break
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    written = one(connection, "select count(*) from outcome_labels")
    assert 0 < written < 20_000
    for _ in _until(30):  # its children end by themselves
        if one(connection, "select count(*) from pg_stat_activity where datname = current_database()") <= 2:
            break
    done = import_outcomes(connection, path)
    assert done.recorded + done.repeated == 20_000
    assert (
        one(connection, "select count(*) from outcome_labels") == one(connection, "select count(*) from webhook_events") == 20_000
    )
    assert in_step(connection)


def test_memory_does_not_grow_with_the_file(connection: Connection, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = write_csv(tmp_path / f"{rows}.csv", many(rows, message_body="word " * 80))
        tracemalloc.start()
        import_outcomes(connection, path, chunk=100_000, processes=1)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(500)
    assert peak(8_000) < 1.3 * peak(1_000)


def _until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.01)
    pytest.fail(f"nothing happened within {seconds} s")
