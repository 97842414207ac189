"""Tables of leads and lists of outcomes from files: what they say is kept, what they can't say is told by line, and a second run brings nothing."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flywheel_dagster.errors import InputError
from flywheel_dagster.leads.columns import columns_of
from flywheel_dagster.leads.feedback import Taken, take_feedback
from flywheel_dagster.leads.importing import Imported, import_leads
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.leads.scoring import BEGIN, Connection, deployed, outcome_of, scored, training_rows

STAFF = {
    "Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
}  # fmt: skip


def imported(connection: Connection, path: Path, *, late: bool = False, **columns: Any) -> Imported:
    return import_leads(
        connection, path, "acme", lambda table: columns_of(table, **columns), settings=Settings(), late=late, told_by="tests"
    )


def table(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "leads.csv"
    path.write_bytes(text.encode(encoding))
    return path


def rejects(done: Imported | Taken) -> list[tuple[int, str]]:
    if done.rejects is None:
        return []
    with done.rejects.open(newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def test_a_table_is_scored_told_and_learnt_from(connection: Connection, tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "Id,Won?,Seats,Zip,Plan,Opens,lead_source,When\r\n"
        'a/1,Yes,12.5,01234,"pro, yearly",7,webinar,2026-03-01\r\n'
        "b,LOST,,,,7.0,,2026-03-01T10:00:00+02:00\r\n"
        "c,,3,x,TRUE,,Trade Show,\r\n"
        "\r\n",
    )
    done = imported(connection, path, id="Id", label="Won?", time="When", mapped={"email_opens": "Opens"})
    assert (done.rows, done.scored, done.told, done.repeated, done.rejected, done.version) == (3, 3, 2, 0, 0, "prior")
    rows = {row["lead_id"]: row for row in training_rows(connection)}
    assert rows["a/1"]["features"] == {
        "Seats": 12.5,
        "Zip": "01234",
        "Plan": "pro, yearly",
        "email_opens": 7,
        "lead_source": "Webinar",
    }
    assert rows["a/1"]["converted"] is True and rows["b"]["features"] == {"email_opens": 7} and rows["b"]["converted"] is False
    assert rows["a/1"]["told_at"] == datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC) and rows["b"]["scored_at"].hour == 8
    assert {row["with_outcome"] for row in rows.values()} == {False}
    found = connection.execute(
        "select attributes, email_opens, lead_source, actual_outcome from lead_scores where lead_id = 'c'"
    ).fetchone()
    assert found == ({"Seats": 3, "Zip": "x", "Plan": True}, None, "Trade Show", None)
    again = imported(connection, path, id="Id", label="Won?", time="When", mapped={"email_opens": "Opens"})
    assert (again.scored, again.told, again.repeated) == (0, 0, 3)


def test_again_without_times_brings_nothing_and_a_corrected_label_is_news(connection: Connection, tmp_path: Path) -> None:
    text = "lead_id;actual_outcome;x\na;1;1\nb;0;2\na;1;1\n"
    assert (imported(connection, table(tmp_path, text)).scored, len(training_rows(connection))) == (2, 2)
    done = imported(connection, table(tmp_path, text))
    assert (done.scored, done.told, done.repeated) == (0, 0, 3)
    done = imported(connection, table(tmp_path, text.replace("b;0;2", "b;won;2")))
    assert (done.scored, done.told) == (0, 1) and outcome_of(connection, "b") is True
    assert {row["with_outcome"] for row in training_rows(connection)} == {False}


def test_columns_that_were_read_later_are_marked_so(connection: Connection, tmp_path: Path) -> None:
    imported(connection, table(tmp_path, "lead_id\tactual_outcome\tx\na\tt\t1\n"), late=True)
    assert training_rows(connection)[0]["with_outcome"] is True


def test_rows_without_an_id_are_told_apart_by_what_they_say(connection: Connection, tmp_path: Path) -> None:
    path = table(tmp_path, "y,x\nwon,1\nlost,1\nwon,1\nwon,2\n")
    assert imported(connection, path, label="y").scored == 4
    path.write_text("y,x\nwon,2\nwon,1\nwon,1\nlost,1\nwon,3\n")  # in another order, and with a new one
    assert imported(connection, path, label="y").scored == 1
    assert len({row["row_group"] for row in training_rows(connection)}) == 3


def test_rows_that_can_not_be_are_told_by_line_and_the_others_taken(connection: Connection, tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "lead_id,actual_outcome,age,note,at\n"
        "fine,yes,35,x,2026-03-01\n"
        ",yes,35,x,2026-03-01\n"
        f"{'x' * 201},yes,35,x,2026-03-01\n"
        "a,perhaps,35,x,2026-03-01\n"
        "b,yes,-3,x,2026-03-01\n"
        "c,yes,35.5,x,2026-03-01\n"
        f"d,yes,35,{'x' * 501},2026-03-01\n"
        "e,yes,35,x,yesterday\n"
        "f,yes,35,x,1999-01-01\n"
        "g,yes,35\n"
        'h,yes,35,"a\nb",2026-03-01\n'
        "i,yes,999,x,2026-03-01\n",
    )
    done = imported(connection, path, time="at")
    assert (done.rows, done.scored, done.rejected) == (12, 2, 10)
    told = rejects(done)
    assert [line for line, _ in told] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 14]
    for (_, reason), part in zip(
        told, ("an id has", "an id has", "no outcome", "age", "age", "note", "no time", "2000", "3 fields", "age"), strict=True
    ):
        assert part in reason
    assert outcome_of(connection, "h") is True


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("", {}, "is empty"),
        ("a,b\n", {"label": "c"}, "no column 'c'"),
        ("a,a\n1,2\n", {}, "more than once"),
        ("a,,b\n", {}, "no name for column 2"),
        ("a,b\n", {"label": "a", "id": "a"}, "named for two things"),
        ("a,b\n", {"mapped": {"opens": "a"}}, "opens is no standard field"),
        ("organization_id,b\n", {}, "can't be called organization_id"),
        (",".join(f"c{n}" for n in range(202)) + "\n", {}, "more than 200"),
        ("x" * 101 + ",b\n", {}, "1 to 100 characters"),
        ("a,b\n", {"without": ["c"]}, "no column 'c'"),
    ],
)
def test_columns_that_can_not_be_are_told_before_anything_is_written(
    connection: Connection, tmp_path: Path, text: str, columns: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        imported(connection, table(tmp_path, text), **columns)
    with pytest.raises(InputError, match="is not a file"):
        imported(connection, tmp_path / "nowhere.csv")


def test_a_table_with_a_mark_bad_bytes_and_nul_is_read(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"\xef\xbb\xbflead_id,city\na,M\xfcnchen\nb,x\0y\n")
    assert imported(connection, path).scored == 2
    assert connection.execute("select attributes ->> 'city' from lead_scores order by lead_id").fetchall() == [
        ("M\ufffdnchen",),
        ("x\ufffdy",),
    ]


def test_a_deployed_version_scores_the_table(connection: Connection, tmp_path: Path) -> None:
    deployed(connection)
    done = imported(connection, table(tmp_path, "lead_id,email_opens\nlow,0\nhigh,29\n"))
    assert done.version == "1.0"
    rows = connection.execute("select lead_id, conversion_score, model_version from lead_scores order by lead_id").fetchall()
    assert [(row[0], row[1] > 0.5, row[2]) for row in rows] == [("high", True, "1.0"), ("low", False, "1.0")]


def test_an_erased_lead_is_refused_and_its_neighbours_are_taken(connection: Connection, tmp_path: Path) -> None:
    scored(connection, "ada")
    connection.execute("select begin_erasure('acme', 'ada')")
    connection.execute("select erase_lead('acme', 'ada')")
    connection.commit()
    done = imported(connection, table(tmp_path, "lead_id,actual_outcome\ngrace,1\nada,1\nhopper,0\n"))
    assert (done.scored, done.told, done.rejected) == (2, 2, 1)
    assert rejects(done)[0][0] == 3 and "erased" in rejects(done)[0][1]


def test_the_weekly_list_is_taken_with_its_dates(connection: Connection, tmp_path: Path) -> None:
    for lead in ("a", "b", "c"):
        scored(connection, lead)
    path = tmp_path / "closed.csv"
    day = (BEGIN + timedelta(days=3)).date().isoformat()
    path.write_text(
        f"Lead ID,Outcome,Date,Owner\na,Closed Won,{day},x\nb,closed lost,,x\nc,,{day},x\nnobody,won,{day},x\nc,perhaps,{day},x\n"
    )
    done = take_feedback(connection, path, "acme", told_by="tests")
    assert (done.rows, done.heard, done.repeated, done.rejected) == (5, 2, 0, 3)
    assert Counter(line for line, _ in rejects(done)) == Counter([4, 5, 6])
    assert [outcome_of(connection, lead) for lead in ("a", "b", "c")] == [True, False, None]
    again = take_feedback(connection, path, "acme", told_by="tests")
    assert (again.heard, again.repeated, again.rejected) == (0, 2, 3)
    assert connection.execute("select count(*), count(distinct source) from lead_feedback").fetchone() == (2, 1)


def test_a_list_without_outcomes_is_refused(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "closed.csv"
    path.write_text("lead_id,notes\na,x\n")
    with pytest.raises(InputError, match="name the column by --label"):
        take_feedback(connection, path, "acme")


def test_the_tables_that_we_have_come_in_whole(connection: Connection, shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "leads_x_education.csv"
    done = import_leads(
        connection,
        path,
        "acme",
        lambda table: columns_of(table, id="Prospect ID", label="Converted"),
        settings=Settings(),
        rejects=tmp_path / "r.csv",
    )
    assert (done.rows, done.scored, done.told, done.rejected) == (9_240, 9_240, 9_240, 0)
    assert {leak.field for leak in done.leaks} == STAFF
    assert sum(row["converted"] for row in training_rows(connection)) == 3_561
    path = shared / "data" / "salvirt_b2b_opportunities.csv"
    done = import_leads(
        connection,
        path,
        "salvirt",
        lambda table: columns_of(table, label="Status"),
        settings=Settings(),
        rejects=tmp_path / "r.csv",
    )
    assert done.leaks == []
    rows = training_rows(connection, "salvirt")
    assert (done.rows, done.told, len(rows), len({row["row_group"] for row in rows})) == (448, 448, 448, 346)
