"""People's labels go out as a file, come back, overrule the machines, and correct what these report."""

import csv
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.errors import InputError
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.replies.review import COLUMNS, export_for_review, machine_labels, reviews, take_reviews
from flywheel_dagster_tests.outcomes.making import event, row_of
from flywheel_dagster_tests.replies.making import read_all, write_replies

Connection = psycopg.Connection[TupleRow]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def judge_as(connection: Connection, outcome: Any, label: str, score: float, objection: str = "none") -> None:
    """A model said so."""
    at = row_of(connection, outcome)["replied_at"].isoformat()
    record(
        connection,
        [event(outcome, "reply_classified", 2, source="classifier", method="llm", version="1", label=label, score=score,
               interest_level="none", objection_type=objection, replied_at=at)],
    )  # fmt: skip
    connection.commit()


def test_disagreements_go_out_first_and_each_row_says_for_how_many_it_stands(connection: Connection, tmp_path: Path) -> None:
    outcomes = write_replies(connection, [f"Please unsubscribe me, number {number}." for number in range(10)])
    read_all(connection)
    for outcome in outcomes[:4]:
        judge_as(connection, outcome, "positive", 0.9)
    done = export_for_review(connection, tmp_path / "r.csv", disagreements=2, agreements=3)
    assert (done.disagreements, done.all_disagreements, done.agreements, done.all_agreements) == (2, 4, 3, 6)
    rows = rows_of(tmp_path / "r.csv")
    assert [float(row["weight"]) for row in rows] == [2, 2, 2, 2, 2]
    assert {(row["machine_label"], row["rules_label"]) for row in rows[:2]} == {("positive", "negative")}


def test_a_persons_label_overrules_the_machine_and_the_same_file_again_changes_nothing(
    connection: Connection, tmp_path: Path
) -> None:
    outcome = write_replies(connection, ["Well, well."])[0]
    judge_as(connection, outcome, "positive", 0.9)
    file = tmp_path / "r.csv"
    export_for_review(connection, file)
    write_rows(file, [row | {"label": "Negative ", "objection": "price"} for row in rows_of(file)])
    assert take_reviews(connection, file) == 1
    assert take_reviews(connection, file) == 0
    row = row_of(connection, outcome)
    assert (row["sentiment_label"], row["objection_type"], row["interest_level"], row["classification_method"]) == (
        "negative",
        "price",
        "none",
        "human",
    )
    assert row["training_label"] != "positive_example"
    assert [(each.machine, each.human, each.weight) for each in reviews(connection)] == [("positive", "negative", 1)]
    assert machine_labels(connection) == {}
    export_for_review(connection, file)
    assert rows_of(file) == []  # a reviewed reply isn't asked about again


def test_a_second_thought_replaces_the_first(connection: Connection, tmp_path: Path) -> None:
    outcome = write_replies(connection, ["Well, well."])[0]
    judge_as(connection, outcome, "positive", 0.9)
    file = tmp_path / "r.csv"
    export_for_review(connection, file)
    exported = rows_of(file)
    for label in ("negative", "neutral"):
        write_rows(file, [row | {"label": label} for row in exported])
        assert take_reviews(connection, file) == 1
    assert row_of(connection, outcome)["sentiment_label"] == "neutral"
    assert [each.human for each in reviews(connection)] == ["neutral"]


def test_rows_without_a_label_are_left_out(connection: Connection, tmp_path: Path) -> None:
    write_replies(connection)
    read_all(connection)
    export_for_review(connection, tmp_path / "r.csv")
    assert take_reviews(connection, tmp_path / "r.csv") == 0


def test_replies_that_a_spreadsheet_would_run_are_made_harmless(connection: Connection, tmp_path: Path) -> None:
    write_replies(connection, ['=HYPERLINK("http://evil.example","click")'])
    read_all(connection)
    export_for_review(connection, tmp_path / "r.csv")
    assert rows_of(tmp_path / "r.csv")[0]["reply_text"].startswith("'=")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": "meh"}, "line 2: label is not one of positive, neutral, negative"),
        ({"label": "neutral", "objection": "weather"}, "line 2: objection is not one of"),
        ({"label": "neutral", "outcome_id": "x"}, "line 2: outcome_id, replied_at or weight was changed"),
        ({"label": "neutral", "replied_at": "2026-01-01"}, "line 2: outcome_id, replied_at or weight was changed"),
    ],
)
def test_a_file_that_was_spoilt_is_refused_with_its_line(
    connection: Connection, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    write_replies(connection)
    read_all(connection)
    file = tmp_path / "r.csv"
    export_for_review(connection, file)
    write_rows(file, [row | change if not number else row for number, row in enumerate(rows_of(file))])
    with pytest.raises(InputError, match=said):
        take_reviews(connection, file)


def test_a_file_of_another_kind_is_refused(connection: Connection, tmp_path: Path) -> None:
    write_rows(tmp_path / "r.csv", [], ("outcome_id", "label"))
    with pytest.raises(InputError, match="no column replied_at"):
        take_reviews(connection, tmp_path / "r.csv")


def test_only_one_organizations_replies_go_out(connection: Connection, tmp_path: Path) -> None:
    write_replies(connection)
    read_all(connection)
    assert export_for_review(connection, tmp_path / "r.csv", organization_id="globex").all_agreements == 0
    assert reviews(connection, organization_id="globex") == []
